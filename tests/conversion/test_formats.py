"""Every format's own shapes and faults, on images that are drawn here."""

import json

import numpy as np
import pytest
from PIL import Image

from mmdet_cleargrasp.conversion import FORMATS, Folder, convert, recognize
from mmdet_cleargrasp.utils.errors import ConfigError, DataError
from tests.conversion.sources import labelformat_voc, labelformat_yolo


def draw(path, size=(100, 80)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new('RGB', size, (200, 200, 200)).save(path)


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def read(root, name):
    source = FORMATS[name].read(Folder(root)).finish()
    boxes = [
        (b.label, round(b.left, 2), round(b.top, 2), round(b.right, 2), round(b.bottom, 2))
        for picture in source.pictures.values()
        for b in picture.boxes
    ]
    return boxes, [skipped.reason for skipped in source.skipped], source


def labelme(*shapes, **values):
    content = {'shapes': list(shapes), 'imagePath': 'a.png', 'imageWidth': 100, 'imageHeight': 80}
    return json.dumps({**content, **values})


def shape(kind, points, **values):
    return {'label': 'dish', 'shape_type': kind, 'points': points, **values}


@pytest.mark.parametrize(
    ('text', 'boxes', 'reasons'),
    [
        (labelme(shape('rectangle', [[30, 40], [10, 20]])), [('dish', 10, 20, 30, 40)], []),
        (labelme(shape('polygon', [[10, 20], [30, 25], [20, 60]])), [('dish', 10, 20, 30, 60)], []),
        (labelme(shape('circle', [[50, 40], [53, 44]])), [('dish', 45, 35, 55, 45)], []),
        (labelme(shape('circle', [[50, 40], [80, 40]])), [('dish', 20, 10, 80, 70)], []),
        (labelme(shape('circle', [[50, 40], [90, 40]])), [('dish', 10, 0, 90, 80)], []),
        (labelme(shape('rectangle', [[1, 1], [9, 9]], group_id=1), shape('rectangle', [[20, 1], [30, 9]], group_id=1)),
         [('dish', 1, 1, 30, 9)], []),
        (labelme(shape('point', [[1, 1]])), [], ['a shape: point is no outline']),
        (labelme({'points': []}), [], ["a shape: 'label' is missing"]),
        (labelme(shape('polygon', [])), [], ['a shape: no points']),
        (labelme(shape('polygon', [[1, 'x']])), [], ["a shape: could not convert string to float: 'x'"]),
        (labelme(shape('rectangle', [[1, 1], [float('nan'), 9]])), [], ['a shape: a point that is not finite']),
        (labelme(shape('rectangle', [[200, 1], [300, 9]])), [], ['box outside its image']),
        (labelme(shape('rectangle', [[2, 1], [2.5, 9]])), [], ['box of less than a pixel']),
    ],
)  # fmt: skip
def test_labelme(tmp_path, text, boxes, reasons):
    draw(tmp_path / 'a.png')
    write(tmp_path / 'a.json', text)
    assert read(tmp_path, 'labelme')[:2] == (boxes, reasons)


@pytest.mark.parametrize(
    ('size', 'reason'),
    [((80, 100), 'annotated as 80 x 100: it was turned since'), ((50, 40), 'annotated as 50 x 40')],
)
def test_image_of_another_size_than_annotated_is_left_out(tmp_path, size, reason):
    draw(tmp_path / 'a.png')
    draw(tmp_path / 'b.png')
    rectangle = shape('rectangle', [[1, 1], [9, 9]])
    write(tmp_path / 'a.json', labelme(rectangle, imageWidth=size[0], imageHeight=size[1]))
    write(tmp_path / 'b.json', labelme(rectangle, imagePath='b.png'))
    boxes, reasons, _ = read(tmp_path, 'labelme')
    assert len(boxes) == 1
    assert reasons == [f'image of 100 x 80 pixels, {reason}']


def voc(*objects, name='a.png'):
    things = ''.join(
        '<object><name>dish</name><bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax>'
        '<ymax>{}</ymax></bndbox></object>'.format(*corners)
        for corners in objects
    )
    size = '<size><width>100</width><height>80</height></size>'
    return f'<annotation><filename>{name}</filename>{size}{things}</annotation>'


@pytest.mark.parametrize(
    ('text', 'boxes', 'reasons'),
    [
        (voc((11, 21, 30, 40)), [('dish', 10, 20, 30, 40)], []),
        (voc((30, 40, 11, 21)), [('dish', 10, 20, 30, 40)], []),
        (voc((0, 21, 30, 40)), [('dish', 0, 21, 30, 40)], []),
        (voc((11.5, 21, 30, 40)), [('dish', 11.5, 21, 30, 40)], []),
        (voc((11, 21, '', 40)), [], ['an object: bndbox has no four numbers xmin, ymin, xmax, ymax']),
        (voc((11, 21, 30, 40)).replace('dish', ''), [], ['an object: no name']),
        (voc((11, 21, 30, 40), name='C:\\elsewhere\\a.png'), [('dish', 10, 20, 30, 40)], []),
        (voc((11, 21, 30, 40), name='renamed.png'), [('dish', 10, 20, 30, 40)], []),
    ],
)  # fmt: skip
def test_voc(tmp_path, text, boxes, reasons):
    draw(tmp_path / 'a.png')
    write(tmp_path / 'a.xml', text)
    assert read(tmp_path, 'voc')[:2] == (boxes, reasons)


def test_voc_keeps_its_splits(tmp_path):
    for name in 'abc':
        draw(tmp_path / 'JPEGImages' / f'{name}.png')
        write(tmp_path / 'Annotations' / f'{name}.xml', voc((11, 21, 30, 40), name=f'{name}.png'))
    write(tmp_path / 'ImageSets' / 'Main' / 'train.txt', 'a\nb\n')
    write(tmp_path / 'ImageSets' / 'Main' / 'val.txt', 'c\n')
    _, _, source = read(tmp_path, 'voc')
    assert [picture.split for picture in source.pictures.values()] == ['train', 'train', 'val']


BOMB = '<!DOCTYPE a [<!ENTITY x "x"><!ENTITY y "&x;&x;">]><annotation>&y;</annotation>'


def test_xml_bomb_is_not_unpacked(tmp_path):
    draw(tmp_path / 'a.png')
    write(tmp_path / 'a.xml', BOMB)
    draw(tmp_path / 'b.png')
    write(tmp_path / 'b.xml', voc((11, 21, 30, 40), name='b.png'))
    boxes, reasons, _ = read(tmp_path, 'voc')
    assert len(boxes) == 1
    assert reasons == ["no XML of Pascal VOC's"]


@pytest.mark.parametrize(
    ('line', 'boxes', 'reasons'),
    [
        ('0 0.5 0.5 0.2 0.5', [('dish', 40, 20, 60, 60)], []),
        ('1 0.1 0.1 0.3 0.1 0.3 0.5 0.1 0.5', [('lid', 10, 8, 30, 40)], []),
        ('7 0.5 0.5 0.2 0.5', [], ['class 7 of 2']),
        ('0 0.5 0.5 -0.2 0.5', [], None),
        ('0 nan 0.5 0.2 0.5', [], None),
        ('0 0.5 0.5', [], None),
        ('dish 0.5 0.5 0.2 0.5', [], None),
    ],
)
def test_yolo(tmp_path, line, boxes, reasons):
    draw(tmp_path / 'images' / 'a.png')
    write(tmp_path / 'labels' / 'a.txt', f'{line}\n\n')
    write(tmp_path / 'data.yaml', 'names: {0: dish, 1: lid}\ntrain: ../images\n')
    found, why, source = read(tmp_path, 'yolo')
    assert found == boxes
    assert why == reasons if reasons is not None else len(why) == 1
    assert all(skipped.what == 'labels/a.txt, line 1' for skipped in source.skipped)


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


CVAT = """<annotations><meta><task><labels><label><name>dish</name></label></labels></task></meta>
<image id="0" name="sub/a.png" width="100" height="80">{}</image></annotations>"""


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
        ('<points label="dish" points="1,2"/>', [], ['a shape: points is no outline']),
        ('<box label="dish" xtl="10"/>', [], ['a box without its numbers']),
        ('<tag label="blurred"/>', [], []),
    ],
)  # fmt: skip
def test_cvat(tmp_path, text, boxes, reasons):
    draw(tmp_path / 'images' / 'a.png')
    write(tmp_path / 'annotations.xml', CVAT.format(text))
    found, why, source = read(tmp_path, 'cvat')
    assert (found, why) == (boxes, reasons)
    assert source.classes[0] == 'dish'


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
        (coco({'segmentation': [[10, 20, 30, 25, 20, 60]]}), [('dish', 10, 20, 30, 60)], []),
        (coco({'id': 4, 'bbox': [10, 20, 5]}), [], None),
        (coco({'id': 4, 'bbox': [10, 20, 5, 6], 'category_id': 9}), [],
         ['annotation 4: category 9 is not listed']),
        (coco({'bbox': [10, 20, 5, 6], 'image_id': 9}), [],
         ['annotation of image 9, which is not listed']),
        (coco({'bbox': [10, 20, 5, 6]}, width=0, height=0), [('dish', 10, 20, 15, 26)], []),
    ],
)  # fmt: skip
def test_coco(tmp_path, text, boxes, reasons):
    draw(tmp_path / 'photos' / 'a.png')
    write(tmp_path / 'b.json', text)
    found, why, _ = read(tmp_path, 'coco')
    assert found == boxes
    assert why == reasons if reasons is not None else len(why) == 1


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
    assert [path.name for path in source.folder.links_out] == ['link.png']


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
    assert 'connected parts' in source.notes[0]
    assert not source.unannotated()


def test_what_is_not_recognized_is_said(tmp_path):
    draw(tmp_path / 'a.png')
    with pytest.raises(
        DataError, match=r'holds 1 files \(.png\), but none of these formats:\n +labelme'
    ):
        recognize(Folder(tmp_path))


def test_several_formats_have_to_be_chosen_from(toy_plates, tmp_path):
    labelformat_yolo(toy_plates, tmp_path / 'src')
    labelformat_voc(toy_plates, tmp_path / 'src')
    with pytest.raises(ConfigError, match='several formats: voc, yolo. Choose one with --format'):
        convert(tmp_path / 'src', tmp_path / 'out')
    assert convert(tmp_path / 'src', tmp_path / 'out', format_name='yolo').format == 'yolo'
