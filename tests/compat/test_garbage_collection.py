"""Garbage collection is off while modules are imported, and on again afterwards."""

import subprocess
import sys

import pytest


def run(code, tmp_path, module='import gc\ncollects = gc.isenabled()'):
    """Run code that may import ``timm``, one of the packages, with the given content."""
    (tmp_path / 'timm.py').write_text(module)
    path = f'import sys; sys.path.insert(0, {str(tmp_path)!r})\nimport gc, mmdet_cleargrasp\n'
    done = subprocess.run([sys.executable, '-c', path + code], capture_output=True, text=True)
    assert not done.returncode, done.stderr
    return done.stdout.split()


def test_collection_is_off_during_an_import_and_on_afterwards(tmp_path):
    code = 'import timm\nprint(timm.collects, gc.isenabled(), gc.get_freeze_count())'
    assert run(code, tmp_path) == ['False', 'True', '0']


def test_it_is_on_again_after_a_failed_import(tmp_path):
    code = 'try: import timm\nexcept ValueError: print(gc.isenabled())'
    assert run(code, tmp_path, 'raise ValueError') == ['True']


def test_it_stays_off_where_the_program_has_switched_it_off(tmp_path):
    code = 'gc.disable()\nimport timm\nprint(timm.collects, gc.isenabled())'
    assert run(code, tmp_path) == ['False', 'False']


def test_what_was_imported_is_not_looked_at_as_new(tmp_path):
    code = 'import timm\nprint(len(gc.get_objects(generation=0)) < 1000, timm.many in gc.get_objects(2))'
    many = 'many = [[] for _ in range(50_000)]'
    assert run(code, tmp_path, many) == ['True', 'True']


def test_frozen_objects_of_the_program_stay_frozen(tmp_path):
    code = 'gc.freeze()\nbefore = gc.get_freeze_count()\nimport timm\nprint(before - gc.get_freeze_count() < 99)'
    assert run(code, tmp_path) == ['True']


@pytest.mark.parametrize(('arguments', 'frozen'), [('', 'True'), ('[]', 'False')])
def test_a_command_freezes_what_it_imports_in_its_own_process(tmp_path, arguments, frozen):
    code = f"""
from mmdet_cleargrasp.cli.command import command
@command
def main(argv=None):
    import timm
    print(gc.get_freeze_count() > 0, gc.isenabled())
    return 0
main({arguments})
"""
    assert run(code, tmp_path) == [frozen, 'True']


def test_freezing_ends_with_the_last_import_before_the_work(tmp_path):
    code = """
from mmdet_cleargrasp.compat.garbage_collection import freeze_until_import, paused
freeze_until_import('json.tool')
with paused():
    pass
import json.tool
before, work = gc.get_freeze_count(), [[] for _ in range(5000)]
with paused():
    pass
print(before > 0, gc.get_freeze_count() <= before, gc.isenabled())
"""
    assert run(code, tmp_path) == ['True'] * 3
