"""Random changes of bytes, text and JSON."""

from __future__ import annotations

import json
import random
import re
from typing import Any

#: What no reader expects where it stands.
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 0.5, 1e308, -1e308, float('nan'), float('inf'), 10**400, 2**63,
    '', ' ', '0', '-5', 'nan', '1e999', 'a\0b', 'x' * 5000, 'ä\u0308', '\ud800', '../a.jpg',
    '/etc/passwd', 'C:\\a.jpg', 'https://example.org/a.jpg', '=1+1', '[red]', '<b>', '%00', 'a/' * 300,
    [], {}, [[]], [0] * 4, ['a'], {'a': []}, [float('nan')] * 4,
)  # fmt: skip
TOKENS = re.compile(r'-?\d+(?:\.\d+)?|"[^"]*"|<[^>]*>|\S+')


def change(content: bytes, name: str, rng: random.Random) -> bytes:
    """Change the content of a file in one to four places.

    Args:
        content: Of the file.
        name: Of the file; JSON is changed by its structure most of the time.
        rng: Draws places and changes.
    """
    for _ in range(rng.randint(1, 4)):
        if name.endswith('.json') and rng.random() < 0.7:
            content = change_json(content, rng)
        elif rng.random() < 0.7:
            content = change_text(content, rng)
        else:
            content = change_bytes(content, rng)
    return content


def change_bytes(content: bytes, rng: random.Random) -> bytes:
    """Flip, insert, delete, repeat or cut off bytes."""
    place = rng.randrange(len(content) + 1)
    length = rng.choice([1, 1, 2, 4, 16, 300])
    how = rng.randrange(6)
    if how == 0:
        return content[:place] + rng.randbytes(length) + content[place + length :]
    if how == 1:
        return content[:place] + rng.randbytes(length) + content[place:]
    if how == 2:
        return content[:place] + content[place + length :]
    if how == 3:
        return content[:place] + content[max(0, place - length) : place] * 3 + content[place:]
    if how == 4:
        return content[:place]
    return content[:place] + bytes(length) + content[place + length :]


def change_text(content: bytes, rng: random.Random) -> bytes:
    """Change a token or a line, or save the text in another encoding."""
    text = content.decode('utf-8', 'replace')
    how = rng.randrange(6)
    if how < 3:
        tokens = list(TOKENS.finditer(text))
        if not tokens:
            return content
        token, other = rng.choice(tokens), rng.choice(tokens)
        new = rng.choice([str(rng.choice(ODD)), other[0], '', token[0] * 2, f'{rng.gauss(0, 1e6)}'])
        return (text[: token.start()] + new + text[token.end() :]).encode('utf-8', 'replace')
    lines = text.splitlines(keepends=True) or ['']
    if how == 3:
        lines.pop(rng.randrange(len(lines)))
    elif how == 4:
        lines.insert(rng.randrange(len(lines) + 1), rng.choice(lines) * rng.choice([1, 1, 200]))
    else:
        encoding = rng.choice(['utf-16', 'utf-8-sig', 'utf-32', 'latin-1', 'utf-7', 'cp1252'])
        return text.encode(encoding, 'replace')
    return ''.join(lines).encode('utf-8', 'replace')


def change_json(content: bytes, rng: random.Random) -> bytes:
    """Replace, remove, repeat or nest a value of a JSON file."""
    try:
        root = json.loads(content)
    except (ValueError, RecursionError):
        return change_text(content, rng)
    places = list(_places(root))
    if not places:
        return json.dumps(rng.choice(ODD)).encode()
    holder, key = rng.choice(places)
    how = rng.randrange(6)
    if how < 3:
        holder[key] = rng.choice(ODD)
    elif how == 3:
        del holder[key]
    elif how == 4:
        other, name = rng.choice(places)
        holder[key] = json.loads(json.dumps(other[name]))
    elif isinstance(holder, list):
        holder += [holder[key]] * rng.choice([1, 50])
    else:
        holder[f'{key}{rng.choice(["", "s", " "])}'] = [holder[key]]
    text = json.dumps(root)
    if rng.random() < 0.02:
        text = text.replace('[', '[' * 3000, 1)
    return text.encode()


def _places(node: Any) -> Any:
    """Every container with each of its keys."""
    if isinstance(node, dict | list):
        for key in list(node) if isinstance(node, dict) else range(len(node)):
            yield node, key
            yield from _places(node[key])
