"""Every format's own shapes and faults, on images that are drawn here."""

import json

import numpy as np
import pytest
from PIL import Image

from mmdet_cleargrasp.conversion import FORMATS, ConversionOptions, Folder, convert, recognize
from mmdet_cleargrasp.utils.errors import ConfigError, DataError
from tests.conversion.sources import draw, labelformat_voc, labelformat_yolo, write


def read(root, name):
    source = FORMATS[name].read(Folder(root)).finish()
    boxes = [
        (b.label, *(round(side, 2) for side in b.sides))
        for picture in source.pictures.values()
        for b in picture.boxes
    ]
    return boxes, [skipped.reason for skipped in source.skipped], source


def labelme(*shapes, **values):
    content = {'shapes': list(shapes), 'imagePath': 'a.png', 'imageWidth': 100, 'imageHeight': 80}
    return json.dumps({**content, **values})


def shape(kind, points, **values):
    return {'label': 'dish', 'shape_type': kind, 'points': points, **values}


GOOD = shape('rectangle', [[60, 60], [70, 70]])
GOOD_BOX = ('dish', 60, 60, 70, 70)
# X-AnyLabeling writes the corners as they are after the rotation.
DIAMOND = [[50, 20], [70, 40], [50, 60], [30, 40]]
NONE = 'nothing in its annotation is a usable box: '


@pytest.mark.parametrize(
    ('text', 'boxes', 'reasons'),
    [
        (labelme(shape('rectangle', [[30, 40], [10, 20]])), [('dish', 10, 20, 30, 40)], []),
        (labelme(shape('rectangle', [[10, 20], [30, 20], [30, 40], [10, 40]])), [('dish', 10, 20, 30, 40)], []),
        (labelme(shape('rotation', DIAMOND, direction=0.785)), [('dish', 30, 20, 70, 60)], []),
        (labelme(shape('quadrilateral', DIAMOND)), [('dish', 30, 20, 70, 60)], []),
        (labelme(shape('shape_of_next_year', DIAMOND)), [('dish', 30, 20, 70, 60)], []),
        (labelme(shape('polygon', [[10, 20], [30, 25], [20, 60]])), [('dish', 10, 20, 30, 60)], []),
        (labelme(shape('circle', [[50, 40], [53, 44]])), [('dish', 45, 35, 55, 45)], []),
        (labelme(shape('circle', [[50, 40], [90, 40]])), [('dish', 10, 0, 90, 80)], []),
        (labelme(shape('rectangle', [[1, 1], [9, 9]], group_id=1), shape('rectangle', [[20, 1], [30, 9]], group_id=1)),
         [('dish', 1, 1, 30, 9)], []),
        (labelme(shape('rectangle', [[1, 1], [9, 9]], label=' dish \n')), [('dish', 1, 1, 9, 9)], []),
        # Shapes that mark no area are left out; the image only if there is nothing else.
        (labelme(GOOD, shape('point', [[1, 1]])), [GOOD_BOX], ['a point, which has no area']),
        (labelme(shape('point', [[1, 1]])), [], [NONE + 'a point, which has no area']),
        (labelme(GOOD, shape('rectangle', [[2, 1], [2.5, 9]])), [GOOD_BOX], ['a box of no area']),
        (labelme(shape('rectangle', [[2, 1], [2.5, 9]])), [], [NONE + 'a box of no area']),
        (labelme(shape('rectangle', [[200, 1], [300, 9]])), [], [NONE + 'a box outside its image']),
        # A shape that cannot be read may be a plate: without it, the image would teach that it is none.
        (labelme(GOOD, {'points': []}), [], ['a shape without a class name']),
        (labelme(GOOD, shape('rectangle', [[1, 1], [9, 9]], label=None)), [], ['a shape without a class name']),
        (labelme(GOOD, shape('polygon', [])), [], ['no points']),
        (labelme(GOOD, shape('polygon', [[1, 'x']])), [], ["could not convert string to float: 'x'"]),
        (labelme(GOOD, shape('rectangle', [[1, 1], [float('nan'), 9]])), [], ['a coordinate that is not finite']),
        (labelme(GOOD, shape('ellipse', [[1, 1], [9, 9]])), [], ['shape_type ellipse is not known']),
        (labelme(GOOD, 'dish'), [], None),
        # Only a file without shapes says that there is no plate.
        (labelme(), [], []),
    ],
)  # fmt: skip
def test_labelme(tmp_path, text, boxes, reasons):
    draw(tmp_path / 'a.png')
    write(tmp_path / 'a.json', text)
    found, why, source = read(tmp_path, 'labelme')
    assert found == boxes
    assert why == reasons if reasons is not None else len(why) == 1
    negative = text == labelme()
    assert bool(source.pictures) == bool(boxes or negative)


def test_stale_image_path_is_pointed_out(tmp_path):
    for name in ('p1', 'p2'):
        draw(tmp_path / f'{name}.png')
    write(tmp_path / 'p1.json', labelme(GOOD, imagePath='p2.png'))
    write(tmp_path / 'p2.json', labelme(imagePath='p1.png'))
    boxes, _, source = read(tmp_path, 'labelme')
    assert {path.name: len(p.boxes) for path, p in source.pictures.items()} == {
        'p1.png': 0,
        'p2.png': 1,
    }
    assert 'in 2 JSON files, imagePath is not the image' in source.notes[0]
    assert 'as LabelMe does' in source.notes[0]
    # Renumbered together: the first names an image that is gone, the others the one before.
    write(tmp_path / 'p1.json', labelme(GOOD, imagePath='p0.png'))
    boxes, _, source = read(tmp_path, 'labelme')
    assert {path.name: len(p.boxes) for path, p in source.pictures.items()} == {
        'p1.png': 1,
        'p2.png': 0,
    }
    assert 'file names were used' in source.notes[0]


def voc(*objects, name='a.png', size='<size><width>100</width><height>80</height></size>', more=''):
    things = ''.join(
        '<object><name>dish</name><bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax>'
        '<ymax>{}</ymax></bndbox>{more}</object>'.format(*corners, more=more)
        for corners in objects
    )
    return f'<annotation><filename>{name}</filename>{size}{things}</annotation>'


ROTATED_90 = (
    '<attributes><attribute><name>rotation</name><value>90.0</value></attribute></attributes>'
)
ROBNDBOX = ('<annotation><object><name>dish</name><robndbox><cx>50</cx><cy>40</cy><w>20</w><h>10</h>'
            '<angle>1.5707963</angle></robndbox></object></annotation>')  # fmt: skip
POLYGON = ('<annotation><object><name>dish</name><deleted>0</deleted><polygon><pt><x>10</x><y>20</y></pt>'
           '<pt><x>30</x><y>40</y></pt></polygon></object></annotation>')  # fmt: skip


@pytest.mark.parametrize(
    ('text', 'boxes', 'reasons'),
    [
        (voc((11, 21, 30, 40)), [('dish', 10, 20, 30, 40)], []),
        (voc((30, 40, 11, 21)), [('dish', 10, 20, 30, 40)], []),
        (voc((0, 21, 30, 40)), [('dish', 0, 21, 30, 40)], []),
        (voc((11.5, 21, 30, 40)), [('dish', 11.5, 21, 30, 40)], []),
        (voc((0, 20, 40, 40), more=ROTATED_90), [('dish', 10, 10, 30, 50)], []),
        (ROBNDBOX, [('dish', 45, 30, 55, 50)], []),
        (POLYGON, [('dish', 10, 20, 30, 40)], []),
        (voc((11, 21, '', 40)), [], ['bndbox has no four numbers xmin, ymin, xmax, ymax']),
        (voc((11, 21, 30, 40)).replace('dish', ''), [], ['a shape without a class name']),
        (voc((11, 21, 30, 40), name='C:\\elsewhere\\a.png'), [('dish', 10, 20, 30, 40)], []),
        (voc((11, 21, 30, 40), name='renamed.png'), [('dish', 10, 20, 30, 40)], []),
        (voc((11, 21, 30, 40), size=''), [('dish', 10, 20, 30, 40)], []),
        ('<annotation>', [], None),
        ('<html></html>', [], ["not a Pascal VOC file: it has <html>"]),
    ],
)  # fmt: skip
def test_voc(tmp_path, text, boxes, reasons):
    draw(tmp_path / 'a.png')
    write(tmp_path / 'a.xml', text)
    found, why, source = read(tmp_path, 'voc')
    assert found == boxes
    assert why == reasons if reasons is not None else len(why) == 1
    assert not source.unannotated()


@pytest.mark.parametrize(
    ('lists', 'expected'),
    [
        ({'train': 'a 1\nb 2', 'val': 'c 3'}, {'a 1': 'train', 'b 2': 'train', 'c 3': 'val'}),
        ({'train': 'a 1  1\nb 2 -1', 'val': 'c 3  0'}, {'a 1': 'train', 'b 2': 'train', 'c 3': 'val'}),
        ({'Training': 'JPEGImages/a 1.png\nb 2.png', 'Validation set': './c 3'},
         {'a 1': 'train', 'b 2': 'train', 'c 3': 'val'}),
        ({'trainval': 'a 1\nb 2', 'test': 'c 3'}, {'a 1': 'train', 'b 2': 'train', 'c 3': 'test'}),
        ({'trainval': 'a 1\nb 2\nc 3', 'train': 'a 1', 'val': 'b 2'}, {'a 1': 'train', 'b 2': 'val', 'c 3': None}),
        ({'week1': 'a 1\nb 2', 'week2': 'c 3'}, {'a 1': 'week1', 'b 2': 'week1', 'c 3': 'week2'}),
        ({'default': 'a 1\nb 2\nc 3'}, {'a 1': None, 'b 2': None, 'c 3': None}),
    ],
)  # fmt: skip
def test_voc_keeps_its_splits(tmp_path, lists, expected):
    for name in expected:
        draw(tmp_path / 'JPEGImages' / f'{name}.png')
        write(tmp_path / 'Annotations' / f'{name}.xml', voc((11, 21, 30, 40), name=f'{name}.png'))
    for name, text in lists.items():
        write(tmp_path / 'ImageSets' / 'Main' / f'{name}.txt', f'{text}\n')
    _, _, source = read(tmp_path, 'voc')
    assert {path.stem: picture.split for path, picture in source.pictures.items()} == expected


BOMB = '<!DOCTYPE a [<!ENTITY x "x"><!ENTITY y "&x;&x;">]><annotation>&y;</annotation>'


def test_xml_bomb_is_not_unpacked(tmp_path):
    draw(tmp_path / 'a.png')
    write(tmp_path / 'a.xml', BOMB)
    draw(tmp_path / 'b.png')
    write(tmp_path / 'b.xml', voc((11, 21, 30, 40), name='b.png'))
    boxes, reasons, source = read(tmp_path, 'voc')
    assert [path.name for path in source.pictures] == ['b.png']
    assert reasons == ['XML with entity definitions, which are not supported']


@pytest.mark.parametrize(
    ('line', 'boxes', 'reason'),
    [
        ('0 0.5 0.5 0.2 0.5', [('dish', 40, 20, 60, 60)], None),
        ('0 0.5 0.5 0.2 0.5 0.93', [('dish', 40, 20, 60, 60)], None),
        ('1 0.1 0.1 0.3 0.1 0.3 0.5 0.1 0.5', [('lid', 10, 8, 30, 40)], None),
        ('1 0.1 0.1 0.3 0.1 0.3 0.5 0.1 0.5 0.9', [('lid', 10, 8, 30, 40)], None),
        ('', [], None),
        ('7 0.5 0.5 0.2 0.5', [], 'class 7 of 2, which are numbered from 0'),
        ('0.5 0.5 0.5 0.2 0.5', [], 'class 0.5 of 2, which are numbered from 0'),
        ('0 50 40 20 40', [], 'coordinates in pixels, expected fractions of the image from 0 to 1'),
        ('0 0.5 0.5 -0.2 0.5', [], 'a negative width or height'),
        ('0 nan 0.5 0.2 0.5', [], 'a coordinate that is not finite'),
        ('0 0.5 0.5', [], 'a line of fewer than five numbers'),
        ('dish 0.5 0.5 0.2 0.5', [], 'a line with something other than numbers'),
        ('0 0.5 0.5 0.2 0.5\n0 0.1', [], 'a line of fewer than five numbers'),
    ],
)
def test_yolo(tmp_path, line, boxes, reason):
    draw(tmp_path / 'images' / 'a.png')
    write(tmp_path / 'labels' / 'a.txt', f'{line}\n\n')
    write(tmp_path / 'data.yaml', 'names: {0: dish, 1: lid}\ntrain: ../images\n')
    found, why, source = read(tmp_path, 'yolo')
    assert found == boxes
    assert why == ([reason] if reason else [])
    assert bool(source.pictures) == (reason is None)
    assert all(s.detail.startswith('labels/a.txt, line') for s in source.skipped)


def test_yolo_keeps_its_splits_and_list_files(tmp_path):
    for split, name in (('train', 'a'), ('valid', 'b')):
        draw(tmp_path / split / 'images' / f'{name}.png')
        write(tmp_path / split / 'labels' / f'{name}.txt', '0 0.5 0.5 0.2 0.5\n')
    draw(tmp_path / 'more' / 'c.png')
    write(tmp_path / 'more' / 'c.txt', '0 0.5 0.5 0.2 0.5\n')
    write(tmp_path / 'test.txt', '/home/somebody/more/c.png\n')
    write(tmp_path / 'data.yaml', 'names: [dish]\nkpt_shape: [1, 2]\ntrain: ../train/images\n'
          'val: ../valid/images\ntest: test.txt\n')  # fmt: skip
    _, reasons, source = read(tmp_path, 'yolo')
    assert {p.path.stem: p.split for p in source.pictures.values()} == {
        'a': 'train', 'b': 'val', 'c': 'test'}  # fmt: skip
    assert not reasons


def test_yolo_an_emptied_split_with_a_full_folder_is_not_lost(tmp_path):
    for split in ('train', 'val', 'test'):
        draw(tmp_path / 'images' / split / f'{split}.png')
        write(tmp_path / 'labels' / split / f'{split}.txt', '0 0.5 0.5 0.2 0.5\n')
    write(tmp_path / 'data.yaml', 'names: [dish]\ntrain: images/train\nval: images/val\ntest:\n')
    _, _, source = read(tmp_path, 'yolo')
    assert {p.path.stem: p.split for p in source.pictures.values()} == {
        s: s for s in ('train', 'val', 'test')
    }


@pytest.mark.parametrize(
    ('image', 'label'),
    [
        ('images/a.png', 'labels/a.txt'),
        ('Images/a.png', 'Labels/a.txt'),
        ('IMAGES/train/a.PNG', 'LABELS/train/a.TXT'),
        ('train/images/a.png', 'train/labels/a.txt'),
        ('obj_train_data/a.png', 'obj_train_data/a.txt'),
        ('a.png', 'labels/a.txt'),
        ('photos/a.png', 'makesense export/a.txt'),
        ('dish.1.png', 'dish.1.txt'),
        ('dish.1.png', 'dish.1.png.txt'),
        ('images/Na\u0308pfe.png', 'labels/N\u00e4pfe.txt'),
        ('images/N\u00e4pfe.png', 'labels/Na\u0308pfe.txt'),
    ],
)
@pytest.mark.parametrize(
    'names', ['classes.txt', 'obj.names', 'train/_darknet.labels', 'plates.names']
)
def test_yolo_labels_are_found(tmp_path, image, label, names):
    draw(tmp_path / image)
    write(tmp_path / label, '0 0.5 0.5 0.2 0.5\n')
    write(tmp_path / names, 'dish\n')
    assert recognize(Folder(tmp_path)) == 'yolo'
    assert read(tmp_path, 'yolo')[0] == [('dish', 40, 20, 60, 60)]


def test_yolo_labels_without_their_image_are_named(tmp_path):
    for name in 'abc':
        draw(tmp_path / 'images' / f'{name}.png')
        write(tmp_path / 'labels' / f'{name}.txt', '0 0.5 0.5 0.2 0.5\n')
    draw(tmp_path / 'images' / 'IMG_4.png')
    write(tmp_path / 'labels' / 'gone.txt', '0 0.5 0.5 0.2 0.5\n')
    write(tmp_path / 'classes.txt', 'dish\n')
    _, _, source = read(tmp_path, 'yolo')
    assert [(s.what, s.reason) for s in source.skipped] == [
        ('labels/gone.txt', 'there is no image of its name')
    ]
    # It may be the fourth image's under its old name, which is then no image without a plate.
    assert not source.missing_is_negative
    (tmp_path / 'labels' / 'gone.txt').unlink()
    assert read(tmp_path, 'yolo')[2].missing_is_negative


def test_yolo_without_names_asks_for_them(tmp_path):
    draw(tmp_path / 'a.png')
    write(tmp_path / 'a.txt', '0 0.5 0.5 0.2 0.5\n')
    with pytest.raises(DataError, match=r'no class names. Add a classes.txt'):
        convert(tmp_path, tmp_path.parent / 'out')
    write(tmp_path / 'data.yaml', 'names: [dish\n')
    with pytest.raises(DataError, match=r'data.yaml cannot be read: invalid YAML'):
        convert(tmp_path, tmp_path.parent / 'out')


def test_yolo_corners_in_place_of_centers_are_recognized(tmp_path):
    draw(tmp_path / 'a.png')
    write(tmp_path / 'a.txt', '0 0.6 0.5 0.9 0.75\n0 0.1 0.5 0.3 1\n0 0.7 0.1 0.8 0.5')
    write(tmp_path / 'classes.txt', 'dish')
    boxes, _, source = read(tmp_path, 'yolo')
    assert boxes == [('dish', 60, 40, 90, 60), ('dish', 10, 40, 30, 80), ('dish', 70, 8, 80, 40)]
    assert source.notes == [
        'boxes are x1, y1, x2, y2 in place of center x, center y, width, height, and were converted accordingly'
    ]


CVAT = """<annotations><meta><task><labels><label><name>dish</name></label>
<label><name>blurred</name><type>tag</type></label></labels></task></meta>
<image id="0" name="sub/a.png" width="100" height="80" subset="Validation">{}</image></annotations>"""


@pytest.mark.parametrize(
    ('text', 'boxes', 'reasons'),
    [
        ('<box label="dish" xtl="10" ytl="20" xbr="30" ybr="40"/>', [('dish', 10, 20, 30, 40)], []),
        ('<box label="dish" xtl="10" ytl="20" xbr="50" ybr="40" rotation="90"/>',
         [('dish', 20, 10, 40, 50)], []),
        ('<polygon label="dish" points="10,20;30,25;20,60"/>', [('dish', 10, 20, 30, 60)], []),
        ('<ellipse label="dish" cx="50" cy="40" rx="20" ry="10" rotation="90"/>',
         [('dish', 40, 20, 60, 60)], []),
        ('<mask label="dish" rle="4" left="10" top="20" width="5" height="6"/>',
         [('dish', 10, 20, 15, 26)], []),
        ('<points label="dish" points="1,2"/>', [], [NONE + 'a points, which has no area']),
        ('<box label="dish" xtl="10"/>', [], ['a box without ytl']),
        ('<box xtl="10" ytl="20" xbr="30" ybr="40"/>', [], ['a shape without a class name']),
        ('<blob label="dish"/>', [], ['<blob> is an unknown shape']),
        ('<tag label="blurred"/>', [], []),
    ],
)  # fmt: skip
def test_cvat(tmp_path, text, boxes, reasons):
    draw(tmp_path / 'images' / 'a.png')
    write(tmp_path / 'annotations.xml', CVAT.format(text))
    found, why, source = read(tmp_path, 'cvat')
    assert (found, why) == (boxes, reasons)
    assert source.classes == ['dish']
    assert {picture.split for picture in source.pictures.values()} <= {'Validation'}
    assert any("'blurred' is not a class: a label of the type tag" in note for note in source.notes)


def test_cvat_tracks_are_refused_with_the_export_to_choose(tmp_path):
    draw(tmp_path / 'a.png')
    write(tmp_path / 'a.xml', '<annotations><track id="0" label="dish"/></annotations>')
    with pytest.raises(DataError, match="export as 'CVAT for images 1.1'"):
        convert(tmp_path, tmp_path.parent / 'out')


def coco(*annotations, **image):
    return json.dumps(
        {
            'images': [{'id': 0, 'file_name': 'a.png', **image}],
            'annotations': [{'image_id': 0, 'category_id': 0, **a} for a in annotations],
            'categories': [{'id': 0, 'name': 'dish'}],
        }
    )


@pytest.mark.parametrize(
    ('text', 'boxes', 'reasons'),
    [
        (coco({'bbox': [10, 20, 5, 6]}), [('dish', 10, 20, 15, 26)], []),
        (coco({'bbox': ['10', '20', '5', '6']}), [('dish', 10, 20, 15, 26)], []),
        (coco({'bbox': [0, 20, 40, 20], 'attributes': {'rotation': 90.0}}), [('dish', 10, 10, 30, 50)], []),
        (coco({'bbox': [0, 20, 40, 20], 'attributes': {'occluded': False}}), [('dish', 0, 20, 40, 40)], []),
        (coco({'segmentation': [[10, 20, 30, 25, 20, 60]]}), [('dish', 10, 20, 30, 60)], []),
        (coco({'bbox': [], 'segmentation': [10, 20, 30, 25, 20, 60]}), [('dish', 10, 20, 30, 60)], []),
        (coco({'bbox': [], 'segmentation': [[10, 20], [30, 25], [20, 60]]}), [('dish', 10, 20, 30, 60)], []),
        (coco({'bbox': {'x': 10, 'y': 20, 'width': 5, 'height': 6}}), [('dish', 10, 20, 15, 26)], []),
        (coco({'bbox': {'xmin': 10, 'ymin': 20, 'xmax': 15, 'ymax': 26}}), [('dish', 10, 20, 15, 26)], []),
        (coco({'bbox': {'left': 10, 'top': 20, 'w': 5, 'h': 6}}), [('dish', 10, 20, 15, 26)], []),
        (coco({'bbox': [0.25, 0.5, 0.25, 0.125]}), [('dish', 25, 40, 50, 50)], []),
        (coco({'bbox': [10, 20, 15, 26], 'area': 30}), [('dish', 10, 20, 15, 26)], []),
        (coco({'bbox': [10, 20, 5, 6]}, {'bbox': [10, 20, 5, 6]}), [('dish', 10, 20, 15, 26)], ['the same box twice']),
        (coco({'bbox': [10, 20, 5, 6]}, width=0, height=0), [('dish', 10, 20, 15, 26)], []),
        (coco({'bbox': {'x': 10}}), [], ['bbox has no numbers x, y, width and height']),
        (coco({'bbox': [10, 20, 5]}), [], ['bbox is not four numbers x, y, width, height']),
        (coco({'bbox': [], 'segmentation': {'counts': 'abc', 'size': [80, 100]}}), [], ['no bbox']),
        (coco({'bbox': [10, 20, 5, 6], 'category_id': 9}), [], ['category_id is 9, which is not listed']),
        (coco({'bbox': [10, 20, 5, 6], 'category_id': None}), [], ['category_id is null']),
        (coco({'bbox': [10, 20, 5, 6], 'image_id': 9}), [], ['an annotation of an image that is not listed']),
        (coco(file_name='b.png'), [], ['there is no image of that name']),
    ],
)  # fmt: skip
def test_coco(tmp_path, text, boxes, reasons):
    draw(tmp_path / 'photos' / 'a.png')
    write(tmp_path / 'b.json', text)
    found, why, source = read(tmp_path, 'coco')
    assert found == boxes
    assert why == reasons
    negative = reasons == ['an annotation of an image that is not listed']
    assert bool(source.pictures) == bool(boxes or negative)


def test_coco_corners_are_recognized_by_the_images(tmp_path):
    draw(tmp_path / 'a.png')
    write(tmp_path / 'a.json', coco(
        *({'bbox': box} for box in ([60, 20, 90, 70], [50, 50, 80, 70], [5, 10, 20, 30])),
        width=100, height=80))  # fmt: skip
    boxes, _, source = read(tmp_path, 'coco')
    assert boxes == [('dish', 60, 20, 90, 70), ('dish', 50, 50, 80, 70), ('dish', 5, 10, 20, 30)]
    assert source.notes == ['a.json: bbox holds x1, y1, x2, y2, and was converted accordingly']


@pytest.mark.parametrize(
    ('crowds', 'expected'), [((1, 1), (False, False)), ((1, 0), (True, False))]
)
def test_coco_of_crowds_alone_is_not_believed(tmp_path, crowds, expected):
    draw(tmp_path / 'a.png')
    boxes = ({'bbox': [10 * k, 20, 5, 6], 'iscrowd': crowd} for k, crowd in enumerate(crowds))
    write(tmp_path / 'a.json', coco(*boxes))
    _, _, source = read(tmp_path, 'coco')
    [picture] = source.pictures.values()
    assert tuple(box.crowd for box in picture.boxes) == expected
    assert any('every box is marked iscrowd' in note for note in source.notes) == all(crowds)


def one_class(label, *boxes):
    return json.dumps(
        {
            'images': [{'id': 7, 'file_name': 'a.png'}],
            'annotations': [{'image_id': 7, 'category_id': 1, 'bbox': box} for box in boxes],
            'categories': [{'id': 1, 'name': label}],
        }
    )


def test_coco_files_of_one_image_are_merged(tmp_path):
    draw(tmp_path / 'images' / 'a.png')
    write(tmp_path / 'dish.json', one_class('dish', [10, 20, 5, 6]))
    write(tmp_path / 'lid.json', one_class('lid', [10, 20, 5, 6]))
    write(tmp_path / 'dish again.json', one_class('dish', [10.2, 20, 5, 6], [50, 20, 5, 6]))
    boxes, reasons, _ = read(tmp_path, 'coco')
    assert sorted(boxes)[1:] == [('dish', 50, 20, 55, 26), ('lid', 10, 20, 15, 26)]
    assert not reasons
    write(tmp_path / 'another.json', one_class('dish', [11.5, 20, 5, 6]))
    assert read(tmp_path, 'coco')[:2] == ([], ['annotated differently in several files'])


def test_image_in_two_splits_is_not_trained_on(tmp_path):
    for name in 'abc':
        draw(tmp_path / 'images' / f'{name}.png')
    for split, names in (('train', 'abc'), ('val', 'bc'), ('all', 'abc')):
        images = [{'id': name, 'file_name': f'{name}.png'} for name in names]
        boxes = [{'image_id': name, 'category_id': 1, 'bbox': [1, 1, 9, 9]} for name in names]
        categories = [{'id': 1, 'name': 'dish'}]
        content = {'images': images, 'annotations': boxes, 'categories': categories}
        write(tmp_path / f'{split}.json', json.dumps(content))
    _, _, source = read(tmp_path, 'coco')
    assert [picture.split for picture in source.pictures.values()] == ['train', 'val', 'val']
    assert source.notes == ['an image that is in train and val was kept in val only (2 times)']


def test_root_category_of_roboflow_is_no_class(tmp_path):
    draw(tmp_path / 'train' / 'a.png')
    content = json.loads(coco({'bbox': [10, 20, 5, 6], 'category_id': 1}))
    content['categories'] = [
        {'id': 0, 'name': 'plates-5xQf', 'supercategory': 'none'},
        {'id': 1, 'name': 'dish', 'supercategory': 'plates-5xQf'},
        {'id': 2, 'name': 'lid', 'supercategory': 'plates-5xQf'},
    ]
    write(tmp_path / 'train' / '_annotations.coco.json', json.dumps(content))
    _, _, source = read(tmp_path, 'coco')
    assert source.classes == ['dish', 'lid']
    assert "'plates-5xQf' is not a class" in source.notes[0]
    content['annotations'].append({'image_id': 0, 'category_id': 0, 'bbox': [50, 50, 9, 9]})
    write(tmp_path / 'train' / '_annotations.coco.json', json.dumps(content))
    assert read(tmp_path, 'coco')[2].classes == ['plates-5xQf', 'dish', 'lid']


def test_no_file_from_outside_is_read(tmp_path):
    draw(tmp_path / 'outside' / 'secret.png')
    draw(tmp_path / 'src' / 'a.png')
    (tmp_path / 'src' / 'link.png').symlink_to(tmp_path / 'outside' / 'secret.png')
    names = ['a.png', '../outside/secret.png', str(tmp_path / 'outside' / 'secret.png'), 'link.png']
    images = [{'id': k, 'file_name': name} for k, name in enumerate(names)]
    content = {'images': images, 'annotations': [], 'categories': [{'id': 1, 'name': 'dish'}]}
    write(tmp_path / 'src' / 'a.json', json.dumps(content))
    _, reasons, source = read(tmp_path / 'src', 'coco')
    assert [path.name for path in source.pictures] == ['a.png']
    assert len(reasons) == 3
    assert [path.name for path, _ in source.folder.ignored] == ['link.png']


def save_mask(path, *regions, mode='L'):
    mask = np.zeros((80, 100), np.uint8)
    for value, (left, top, right, bottom) in regions:
        mask[top:bottom, left:right] = value
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(mask)
    if mode == 'P':
        image.putpalette([v for k in range(256) for v in (k, 255 - k, 7)])
    image.save(path)


@pytest.mark.parametrize(
    ('image', 'mask'),
    [
        ('train/rgb-imgs/000000000-rgb.png', 'train/segmentation-masks/000000000-segmentation-mask.png'),
        ('rgb-imgs/000000000-input-img.png', 'segmentation-masks/000000000-mask.png'),
        ('d435/000000000-transparent-rgb-img.png', 'd435/000000000-mask.png'),
        ('PNGImages/Fudan1.png', 'PedMasks/Fudan1_mask.png'),
        ('images/a.png', 'masks/a.png'),
        ('Images/a.png', 'Masks/a.png'),
    ],
)  # fmt: skip
def test_masks(tmp_path, image, mask):
    draw(tmp_path / image)
    first, second = (10, 20, 30, 40), (30, 20, 60, 40)
    save_mask(tmp_path / mask, (1, first), (2, second), mode='P')
    assert recognize(Folder(tmp_path)) == 'masks'
    boxes, reasons, source = read(tmp_path, 'masks')
    assert boxes == [('object', *first), ('object', *second)]
    assert not reasons
    save_mask(tmp_path / mask, (255, first), (255, (50, 50, 70, 60)), (255, (90, 0, 92, 2)))
    boxes, _, source = read(tmp_path, 'masks')
    assert boxes == [('object', *first), ('object', 50, 50, 70, 60)]
    assert 'connected component' in source.notes[0]
    assert not source.unannotated()


def test_image_with_a_broken_mask_is_skipped(tmp_path):
    draw(tmp_path / 'images' / 'a.png')
    draw(tmp_path / 'images' / 'b.png')
    save_mask(tmp_path / 'masks' / 'a.png', (1, (10, 20, 30, 40)))
    write(tmp_path / 'masks' / 'b.png', 'cut off')
    boxes, reasons, source = read(tmp_path, 'masks')
    assert len(boxes) == len(source.pictures) == 1
    assert reasons == ['its mask has several channels or is broken']
    assert not source.unannotated()


def rectangle(label='dish', **value):
    """Of 100 x 80 pixels; Label Studio counts in percent."""
    sides = {'x': 10, 'y': 25, 'width': 20, 'height': 25, 'rotation': 0, **value}
    size = {'original_width': 100, 'original_height': 80, 'image_rotation': 0}
    return {'id': 'r1', 'type': 'rectanglelabels', **size,
            'value': {**sides, 'rectanglelabels': [label]}}  # fmt: skip


def result(kind, value):
    return {**rectangle(), 'type': kind, 'value': value}


RECTANGLE_BOX = ('dish', 10, 20, 30, 40)
UNNAMED = result('rectangle', {'x': 10, 'y': 25, 'width': 20, 'height': 25})


@pytest.mark.parametrize(
    ('results', 'boxes', 'reasons'),
    [
        ([rectangle()], [RECTANGLE_BOX], []),
        # Rotated clockwise about the upper left corner.
        ([rectangle(x=50, y=25, rotation=90)], [('dish', 30, 20, 50, 40)], []),
        ([result('ellipselabels', {'x': 50, 'y': 50, 'radiusX': 10, 'radiusY': 25, 'ellipselabels': ['dish']})],
         [('dish', 40, 20, 60, 60)], []),
        ([result('polygonlabels', {'points': [[10, 25], [30, 25], [20, 50]], 'polygonlabels': ['dish']})],
         [RECTANGLE_BOX], []),
        # The class may be in a result of its own.
        ([UNNAMED, result('labels', {'labels': ['dish']})], [RECTANGLE_BOX], []),
        ([UNNAMED], [], ['a shape without a class name']),
        ([rectangle(), result('keypointlabels', {'x': 1, 'y': 1})], [RECTANGLE_BOX], ['a keypointlabels, which has no area']),
        ([rectangle(), {**rectangle(), 'type': 'choices', 'value': {'choices': ['blurred']}}], [RECTANGLE_BOX], []),
        ([result('brushlabels', {'rle': [1]})], [], ['a result of the type brushlabels, which is not read: export as COCO instead']),
        ([{**rectangle(), 'image_rotation': 90}], [], ['an image that was rotated in Label Studio']),
        ([], [], []),  # looked at, and nothing there
    ],
)  # fmt: skip
def test_labelstudio(tmp_path, results, boxes, reasons):
    draw(tmp_path / 'a.png')
    task = {
        'data': {'image': '/data/upload/3/0a1b2c3d-a.png'},
        'annotations': [{'result': results}],
    }
    write(tmp_path / 'tasks.json', json.dumps([task]))
    assert recognize(Folder(tmp_path)) == 'labelstudio'
    found, why, source = read(tmp_path, 'labelstudio')
    assert (found, why) == (boxes, reasons)
    assert not source.unannotated()


def test_labelstudio_takes_annotations_before_predictions(tmp_path):
    for name in 'abc':
        draw(tmp_path / f'{name}.png')
    predicted = {'predictions': [{'result': [rectangle('guess')]}]}
    cancelled = {'was_cancelled': True, 'result': []}
    tasks = [
        {'data': {'image': 'a.png'}, **predicted, 'annotations': [{'result': [rectangle()]}]},
        {'data': {'photo': 'b.png'}, **predicted, 'annotations': [cancelled]},
        {'data': {'image': 'c.png'}, **predicted},
    ]
    write(tmp_path / 'tasks.json', json.dumps(tasks))
    boxes, _, source = read(tmp_path, 'labelstudio')
    assert boxes == [RECTANGLE_BOX]
    assert [path.name for path in source.unannotated()] == ['b.png', 'c.png']


def test_labelstudio_predictions_alone_are_read_with_a_note(tmp_path):
    draw(tmp_path / 'a.png')
    task = {'data': {'image': 'a.png'}, 'predictions': [{'result': [rectangle()]}]}
    write(tmp_path / 'tasks.json', json.dumps([task]))
    boxes, _, source = read(tmp_path, 'labelstudio')
    assert boxes == [RECTANGLE_BOX]
    assert 'predictions only' in source.notes[0]


def test_what_is_not_recognized_is_said(tmp_path):
    draw(tmp_path / 'a.png')
    with pytest.raises(
        DataError, match=r'holds 1 files \(.png\), but none of these formats:\n +labelme'
    ):
        recognize(Folder(tmp_path))


@pytest.mark.parametrize(
    ('name', 'text', 'hint'),
    [
        ('a.json', '{"images": [', 'a.json cannot be read: invalid JSON'),
        ('a.json', '[{"id": 1, "data": {}}]', "Label Studio's JSON without annotations"),
        ('a.json', '[{"image": "a.png", "annotations": []}]', 'CreateML'),
        ('a.json', '{"_via_img_metadata": {}}', "VIA's project"),
        ('a.csv', 'filename,xmin', 'CSV is not read'),
    ],
)
def test_other_formats_name_what_to_export(tmp_path, name, text, hint):
    draw(tmp_path / 'a.png')
    write(tmp_path / name, text)
    with pytest.raises(DataError, match=hint):
        recognize(Folder(tmp_path))


def test_several_formats_have_to_be_chosen_from(toy_plates, tmp_path):
    labelformat_yolo(toy_plates, tmp_path / 'src')
    labelformat_voc(toy_plates, tmp_path / 'src')
    with pytest.raises(ConfigError, match='several formats: voc, yolo. Choose one with --format'):
        convert(tmp_path / 'src', tmp_path / 'out')
    options = ConversionOptions(format_name='yolo')
    assert convert(tmp_path / 'src', tmp_path / 'out', options).format == 'yolo'
