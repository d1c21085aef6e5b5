"""Random inputs: every file gives a finding or one of this project's errors."""

import io
import json
import pickle

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmdet_cleargrasp.checkpoints import open_backbone, read_checkpoint
from mmdet_cleargrasp.datasets import check_split
from mmdet_cleargrasp.utils.errors import CheckpointError, DataError

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([0, 1, 2, -1, 10**400, 2**63])
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(['a.png', '../a.png', '/', '..', '', 'a\0', 'x' * 5000, 'dish'])
)
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
NUMBERS = (
    st.integers(-5, 60)
    | st.floats(-5, 60)
    | st.sampled_from([0, float('nan'), float('inf'), 10**400])
)
IDS = st.integers(0, 3) | st.sampled_from(['1', True])


def either(likely, share=60):
    """Mostly what belongs there, so that the checks behind the first are reached as well."""
    return st.integers(0, share).flatmap(lambda k: likely if k else ANYTHING)


def entry(**keys):
    required = {key: either(values) for key, values in keys.items()}
    return either(st.fixed_dictionaries(required, optional={'ignore': LEAVES}))


COCO = either(
    st.fixed_dictionaries(
        {
            'images': either(
                st.lists(
                    entry(
                        id=IDS,
                        file_name=st.sampled_from(['a.png', 'b.png', 'absent.png', '../a.png']),
                        width=NUMBERS,
                        height=NUMBERS,
                    ),
                    max_size=3,
                )
            ),
            'annotations': either(
                st.lists(
                    entry(
                        id=IDS,
                        image_id=IDS,
                        category_id=IDS,
                        bbox=st.lists(NUMBERS, min_size=4, max_size=4),
                        area=NUMBERS,
                        iscrowd=st.integers(0, 1),
                        segmentation=ANYTHING,
                    ),
                    max_size=4,
                )
            ),
            'categories': either(
                st.lists(entry(id=IDS, name=st.sampled_from(['dish', 'lid', ''])), max_size=3)
            ),
        }
    )
)

FEW = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
def folder(tmp_path):
    from PIL import Image

    Image.new('RGB', (60, 40)).save(tmp_path / 'a.png')
    (tmp_path / 'b.png').write_bytes(b'\x89PNG\r\n\x1a\nbroken')
    return tmp_path


@FEW
@given(content=COCO)
def test_annotation_checks_find_or_refuse(folder, content):
    path = folder / 'train.json'
    path.write_text(json.dumps(content))
    try:
        findings = check_split('train data', path, folder, ('dish',))
    except DataError:
        return
    assert findings


def saved(content):
    stream = io.BytesIO()
    torch.save(content, stream)
    return stream.getvalue()


WHOLE = (
    saved({'state_dict': {'conv1.weight': torch.zeros(4, 3, 2, 2)}, 'epoch': 3}),
    pickle.dumps({'a': [1, 2]}),
    pickle.dumps({'a': {1, 2}}, protocol=0),
)


@st.composite
def damaged(draw):
    """A checkpoint that was cut off and in which a few bytes were changed."""
    content = bytearray(draw(st.sampled_from(WHOLE)))
    for place, value in draw(
        st.lists(st.tuples(st.integers(0, len(content) - 1), st.integers(0, 255)), max_size=8)
    ):
        content[place] = value
    return bytes(content[: draw(st.integers(0, len(content)))])


@FEW
@given(content=st.binary(max_size=200) | damaged())
def test_checkpoint_reader_gives_a_value_or_refuses(tmp_path, content):
    path = tmp_path / 'file.pth'
    path.write_bytes(content)
    for read in (read_checkpoint, open_backbone):
        try:
            read(path)
        except CheckpointError as error:
            assert 'file.pth' in str(error)
