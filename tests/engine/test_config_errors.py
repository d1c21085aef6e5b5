"""--cfg-options of the wrong type, and values that nothing can be built from."""

import pytest

from mmdet_cleargrasp.engine.config_errors import as_config_error, check_option_types
from mmdet_cleargrasp.utils.errors import ConfigError, DataError

CONFIG = {
    'optimizer': {'lr': 0.1, 'type': 'SGD', 'betas': (0.9, 0.99)},
    'epochs': 12,
    'frozen': True,
    'scales': [8],
    'metrics': ['bbox'],
    'hooks': [{'type': 'A'}],
    'load_from': None,
}


@pytest.mark.parametrize(
    ('key', 'value', 'expected'),
    [
        ('optimizer.lr', 'abc', 'expected a number, as 0.1'),
        ('optimizer.lr', True, 'expected a number'),
        ('optimizer.lr', {'a': 1}, 'expected a number'),
        ('optimizer.lr', 1, None),
        ('optimizer.lr', [1, 2], None),
        ('optimizer.type', 3, "expected text, as 'SGD'"),
        ('optimizer.betas', 'x', 'expected a list'),
        ('optimizer.betas.0', 'x', 'expected a number'),
        ('optimizer', 3, 'expected a dict'),
        ('optimizer', None, None),
        ('epochs', 'many', 'expected a number'),
        ('epochs', 0.5, None),
        ('frozen', 'maybe', 'expected True or False'),
        ('frozen', 0, None),
        ('frozen', [True], 'expected True or False'),
        ('scales', 4, None),
        ('scales', 'big', 'expected a list'),
        ('metrics', 'segm', None),
        ('hooks.0', 3, 'expected a dict'),
        ('hooks.9.type', 3, None),  # is refused where it is merged
        ('load_from', 'a.pth', None),
        ('optimizer.momentum', 'x', None),
    ],
)
def test_types_of_options(key, value, expected):
    if expected is None:
        check_option_types(CONFIG, {key: value})
        return
    with pytest.raises(ConfigError, match=expected) as error:
        check_option_types(CONFIG, {key: value})
    assert str(error.value).startswith(f'--cfg-options {key}={value!r}')


@pytest.mark.parametrize(
    ('mistake', 'kind'),
    [
        (TypeError('x'), ConfigError),
        (KeyError('Foo is not in the registry'), ConfigError),
        (ZeroDivisionError('x'), ConfigError),
        (DataError('x'), DataError),
        (RecursionError('x'), RecursionError),
        (OSError('x'), OSError),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), RuntimeError),
    ],
)
def test_what_building_raises(mistake, kind):
    with pytest.raises(kind), as_config_error('the optimizer cannot be built'):
        raise mistake
