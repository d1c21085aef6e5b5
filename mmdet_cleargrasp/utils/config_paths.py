"""Find the plugin's configs, in a checkout or an installed package."""

from __future__ import annotations

from pathlib import Path

from .errors import ConfigError


def config_dir() -> Path:
    """Return the folder of the plugin's configs.

    Example:
        >>> (config_dir() / 'frcnn_cleargrasp_plates.py').is_file()
        True
    """
    return Path(__file__).resolve().parents[1] / '.mim' / 'configs'


def find_config(path: str | Path) -> Path:
    """Find a config file by its path, or by the name of one of the plugin's configs.

    An existing file at the path takes precedence. Otherwise the name is looked up in
    :func:`config_dir`, because an installed plugin has no ``configs/`` in the working directory.

    Args:
        path: Path or name, such as ``'configs/frcnn_cleargrasp_plates.py'`` or
            ``'frcnn_cleargrasp_plates'``.

    Returns:
        Path of the config file.

    Raises:
        ConfigError: There is neither a file at the path nor a config of that name.

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
    """Return the path of one of the plugin's configs.

    Args:
        name: Name with or without ``.py``, such as ``'frcnn_cleargrasp_plates'``.

    Raises:
        ConfigError: There is no config of this name; the message lists the existing ones.

    Example:
        >>> config_path('retinanet_cleargrasp_plates').name
        'retinanet_cleargrasp_plates.py'
    """
    path = config_dir() / f'{name.removesuffix(".py")}.py'
    if not path.is_file():
        names = ', '.join(sorted(file.stem for file in config_dir().glob('*.py')))
        raise ConfigError(f'no config {name!r}, expected one of {names}')
    return path
