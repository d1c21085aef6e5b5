"""Griffe's name for the section of a docstring that has a doctest."""

from __future__ import annotations

import re
from typing import Any

from griffe import Extension, Object


class ExampleSections(Extension):
    """Read ``Example:`` as griffe reads ``Examples:``, as code."""

    def on_object(self, *, obj: Object, **kwargs: Any) -> None:
        """Rename the section.

        Args:
            obj: With a docstring or without.
            **kwargs: Not used.
        """
        if obj.docstring:
            obj.docstring.value = re.sub(
                r'^( *)Example:$', r'\1Examples:', obj.docstring.value, flags=re.MULTILINE
            )
