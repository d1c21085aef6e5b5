"""The drawn plates in other formats, written by other people's libraries."""

import json
import shutil
from collections import defaultdict
from pathlib import Path

import supervision as sv
from labelformat.formats.coco import COCOObjectDetectionInput
from labelformat.formats.cvat import CVATObjectDetectionOutput
from labelformat.formats.pascalvoc import PascalVOCObjectDetectionOutput
from labelformat.formats.yolov8 import YOLOv8ObjectDetectionOutput
from PIL import Image


def draw(path, size=(100, 80), orientation=None):
    """Save a gray image, perhaps with an EXIF orientation."""
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    if orientation:
        exif[0x0112] = orientation
    Image.new('RGB', size, (200, 200, 200)).save(path, exif=exif)


def write(path, text, encoding='utf-8'):
    """Write a text file; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding=encoding)


def boxes_by_image(*ann_files):
    """Class and box of every annotation, by the stem of the image's name."""
    found = defaultdict(list)
    for path in ann_files:
        coco = json.loads(Path(path).read_text())
        names = {category['id']: category['name'] for category in coco['categories']}
        stems = {image['id']: Path(image['file_name']).stem for image in coco['images']}
        for stem in stems.values():
            found[stem] += []
        for a in coco['annotations']:
            found[stems[a['image_id']]].append((names[a['category_id']], *a['bbox']))
    return {stem: sorted(boxes) for stem, boxes in found.items()}


def converted_boxes(out):
    return boxes_by_image(*sorted((out / 'annotations').glob('*.json')))


def _labelformat(plates):
    return COCOObjectDetectionInput(plates / 'annotations' / 'train.json')


def _supervision(plates):
    return sv.DetectionDataset.from_coco(
        str(plates / 'train'), str(plates / 'annotations' / 'train.json')
    )


def labelformat_yolo(plates, out):
    shutil.copytree(plates / 'train', out / 'images')
    YOLOv8ObjectDetectionOutput(out / 'data.yaml', 'train').save(_labelformat(plates))


def labelformat_voc(plates, out):
    shutil.copytree(plates / 'train', out / 'JPEGImages')
    PascalVOCObjectDetectionOutput(out / 'Annotations').save(_labelformat(plates))


def labelformat_cvat(plates, out):
    shutil.copytree(plates / 'train', out / 'images')
    CVATObjectDetectionOutput(out).save(_labelformat(plates))


def supervision_yolo(plates, out):
    _supervision(plates).as_yolo(str(out / 'images'), str(out / 'labels'), str(out / 'data.yaml'))


def supervision_voc(plates, out):
    _supervision(plates).as_pascal_voc(str(out / 'images'), str(out / 'annotations'))


def supervision_labelme(plates, out):
    _supervision(plates).as_labelme(str(out / 'images'), str(out))


def coco_with_other_names(plates, out):
    shutil.copytree(plates / 'train', out / 'photos')
    shutil.copy(plates / 'annotations' / 'train.json', out / 'export of tuesday.json')


def label_studio(plates, out):
    """As Label Studio exports COCO: ids from 0, folders of its server, a prefix on uploads."""
    (out / 'images').mkdir(parents=True)
    coco = json.loads((plates / 'annotations' / 'train.json').read_text())
    for k, image in enumerate(coco['images']):
        name = f'{k:08x}-{image["file_name"]}'
        shutil.copy(plates / 'train' / image['file_name'], out / 'images' / image['file_name'])
        image['file_name'] = f'..\\..\\label-studio\\data\\media\\upload\\3\\{name}'
    for k, annotation in enumerate(coco['annotations']):
        annotation.update(id=k, segmentation=[], ignore=0)
    for category in coco['categories']:
        category['id'] -= 1
    for annotation in coco['annotations']:
        annotation['category_id'] -= 1
    (out / 'result.json').write_text(json.dumps(coco))


SOURCES = {
    'yolo': (labelformat_yolo, supervision_yolo),
    'voc': (labelformat_voc, supervision_voc),
    'cvat': (labelformat_cvat,),
    'labelme': (supervision_labelme,),
    'coco': (coco_with_other_names, label_studio),
}
CASES = [(name, write) for name, writers in SOURCES.items() for write in writers]
