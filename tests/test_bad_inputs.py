"""The table of bad inputs: what comes in, what is said, and that nothing else happens.

Every case runs a command line in this process, as `python tools/...` would: the message is there,
the exit status is right, and no exception but SystemExit leaves it. docs/messages.md holds the
table; `python -m tests.test_bad_inputs` prints it.
"""

import json
import pickle
import re
import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from mmdet.registry import MODELS
from mmengine.registry import init_default_scope
from PIL import Image

from benchmarks import __main__ as benchmark
from mmdet_cleargrasp.datasets.toy_plates import CLASSES, write_toy_plates
from mmdet_cleargrasp.engine.run_config import load_config
from mmdet_cleargrasp.models.backbones import ClearGraspResNet
from tests.conftest import ROOT
from tests.datasets.test_images import png_of_size

DOCTOR, TRAIN, TEST = 'tools/doctor.py', 'tools/train.py', 'tools/test.py'
TO_COCO = 'tools/dataset_converters/to_coco.py'
BROWSE = 'tools/analysis_tools/browse_dataset.py'
#: Exit status by outcome; "goes on" means that a warning is printed and the check passes.
STATUS = {'refused': 1, 'usage': 2, 'goes on': 0}


@dataclass(frozen=True)
class Case:
    """A bad input: `prepare` spoils what is in the workspace and returns the command line."""

    area: str
    what: str
    message: str
    prepare: object
    outcome: str = 'refused'


@dataclass
class Workspace:
    """A drawn data set, a config and files that a case may spoil."""

    folder: Path
    config: Path
    backbone: Path
    detector: Path

    @property
    def data(self):
        return self.folder / 'plates'

    @property
    def train_json(self):
        return self.data / 'annotations' / 'train.json'

    @property
    def image(self):
        return self.data / 'train' / '0001.jpg'

    def edit(self, change):
        coco = json.loads(self.train_json.read_text())
        change(coco)
        self.train_json.write_text(json.dumps(coco))

    def doctor(self, *arguments):
        return [DOCTOR, self.config, '--data-root', self.data, *arguments]

    def options(self, *pairs):
        return self.doctor('--cfg-options', *pairs)

    def with_config(self, text):
        path = self.folder / 'mine.py'
        path.write_text(text)
        return [DOCTOR, path, '--data-root', self.data]

    def changed_config(self, text):
        return self.with_config(f'_base_ = {str(self.config)!r}\n{text}\n')

    def backbone_file(self, content):
        return self.options(f'model.backbone.init_cfg.checkpoint={self._file(content)}')

    def checkpoint(self, content):
        return self.doctor('--checkpoint', self._file(content))

    def _file(self, content):
        path = self.folder / 'file.pth'
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            torch.save(content, path)
        return path


# ------------------------------------------------------------------------------ annotations


def annotation(change):
    def prepare(space):
        space.edit(change)
        return space.doctor()

    return prepare


def text(content):
    def prepare(space):
        space.train_json.write_bytes(content)
        return space.doctor()

    return prepare


def first(section, **values):
    return annotation(lambda coco: coco[section][0].update(values))


def without(section, key):
    return annotation(lambda coco: coco[section][0].pop(key))


def copied(section, **values):
    return annotation(lambda coco: coco[section].append({**coco[section][0], **values}))


def box(*values):
    return first('annotations', bbox=list(values))


def all_boxes(**values):
    return annotation(lambda coco: [a.update(values) for a in coco['annotations']])


def both(change):
    def prepare(space):
        for split in ('train', 'val'):
            path = space.data / 'annotations' / f'{split}.json'
            coco = json.loads(path.read_text())
            change(coco)
            path.write_text(json.dumps(coco))
        return space.doctor()

    return prepare


def many_categories(coco):
    coco['categories'] = [{'id': k, 'name': f'class_{k}'} for k in range(100_000)]


def corners(coco):
    for a in coco['annotations']:
        x, y, width, height = a['bbox']
        a['bbox'] = [x, y, x + width, y + height]


HUGE = 10**400

ANNOTATIONS = [
    Case('annotations', 'JSON that breaks off', 'is not valid JSON', text(b'{"images": [')),
    Case('annotations', 'empty file', 'is not valid JSON', text(b'')),
    Case('annotations', 'binary file', 'is not valid JSON', text(b'\xff\xd8\xff\xe0')),
    Case('annotations', 'JSON nested 100,000 deep', 'is not valid JSON', text(b'[' * 100_000)),
    Case('annotations', 'a number of 5,000 digits', 'is not valid JSON', text(b'9' * 5000)),
    Case('annotations', 'a list', 'holds a list, expected a COCO dict', text(b'[1]')),
    Case('annotations', 'no lists', "has no list 'images'", text(b'{}')),
    Case('annotations', 'no categories', "has no list 'categories'", annotation(lambda c: c.pop('categories'))),
    Case('annotations', 'an empty list of categories', 'lists no categories', both(lambda c: c['categories'].clear())),
    Case('annotations', 'image without width', 'ready to run', without('images', 'width'), 'goes on'),
    Case('annotations', 'image that is a number', "lacks 'id'", annotation(lambda c: c['images'].append(3))),
    Case('annotations', 'image id that is a list', 'id=[1], expected int | str', first('images', id=[1])),
    Case('annotations', 'file_name that is a number', 'file_name=7, expected str', first('images', file_name=7)),
    Case('annotations', 'box without area', 'ready to run', without('annotations', 'area'), 'goes on'),
    Case('annotations', 'box without iscrowd', 'ready to run', without('annotations', 'iscrowd'), 'goes on'),
    Case('annotations', 'box of three numbers', 'is not four finite numbers', box(1, 2, 3)),
    Case('annotations', 'box with NaN', 'is not four finite numbers', box(1, 2, float('nan'), 4)),
    Case('annotations', 'box with infinity', 'is not four finite numbers', box(1, 2, float('inf'), 4)),
    Case('annotations', 'box with a 400-digit number', 'is not four finite numbers', box(HUGE, 2, 3, 4)),
    Case('annotations', 'box of strings', 'is not four finite numbers', box('1', '2', '3', '4')),
    Case('annotations', 'box that is a string', 'expected list', first('annotations', bbox='1,2,3,4')),
    Case('annotations', 'box of negative width', 'narrower than a pixel or lies outside', box(1, 2, -3, 4), 'goes on'),
    Case('annotations', 'box of zero width', 'narrower than a pixel or lies outside', box(1, 2, 0, 4), 'goes on'),
    Case('annotations', 'box outside its image', 'narrower than a pixel or lies outside', box(900, 2, 30, 40), 'goes on'),
    Case('annotations', 'box that reaches beyond its image', 'reaches beyond its image', box(-9, 2, 30, 40), 'goes on'),
    Case('annotations', 'box without area in it', 'mmdet skips annotation 1: no area', first('annotations', area=0), 'goes on'),
    Case('annotations', 'area that is NaN', 'mmdet skips annotation 1: no area', first('annotations', area=float('nan')), 'goes on'),
    Case('annotations', 'every box outside', 'would skip every one of its 8 boxes', all_boxes(bbox=[900, 2, 30, 40])),
    Case('annotations', 'every box marked ignore', 'would skip every one of its 8 boxes', all_boxes(ignore=1)),
    Case('annotations', 'unknown category', 'category_id 99, which does not exist', first('annotations', category_id=99)),
    Case('annotations', 'box of an unknown image', 'image_id 99, which does not exist', first('annotations', image_id=99)),
    Case('annotations', 'two images of one id', "1 used twice as id in 'images'", copied('images')),
    Case('annotations', 'two boxes of one id', "1 used twice as id in 'annotations'", copied('annotations')),
    Case('annotations', 'two categories of one id', "1 used twice as id in 'categories'", both(lambda c: c['categories'].append({'id': 1, 'name': 'lid'}))),
    Case('annotations', 'two categories of one name', 'is the name of several categories', both(lambda c: c['categories'].append({'id': 9, 'name': CLASSES[0]}))),
    Case('annotations', 'an image listed twice', "lists '0001.jpg' as several images", copied('images', id=77), 'goes on'),
    Case('annotations', 'image that does not exist', "1 of 4 images are not in", first('images', file_name='absent.jpg')),
    Case('annotations', 'invalid file name', '1 of 4 images are not in', first('images', file_name='a\0b' + 'x' * 5000)),
    Case('annotations', 'file_name ../../etc/passwd', 'is outside the image folder', first('images', file_name='../../etc/passwd')),
    Case('annotations', 'file_name /etc/passwd', 'is outside the image folder', first('images', file_name='/etc/passwd')),
    Case('annotations', 'file_name C:\\plate.jpg', 'is outside the image folder', first('images', file_name='C:\\plate.jpg')),
    Case('annotations', 'image rotated after annotation', '0001.jpg is 64 x 48, listed as 48 x 64', first('images', width=48, height=64)),
    Case('annotations', 'image of width 0', 'ready to run', first('images', width=0), 'goes on'),
    Case('annotations', 'image of width NaN', 'width or height of image 1 is not a positive number of pixels', first('images', width=float('nan'))),
    Case('annotations', 'no image', 'lists no image', annotation(lambda c: c['images'].clear())),
    Case('annotations', 'images without any box', 'has no box in 4 images', annotation(lambda c: c['annotations'].clear())),
    Case('annotations', '100,000 categories', 'lists 100,000 categories, expected at most 10,000', both(many_categories)),
    Case('annotations', 'different categories in train and val', 'the categories differ', annotation(lambda c: c['categories'].pop())),
    Case('annotations', 'categories in another order in val', 'ready to run', annotation(lambda c: c['categories'].reverse()), 'goes on'),
    Case('annotations', 'boxes of another class in val', 'the categories differ', annotation(lambda c: c['categories'][0].update(name='lid'))),
    Case('annotations', 'corners instead of width and height', 'bbox holds x1, y1, x2, y2', annotation(corners)),
    Case('annotations', 'class without a box', f'has no box of {CLASSES[0]!r}', lambda s: s.doctor(), 'goes on'),
]  # fmt: skip

# ----------------------------------------------------------------------------------- images


def image_bytes(content):
    def prepare(space):
        space.image.write_bytes(content(space) if callable(content) else content)
        return space.doctor()

    return prepare


def saved_as(kind, mode='RGB', **options):
    def prepare(space):
        image = Image.open(space.image).convert('RGB' if mode in ('I;16', 'F') else mode)
        if mode in ('I;16', 'F'):
            values = np.asarray(image)[..., 0]
            image = Image.fromarray(values.astype('u2' if mode == 'I;16' else 'f4'))
        if options.get('append'):
            options_here = {'save_all': True, 'append_images': [image.copy()]}
        else:
            options_here = {}
        if options.get('alpha') is not None:
            image.putalpha(options['alpha'])
        image.save(space.image, kind, **options_here)
        return space.doctor()

    return prepare


def truncated(kind):
    def prepare(space):
        Image.open(space.image).convert('RGB').save(space.image, kind)
        whole = space.image.read_bytes()
        space.image.write_bytes(whole[: len(whole) * 2 // 3])
        return space.doctor()

    return prepare


def turned_by_exif(space):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.open(space.image).save(space.image, 'JPEG', exif=exif)
    return space.doctor()


def folder_as_image(space):
    space.image.unlink()
    space.image.mkdir()
    return space.doctor()


IMAGES = [
    Case('images', 'JPEG cut off', 'is broken or truncated', truncated('JPEG')),
    Case('images', 'PNG cut off', 'is broken or truncated', truncated('PNG')),
    Case('images', 'TIFF cut off', 'is broken or truncated', truncated('TIFF')),
    Case('images', 'WebP cut off', 'is broken or truncated', truncated('WEBP')),
    Case('images', 'empty file', 'is empty (0 bytes)', image_bytes(b'')),
    Case('images', 'web page named .jpg', 'is not an image, or of a format', image_bytes(b'<html>404</html>')),
    Case('images', 'PostScript named .jpg', 'is not an image, or of a format', image_bytes(b'%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n')),
    Case('images', 'folder named .jpg', 'is not a file, expected an image', folder_as_image),
    Case('images', 'PNG that declares 10,000,000,000 pixels', 'pixels, more than the', image_bytes(png_of_size(100_000, 100_000))),
    Case('images', 'PNG of zero width', 'is broken or truncated (PNG)', image_bytes(png_of_size(0, 10))),
    Case('images', 'TIFF of several pages', 'holds 2 pictures, expected one', saved_as('TIFF', append=True)),
    Case('images', 'TIFF of floats', 'has 32 bits per channel', saved_as('TIFF', 'F')),
    Case('images', 'photograph with EXIF rotation added after annotation', '0001.jpg is 48 x 64, listed as 64 x 48', turned_by_exif),
    Case('images', '16-bit TIFF', 'ready to run', saved_as('TIFF', 'I;16'), 'goes on'),
    Case('images', 'PNG with transparency', 'ready to run', saved_as('PNG', alpha=90), 'goes on'),
    Case('images', 'PNG named .jpg', 'ready to run', saved_as('PNG'), 'goes on'),
    Case('images', 'CMYK JPEG', 'ready to run', saved_as('JPEG', 'CMYK'), 'goes on'),
    Case('images', 'gray JPEG', 'ready to run', saved_as('JPEG', 'L'), 'goes on'),
]  # fmt: skip

# ------------------------------------------------------------------------------ checkpoints


class Malicious:
    """Leaves a folder behind when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        import os

        return os.mkdir, (str(self.path),)


def as_backbone(make):
    return lambda space: space.backbone_file(make(space))


def as_checkpoint(make):
    return lambda space: space.checkpoint(make(space))


def whole(path):
    return path.read_bytes()


def detector(space, **values):
    return {**torch.load(space.detector, weights_only=True), **values}


def spoiled(space, **tensors):
    content = detector(space)
    content['state_dict'].update(tensors)
    return content


def resnet(depth=18, **tensors):
    torch.manual_seed(0)
    return {**ClearGraspResNet(depth, frozen=False).state_dict(), **tensors}


def drn():
    names = ['layer0.0.weight', *(f'layer{k}.{b}.conv{c}.weight' for k in range(3, 7)
             for b in range({3: 3, 4: 4, 5: 6, 6: 3}[k]) for c in (1, 2, 3))]  # fmt: skip
    return {f'backbone.{name}': torch.ones(1) for name in names}


def flipped(content):
    """With one bit changed in the middle, where the weights are."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 4]) + content[middle + 1 :]


NAN = torch.full((64,), torch.nan)

CHECKPOINTS = [
    Case('checkpoints', 'absent', 'no checkpoint at absent.pth', lambda s: s.doctor('--checkpoint', 'absent.pth')),
    Case('checkpoints', 'folder', 'is a folder', lambda s: s.doctor('--checkpoint', s.folder)),
    Case('checkpoints', 'empty file', 'is empty (0 bytes)', as_checkpoint(lambda s: b'')),
    Case('checkpoints', 'web page', 'is not a checkpoint written by torch', as_checkpoint(lambda s: b'<html>404</html>')),
    Case('checkpoints', 'cut off', 'probably truncated', as_checkpoint(lambda s: whole(s.detector)[:100_000])),
    Case('checkpoints', 'a flipped bit in a detector', 'is damaged: Bad CRC-32', as_checkpoint(lambda s: flipped(whole(s.detector)))),
    Case('checkpoints', 'a flipped bit in a backbone', 'is damaged: Bad CRC-32', as_backbone(lambda s: flipped(whole(s.backbone)))),
    Case('checkpoints', 'malicious pickle in torch\'s archive', 'nothing of it was executed', as_checkpoint(lambda s: {'state_dict': Malicious(s.folder / 'trace')})),
    Case('checkpoints', 'malicious plain pickle', 'nothing of it was executed', as_checkpoint(lambda s: pickle.dumps(Malicious(s.folder / 'trace')))),
    Case('checkpoints', 'malicious pickle as backbone', 'nothing of it was executed', as_backbone(lambda s: pickle.dumps({'a': Malicious(s.folder / 'trace')}))),
    Case('checkpoints', 'whole model object', 'nothing of it was executed', as_checkpoint(lambda s: {'state_dict': torch.nn.Linear(1, 1)})),
    Case('checkpoints', 'list', 'has no state_dict', as_checkpoint(lambda s: [1, 2])),
    Case('checkpoints', 'backbone file given as detector', 'belongs in init_cfg.checkpoint', as_checkpoint(lambda s: whole(s.backbone))),
    Case('checkpoints', 'detector of another depth', 'does not fit the model of this config', lambda s: s.doctor('--checkpoint', s.detector, '--cfg-options', 'model.backbone.depth=34')),
    Case('checkpoints', 'detector of other classes, as many', 'was trained for the classes', as_checkpoint(lambda s: detector(s, meta={'dataset_meta': {'classes': ('a', 'b', 'c')}}))),
    Case('checkpoints', 'load_from a detector of other classes', "set model.init_cfg=dict(type='DetectorCheckpoint'", lambda s: s.doctor('--cfg-options', f"load_from={s._file(detector(s, meta={'dataset_meta': {'classes': ('a', 'b', 'c')}}))}")),
    Case('checkpoints', 'detector of other classes, fewer', 'does not fit the model of this config', as_checkpoint(lambda s: spoiled(s, **{'roi_head.bbox_head.fc_cls.weight': torch.zeros(2, 16)}))),
    Case('checkpoints', 'NaN in a detector', 'backbone.bn1.bias, not finite', as_checkpoint(lambda s: spoiled(s, **{'backbone.bn1.bias': NAN}))),
    Case('checkpoints', 'classes that are a number', 'meta.dataset_meta.classes is 3, expected a list of names', as_checkpoint(lambda s: detector(s, meta={'dataset_meta': {'classes': 3}}))),
    Case('checkpoints', 'strings instead of tensors', 'does not fit the model of this config', as_checkpoint(lambda s: spoiled(s, **{'backbone.bn1.bias': 'x'}))),
    Case('checkpoints', 'backbone of another family (DRN-D-54)', 'holds DRN-D-54', as_backbone(lambda s: drn())),
    Case('checkpoints', 'backbone of another depth', 'holds ResNet-34', as_backbone(lambda s: resnet(34))),
    Case('checkpoints', 'backbone without one of its tensors', '1 missing (first: layer4.1.conv2.weight)', as_backbone(lambda s: {k: v for k, v in resnet().items() if k != 'layer4.1.conv2.weight'})),
    Case('checkpoints', 'NaN in a backbone', 'bn1.bias, not finite', as_backbone(lambda s: resnet(**{'bn1.bias': NAN}))),
    Case('checkpoints', 'negative variance in a backbone', 'bn1.running_var, negative', as_backbone(lambda s: resnet(**{'bn1.running_var': -torch.ones(64)}))),
    Case('checkpoints', 'whole numbers in a backbone', 'torch.int8 instead of floating point', as_backbone(lambda s: resnet(**{'bn1.bias': torch.ones(64, dtype=torch.int8)}))),
    Case('checkpoints', 'backbone file without tensors', 'holds no tensors by name', as_backbone(lambda s: {'state_dict': {}})),
    Case('checkpoints', 'resuming without a checkpoint', 'no checkpoint at no.pth', lambda s: [TRAIN, s.config, '--data-root', s.data, '--work-dir', s.folder / 'run', '--resume', 'no.pth']),
    Case('checkpoints', 'resuming from a file with a flipped bit', 'is damaged: Bad CRC-32', lambda s: [TRAIN, s.config, '--data-root', s.data, '--work-dir', s.folder / 'run', '--resume', s._file(flipped(whole(s.detector)))]),
    Case('checkpoints', 'resuming from a file that is cut off', 'probably truncated', lambda s: [TRAIN, s.config, '--data-root', s.data, '--work-dir', s.folder / 'run', '--resume', s._file(whole(s.detector)[:100_000])]),
]  # fmt: skip

# ---------------------------------------------------------------------------------- configs

CONFIGS = [
    Case('configs', 'absent', 'no config at absent.py', lambda s: [DOCTOR, 'absent.py']),
    Case('configs', 'folder', 'no config at', lambda s: [DOCTOR, s.folder]),
    Case('configs', 'syntax error', 'cannot be read: SyntaxError', lambda s: s.with_config('model = dict(')),
    Case('configs', 'binary file', 'cannot be read', lambda s: (s.with_config(''), (s.folder / 'mine.py').write_bytes(b'\x80\x81\0'))[0]),
    Case('configs', 'name that is not defined', 'undefined_name', lambda s: s.with_config('model = undefined_name')),
    Case('configs', 'missing base', 'gone.py', lambda s: s.with_config("_base_ = 'gone.py'\nmodel = dict()")),
    Case('configs', 'no model', 'has no model', lambda s: s.with_config('x = 1')),
    Case('configs', 'empty model and no data', 'the config has no train_dataloader', lambda s: s.with_config('model = dict()')),
    Case('configs', 'model without a backbone', 'model has no backbone', lambda s: s.changed_config('model = dict(_delete_=True, type="FasterRCNN")')),
    Case('configs', 'unknown backbone', 'ClearGraspResnet is not in the', lambda s: s.options('model.backbone.type=ClearGraspResnet')),
    Case('configs', 'unknown depth', 'depth=42, expected one of', lambda s: s.options('model.backbone.depth=42')),
    Case('configs', 'argument that does not exist', 'color', lambda s: s.options('model.backbone.color=red')),
    Case('configs', 'strides that do not fit', 'but backbone and neck give', lambda s: s.options('model.backbone.output_stride=16')),
    Case('configs', 'frozen backbone without a file', 'frozen, but its init_cfg has no', lambda s: s.changed_config('model = dict(backbone=dict(init_cfg=dict(_delete_=True, type="Kaiming", layer="Conv2d")))')),
    Case('configs', 'URL as checkpoint', 'no checkpoint at', lambda s: s.options('model.backbone.init_cfg.checkpoint=https://example.org/x.pth')),
    Case('configs', 'number of classes that differs from the data', 'heads with num_classes=80', lambda s: [DOCTOR, s.changed_config('model = dict(roi_head=dict(bbox_head=dict(num_classes=80)))')[1]]),
    Case('configs', 'classes as a string', "classes is 'plate'", lambda s: [DOCTOR, s.changed_config("train_dataloader = dict(dataset=dict(metainfo=dict(classes='plate')))")[1]]),
    Case('configs', 'classes in another order than the file', 'names would be swapped', lambda s: [DOCTOR, s.changed_config("train_dataloader = dict(dataset=dict(metainfo=dict(classes=('square_dish', 'petri_dish', 'multiwell_plate'))))")[1]]),
    Case('configs', 'class that the file does not have', "'lid' not in the file", lambda s: [DOCTOR, s.changed_config("train_dataloader = dict(dataset=dict(metainfo=dict(classes=('petri_dish', 'square_dish', 'lid'))))")[1]]),
    Case('configs', 'missing annotations', 'no annotation file at gone', lambda s: [DOCTOR, s.config, '--cfg-options', 'train_dataloader.dataset.data_root=gone/']),
    Case('configs', 'evaluator of another file', 'val_evaluator.ann_file is other.json', lambda s: [DOCTOR, s.config, '--cfg-options', 'val_evaluator.ann_file=other.json']),
    Case('configs', 'no validation data', 'the config has no val_dataloader', lambda s: s.changed_config('val_dataloader = None')),
    Case('configs', 'data set without annotations', 'ann_file', lambda s: [DOCTOR, s.changed_config("train_dataloader = dict(dataset=dict(_delete_=True, type='CocoDataset', metainfo=dict(classes=('petri_dish', 'square_dish', 'multiwell_plate'))))")[1]]),
    Case('configs', 'batch size 0', 'batch_size is 0', lambda s: s.options('train_dataloader.batch_size=0')),
    Case('configs', 'batch size that is a string', 'expected a number, as', lambda s: s.options('train_dataloader.batch_size=four')),
    Case('configs', 'persistent_workers without workers', 'num_workers=0 needs', lambda s: s.options('train_dataloader.persistent_workers=True')),
    Case('configs', 'no number of epochs', 'train_cfg', lambda s: s.changed_config('train_cfg = None')),
    Case('configs', 'work dir that is a file', 'is not a folder that you may write to', lambda s: [TRAIN, s.config, '--data-root', s.data, '--work-dir', s.image]),
]  # fmt: skip

# ---------------------------------------------------------------------------- command lines


def empty_folder(space):
    (space.folder / 'empty').mkdir()
    return [DOCTOR, space.config, '--data-root', space.folder / 'empty']


def archive(space):
    (space.folder / 'export.zip').write_bytes(b'PK')
    return [TO_COCO, space.folder / 'export.zip', space.folder / 'out']


def occupied(space):
    return [TO_COCO, space.data, space.config.parent]


COMMAND_LINES = [
    Case('command lines', 'no config', 'required: config', lambda s: [TRAIN], 'usage'),
    Case('command lines', 'unknown option', 'unrecognized arguments: --epoch-count', lambda s: [TRAIN, s.config, '--epoch-count', '3'], 'usage'),
    Case('command lines', '--cfg-options without a value', 'expected KEY=VALUE', lambda s: [TRAIN, s.config, '--cfg-options', 'lr'], 'usage'),
    Case('command lines', '--cfg-options lr=1, read too early', 'has no effect', lambda s: [TRAIN, s.config, '--cfg-options', 'lr=1']),
    Case('command lines', '--cfg-options into a value that is not a dict', 'do not fit', lambda s: [TRAIN, s.config, '--cfg-options', 'work_dir.x=1']),
    Case('command lines', '--cfg-options beyond the end of a list', 'do not fit', lambda s: [TRAIN, s.config, '--cfg-options', 'param_scheduler.99.end=1']),
    Case('command lines', '--epochs many', "invalid int value: 'many'", lambda s: [TRAIN, s.config, '--epochs', 'many'], 'usage'),
    Case('command lines', '--epochs 0', '--epochs 0: expected 1', lambda s: [TRAIN, s.config, '--data-root', s.data, '--epochs', '0']),
    Case('command lines', '--data-root that does not exist', 'no folder at absent', lambda s: [TRAIN, s.config, '--data-root', 'absent']),
    Case('command lines', '--data-root that is a file', 'no folder at', lambda s: [TRAIN, s.config, '--data-root', s.image]),
    Case('command lines', '--data-root without annotations', 'holds no .json file; expected a folder', empty_folder),
    Case('command lines', '--launcher pytorch without torchrun', 'that torchrun started', lambda s: [TRAIN, s.config, '--launcher', 'pytorch', '--data-root', s.data, '--work-dir', s.folder / 'run']),
    Case('command lines', '--auto-scale-lr without a base', 'needs auto_scale_lr', lambda s: [TRAIN, s.changed_config('auto_scale_lr = dict(_delete_=True, enable=False)')[1], '--data-root', s.data, '--auto-scale-lr']),
    Case('command lines', 'test.py without a checkpoint', 'required: checkpoint', lambda s: [TEST, s.config], 'usage'),
    Case('command lines', 'test.py --out x.txt', 'ends in .pkl', lambda s: [TEST, s.config, s.detector, '--data-root', s.data, '--work-dir', s.folder / 'run', '--out', 'x.txt']),
    Case('command lines', 'to_coco.py on nothing', 'is not there', lambda s: [TO_COCO, s.folder / 'absent', s.folder / 'out']),
    Case('command lines', 'to_coco.py on an archive', 'is a file, expected a folder: unpack it first', archive),
    Case('command lines', 'to_coco.py on an unknown format', 'but none of these formats', lambda s: (shutil.rmtree(s.data / 'annotations'), [TO_COCO, s.data, s.folder / 'out'])[1]),
    Case('command lines', 'to_coco.py onto its source', 'would overwrite the source', lambda s: [TO_COCO, s.data, s.data]),
    Case('command lines', 'to_coco.py into its source', 'is inside the source', lambda s: [TO_COCO, s.data, s.data / 'out']),
    Case('command lines', 'to_coco.py onto other files', 'was not written by a conversion', occupied),
    Case('command lines', 'to_coco.py --splits week1', 'expected NAME=train', lambda s: [TO_COCO, s.data, s.folder / 'out', '--splits', 'week1'], 'usage'),
    Case('command lines', 'to_coco.py --splits of an unknown split', "the source has no split 'week1', only train", lambda s: [TO_COCO, s.data, s.folder / 'out', '--splits', 'week1=val']),
    Case('command lines', 'to_coco.py --classes of an unknown class', "no class 'lid'; there are petri_dish", lambda s: [TO_COCO, s.data, s.folder / 'out', '--classes', 'lid=plate']),
    Case('command lines', 'to_coco.py --group-by (', 'not a regular expression', lambda s: [TO_COCO, s.data, s.folder / 'out', '--group-by', '(']),
    Case('command lines', 'to_coco.py --val 2', 'expected shares from 0 to less than 1', lambda s: [TO_COCO, s.data, s.folder / 'out', '--val', '2', '--resplit']),
    Case('command lines', 'browse_dataset.py on nothing', 'no config at absent', lambda s: [BROWSE, 'absent', '--out', s.folder / 'out']),
    Case('command lines', 'browse_dataset.py --count 0', 'expected 1 or more', lambda s: [BROWSE, s.data, '--count', '0'], 'usage'),
    Case('command lines', 'analyze_logs.py on nothing', 'absent is not there', lambda s: ['tools/analysis_tools/analyze_logs.py', 'plot_curve', 'absent']),
    Case('command lines', 'extract_backbone.py on a text file', 'not a checkpoint written by torch', lambda s: ['tools/model_converters/extract_backbone.py', 'README.md']),
    Case('command lines', 'random_backbone.py without images', 'no image in', lambda s: ['tools/model_converters/random_backbone.py', s.folder, s.folder / 'x.pth']),
    Case('command lines', 'draw_toy_plates.py --size 3', 'at least 48 pixels', lambda s: ['tools/dataset_converters/draw_toy_plates.py', s.folder / 'toy', '--size', '3']),
    Case('command lines', 'infer.py on a run that does not exist', 'expected a work dir', lambda s: ['tools/infer.py', 'absent', s.image]),
    Case('command lines', 'infer.py --stride 0', 'expected 1 or more', lambda s: ['tools/infer.py', s.config, s.detector, s.image, '--stride', '0'], 'usage'),
    Case('command lines', 'export.py without a checkpoint', 'no checkpoint at absent.pth', lambda s: ['tools/export.py', s.config, 'absent.pth', s.folder / 'x.onnx']),
    Case('command lines', 'run_experiment.py without a spec', 'cannot read the spec', lambda s: ['tools/run_experiment.py', 'absent.yaml']),
    Case('command lines', "run_experiment.py on a renderer's spec", 'has no `seed`: did you mean `seeds`?', lambda s: ['tools/run_experiment.py', 'configs/rendering/example.yaml']),
    Case('command lines', 'compare_runs.py on nothing', 'expected a work dir of tools/train.py and tools/test.py', lambda s: ['tools/analysis_tools/compare_runs.py', 'absent']),
    Case('command lines', 'compare_runs.py --replicates 3', 'expected 100 or more', lambda s: ['tools/analysis_tools/compare_runs.py', s.folder, '--replicates', '3'], 'usage'),
    Case('command lines', 'pretrain.py without a config', 'no config at absent.py', lambda s: ['tools/pretrain.py', 'absent.py']),
    Case('command lines', 'pretrain.py without data', 'Render one with tools/render_plates.py', lambda s: ['tools/pretrain.py', 'configs/pretrain/resnet50_joint.py', '--data-root', 'absent']),
    Case('command lines', 'draw_pretraining.py without photographs', 'required: photographs', lambda s: ['tools/analysis_tools/draw_pretraining.py', s.config, s.detector], 'usage'),
    Case('command lines', 'render_plates.py without a spec', 'cannot read the spec', lambda s: ['tools/render_plates.py', 'absent.yaml', s.folder / 'renders']),
    Case('command lines', "render_plates.py on an experiment's spec", 'has no `question`: expected one of', lambda s: ['tools/render_plates.py', 'configs/experiments/example.yaml', s.folder / 'renders']),
    Case('command lines', 'benchmarks --size 100', 'expected a multiple of 32', lambda s: [benchmark.main, '--size', '100'], 'usage'),
    Case('command lines', 'benchmarks without data', 'absent/annotations/train.json does not exist', lambda s: [benchmark.main, '--data-root', 'absent', '--size', '64']),
]  # fmt: skip


CASES = [*ANNOTATIONS, *IMAGES, *CHECKPOINTS, *CONFIGS, *COMMAND_LINES]


@pytest.fixture(scope='module')
def small_config(module_folder, tiny_config):
    """The tiny config without bases: mmengine reads all of mmdet's metafiles for each base."""
    load_config(tiny_config).dump(module_folder / 'small.py')
    return module_folder / 'small.py'


@pytest.fixture(scope='module')
def detector_file(module_folder, small_config):
    """A checkpoint of the small config's detector, untrained."""
    cfg = load_config(small_config)
    init_default_scope('mmdet')
    path = module_folder / 'epoch_1.pth'
    meta = {'dataset_meta': {'classes': CLASSES}}
    torch.save({'state_dict': MODELS.build(cfg.model).state_dict(), 'meta': meta}, path)
    return path


@pytest.fixture(scope='module')
def drawn(tmp_path_factory):
    return write_toy_plates(tmp_path_factory.mktemp('drawn'), train=4, val=2, size=64)


@pytest.fixture
def space(tmp_path, drawn, small_config, backbone_files, detector_file):
    shutil.copytree(drawn, tmp_path / 'plates')
    # The paths that the config itself has, for cases without --data-root.
    config = tmp_path / 'config' / 'tiny.py'
    config.parent.mkdir()
    root = f'{tmp_path / "plates"}/'
    config.write_text(
        f'_base_ = {str(small_config)!r}\n'
        f'train_dataloader = dict(dataset=dict(data_root={root!r}))\n'
        f'val_dataloader = dict(dataset=dict(data_root={root!r}))\n'
        f"val_evaluator = dict(ann_file='{root}annotations/val.json')\n"
    )
    return Workspace(tmp_path, config, backbone_files(18), detector_file)


@pytest.mark.parametrize('case', CASES, ids=lambda case: f'{case.area}: {case.what}')
def test_bad_input(space, run_here, case):
    status, printed = run_here(*case.prepare(space))
    assert case.message in printed, printed
    assert status == STATUS[case.outcome], printed
    assert 'Traceback' not in printed
    assert not (space.folder / 'trace').exists(), 'what a pickle asked for was run'
    assert not (space.folder / 'run' / 'last_checkpoint').exists()


def table():
    """The cases as Markdown."""
    counts = Counter(case.area for case in CASES)
    lines = [f'{len(CASES)} cases: ' + ', '.join(f'{n} {area}' for area, n in counts.items()) + '.']
    for area in counts:
        lines += [
            '',
            f'### {area.capitalize()}',
            '',
            '| input | message has | exit status |',
            '| --- | --- | --- |',
        ]
        for case in (case for case in CASES if case.area == area):
            message = re.sub(r'([|*_\[\]<>])', r'\\\1', case.message)
            status = {'goes on': '0, with a warning'}.get(case.outcome, STATUS[case.outcome])
            if case.message == 'ready to run':
                status = '0, read as it is'
            lines.append(f'| {case.what} | {message} | {status} |')
    return '\n'.join(lines)


def test_table_in_the_documentation_is_this_one():
    assert table() in (ROOT / 'docs' / 'messages.md').read_text()


if __name__ == '__main__':
    print(table())
