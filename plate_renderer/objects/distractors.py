"""Catalogs of all objects other than plates, by their name in specs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .clutter import CLUTTER
from .devices import DEVICES
from .glassware import GLASSWARE
from .plates import Item
from .racks import RACKS, clear_box
from .tableware import GLASSES, TABLEWARE

Catalog = dict[str, Callable[[np.random.Generator], Item]]

TRANSPARENT: Catalog = {**GLASSWARE, **GLASSES, 'clear_box': clear_box}
"""Functions that draw a transparent object at random."""

OPAQUE: Catalog = {**CLUTTER, **RACKS, **DEVICES, **TABLEWARE}
"""Functions that draw an opaque object at random."""
