"""Finding the plugin's configs, in a checkout or an installed package."""

from __future__ import annotations

from pathlib import Path

from .errors import ConfigError


def config_dir() -> Path:
    """The folder of the plugin's configs.

    Example:
        >>> (config_dir() / 'frcnn_cleargrasp_plates.py').is_file()
        True
    """
    return Path(__file__).resolve().parents[1] / '.mim' / 'configs'


def find_config(path: str | Path) -> Path:
    """A config's file, from its path or from the name of one of the plugin's configs.

    A file at the path comes first. An installed plugin has no ``configs/`` in the working
    directory, so the name is looked up in :func:`config_dir`.

    Args:
        path: As in ``'configs/frcnn_cleargrasp_plates.py'`` or ``'frcnn_cleargrasp_plates'``.

    Raises:
        ConfigError: No such file, and no config of the plugin by that name.

    Example:
        >>> find_config('retinanet_cleargrasp_plates').name
        'retinanet_cleargrasp_plates.py'
    """
    path = Path(path)
    if path.is_file():
        return path
    try:
        return config_path(path.as_posix().removeprefix('configs/'))
    except ConfigError as error:
        raise ConfigError(
            f'no config at {path} (looked from {Path.cwd()}), and the plugin has none of that name'
        ) from error


def config_path(name: str) -> Path:
    """The path of one config, by its name with or without ``.py``.

    Args:
        name: As in ``'frcnn_cleargrasp_plates'``.

    Raises:
        ConfigError: No config of this name; the message lists those that there are.

    Example:
        >>> config_path('retinanet_cleargrasp_plates').name
        'retinanet_cleargrasp_plates.py'
    """
    path = config_dir() / f'{name.removesuffix(".py")}.py'
    if not path.is_file():
        there = ', '.join(sorted(file.stem for file in config_dir().glob('*.py')))
        raise ConfigError(f'no config {name!r}; there are {there}')
    return path
