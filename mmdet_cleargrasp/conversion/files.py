"""Reading the small files of annotations, whatever is in them."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import yaml
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, parse


@lru_cache(maxsize=64)
def read_json(path: Path) -> Any:
    """The content of a JSON file; ``None`` where it is none."""
    try:
        return json.loads(path.read_text(encoding='utf-8-sig'))
    except (OSError, ValueError, RecursionError):
        return None


def read_xml(path: Path) -> Element | None:
    """The root of an XML file; ``None`` where it is none, or one that unpacks to a bomb."""
    try:
        return parse(path).getroot()
    except (OSError, ValueError, ParseError, DefusedXmlException):
        return None


def read_yaml(path: Path) -> Any:
    """The content of a YAML file of plain values; ``None`` where it is none."""
    try:
        return yaml.safe_load(path.read_text(encoding='utf-8-sig'))
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        return None


def read_lines(path: Path) -> list[str]:
    """The lines of a text file that are not blank; none where it is no text."""
    try:
        lines = path.read_text(encoding='utf-8-sig').splitlines()
    except (OSError, ValueError):
        return []
    return [line.strip() for line in lines if line.strip()]
