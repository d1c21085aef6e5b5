"""Differences between the configs of arms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

#: Config fields that a run is built from; other names are variables of the config.
PARTS = (
    'model', 'load_from', 'train_dataloader', 'optim_wrapper', 'param_scheduler', 'train_cfg',
    'auto_scale_lr', 'custom_hooks', 'val_dataloader', 'test_dataloader',
)  # fmt: skip
ABSENT = '–'


def config_differences(configs: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """Values that differ between configs.

    Args:
        configs: By arm.

    Returns:
        By dotted key, the value of each arm as text.

    Example:
        >>> a, b = ({'model': {'depth': d, 'neck': 'FPN'}} for d in (18, 50))
        >>> config_differences({'small': a, 'large': b})
        {'model.depth': {'small': '18', 'large': '50'}}
    """
    flat = {arm: _flatten({k: cfg.get(k) for k in PARTS}) for arm, cfg in configs.items()}
    keys = dict.fromkeys(key for values in flat.values() for key in values)
    table = {key: {arm: values.get(key, ABSENT) for arm, values in flat.items()} for key in keys}
    return {key: row for key, row in table.items() if len(set(row.values())) > 1}


def _flatten(node: Any, key: str = '') -> dict[str, str]:
    items: Iterable[tuple[Any, Any]]
    if isinstance(node, Mapping):
        items = node.items()
    elif isinstance(node, list) and any(isinstance(entry, Mapping) for entry in node):
        items = enumerate(node)
    else:
        return {} if node is None else {key: _text(node)}
    flat: dict[str, str] = {}
    for name, value in items:
        flat.update(_flatten(value, f'{key}.{name}' if key else str(name)))
    return flat


def _text(value: Any) -> str:
    # Lists and tuples are equivalent.
    return str(list(value)) if isinstance(value, tuple) else str(value)
