"""The rooms of the package stand on each other in one order; each imports only what is below."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import ROOT

#: From the ground up.
ORDER = (
    'version', 'utils', 'compat', 'models', 'datasets', 'checkpoints', 'visualization',
    'evaluation', 'engine', 'pretraining', 'inference', 'conversion', 'experiments', 'app', 'cli',
)  # fmt: skip
#: Imports that go up, to be mended: (module, room). This list only gets shorter.
KNOWN: set[tuple[str, str]] = set()

PACKAGE = ROOT / 'mmdet_cleargrasp'


def imported_modules(file: Path, root: Path = ROOT) -> Iterator[str]:
    """Absolute names of the modules that a file imports anywhere in it."""
    package = file.relative_to(root).parent.parts
    for node in ast.walk(ast.parse(file.read_text(encoding='utf-8'))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = '.'.join((*base, *(node.module or '').split('.'))).strip('.')
            yield from (f'{module}.{alias.name}' for alias in node.names)


def imported_rooms(file: Path) -> set[str]:
    names = (name.split('.') for name in imported_modules(file) if name.count('.'))
    return {name[1] for name in names if name[0] == 'mmdet_cleargrasp'}


def climbs() -> set[tuple[str, str]]:
    """Imports of rooms above the importing one; ``python -m`` starts a command from anywhere."""
    return {
        (file.relative_to(PACKAGE).as_posix(), room)
        for file in PACKAGE.rglob('*.py')
        if file.name != '__main__.py'
        if (own := file.relative_to(PACKAGE).parts[0].removesuffix('.py')) in ORDER
        for room in imported_rooms(file) & set(ORDER)
        if ORDER.index(room) > ORDER.index(own)
    }


def test_every_room_has_its_place():
    rooms = {path.name for path in PACKAGE.iterdir() if (path / '__init__.py').is_file()}
    assert rooms == set(ORDER) - {'version'}


def test_no_room_imports_one_above_it():
    assert climbs() <= KNOWN
    assert climbs() >= KNOWN, 'mended: shorten KNOWN'


@pytest.mark.parametrize('folder', ['plate_renderer'])
def test_the_renderer_imports_nothing_of_the_plugin(folder):
    for file in (ROOT / folder).rglob('*.py'):
        assert not any(
            name.startswith(('mmdet_cleargrasp', 'benchmarks')) for name in imported_modules(file)
        ), file


def test_nothing_imports_the_benchmarks_or_the_tests():
    for folder in ('mmdet_cleargrasp', 'plate_renderer', 'tools'):
        for file in (ROOT / folder).rglob('*.py'):
            assert not any(
                name.split('.')[0] in ('benchmarks', 'tests') for name in imported_modules(file)
            ), file


@pytest.mark.parametrize('room', ['utils', 'version.py'])
def test_the_ground_imports_no_framework(room):
    files = (PACKAGE / room).rglob('*.py') if (PACKAGE / room).is_dir() else [PACKAGE / room]
    for file in files:
        heavy = {'torch', 'torchvision', 'mmengine', 'mmcv', 'mmdet', 'cv2', 'matplotlib'}
        assert not heavy & {name.split('.')[0] for name in imported_modules(file)}, file
