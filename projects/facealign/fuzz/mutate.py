"""Mutations of files: what damage, carelessness and malice do to bytes, text and JSON."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

Mutate = Callable[[bytes, Random], bytes]

_EXTREME_BYTES = (b'\0', b'\x01', b'\x7f', b'\x80', b'\xff')
_EXTREME_NUMBERS = (0, 1, 0x7FFF, 0x8000, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1)
# Numbers, words and characters that a reader may take for something else or choke on.
WORDS = (
    *('nan', '-inf', '1e1000000', '-1e308', '1e-400', '9' * 400, '9' * 5000, '1_0', '٣', '0x10', '-0', '', '.', '-'),
    *('true', 'null', '0', '-1', '2147483648', '1e7', '1' + '0' * 30, '"', '""', "'", ',', ';', '\t', '{', '}', '[]'),
    *('=1+1', '../../x', '/etc/passwd', 'C:\\x', '\x1b[31m', '\ufeff', '\u202e', '\r', '\x00', 'é', '😀', '#', '//'),
    *(' ' * 40_000, 'a' * 70_000, ',' * 5_000, '(' * 5_000),
)
# Pieces of JSON text that are put in as they are, for what json.dumps cannot write.
_RAW = ('NaN', '-Infinity', '1e999', '9' * 5000, '[' * 100_000, '{"a":' * 3000, '"\\ud800"', '"\\u0000"', "'", '', '-')
_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2, 3, 2**31, 2**63, 2**64, 10**30, 10**400, 0.5, -1e308, 1e7, '', '1', 'a\0b'),
    *('\x1b[31m', '../x', '/etc/passwd', 'x' * 70_000, '\ud800', '😀'),
    *([], {}, [None], [[]], {'a': 1}, [1, 2], [1e308] * 4),
)


def mutate_bytes(data: bytes, rng: Random) -> bytes:
    """Flipped bits, extreme values, cuts, repeats and pieces moved elsewhere, one to four of them."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4))):
        if not changed:
            return rng.randbytes(rng.randrange(64))
        rng.choice(_BYTE_CHANGES)(changed, rng)
    return bytes(changed)


def _place(data: bytearray, rng: Random) -> int:
    """Anywhere; every other time near the beginning, where headers are."""
    end = len(data) if rng.random() < 0.5 else min(len(data), 256)
    return rng.randrange(max(end, 1))


def _flip_bits(data: bytearray, rng: Random) -> None:
    for _ in range(rng.choice((1, 2, 8))):
        data[_place(data, rng)] ^= 1 << rng.randrange(8)


def _set_extreme(data: bytearray, rng: Random) -> None:
    place = _place(data, rng)
    data[place : place + 1] = rng.choice(_EXTREME_BYTES)


def _set_number(data: bytearray, rng: Random) -> None:
    place, width = _place(data, rng), rng.choice((2, 4, 8))
    number = rng.choice(_EXTREME_NUMBERS) % 2 ** (8 * width)
    data[place : place + width] = number.to_bytes(width, rng.choice(('little', 'big')))


def _cut_end(data: bytearray, rng: Random) -> None:
    del data[_place(data, rng) :]


def _cut_out(data: bytearray, rng: Random) -> None:
    place = _place(data, rng)
    del data[place : place + rng.choice((1, 2, 4, 16, 256))]


def _repeat(data: bytearray, rng: Random) -> None:
    place = _place(data, rng)
    piece = data[place : place + rng.choice((1, 4, 16, 256))]
    data[place:place] = piece * rng.choice((1, 2, 50))


def _insert_noise(data: bytearray, rng: Random) -> None:
    place = _place(data, rng)
    data[place:place] = rng.randbytes(rng.choice((1, 2, 8, 64)))


def _move(data: bytearray, rng: Random) -> None:
    start, place, length = _place(data, rng), _place(data, rng), rng.choice((4, 16, 64, 1024))
    data[place : place + length] = data[start : start + length]


_BYTE_CHANGES: Sequence[Callable[[bytearray, Random], None]] = (
    *(_flip_bits, _set_extreme, _set_number, _cut_end, _cut_out, _repeat, _insert_noise, _move),
)


def mutate_text(data: bytes, rng: Random) -> bytes:
    """Odd numbers, words and characters in the place of others; lines lost, doubled, joined; now and then raw bytes."""
    if rng.random() < 0.2:
        return mutate_bytes(data, rng)
    lines = data.decode('utf-8', errors='replace').split('\n')
    for _ in range(rng.choice((1, 1, 2, 5))):
        at = rng.randrange(len(lines))
        way = rng.randrange(7)
        if way == 0:
            lines[at : at + 1] = []
        elif way == 1:
            lines[at:at] = [lines[at]] * rng.choice((1, 3, 200))
        elif way == 2:
            lines[at] = rng.choice(WORDS)
        elif way == 3:
            end = rng.randrange(len(lines[at]) + 1)
            lines[at] = lines[at][:end] + rng.choice(WORDS) + lines[at][end:]
        else:
            separator = rng.choice((' ', ' ', ',', ';', '\t'))
            words = lines[at].split(separator)
            words[rng.randrange(len(words))] = rng.choice(WORDS)
            lines[at] = separator.join(words)
        if not lines:
            lines = ['']
    encoding = rng.choice(('utf-8', 'utf-8', 'utf-8', 'utf-8-sig', 'utf-16', 'latin-1'))
    return rng.choice(('\n', '\n', '\r\n', '\r')).join(lines).encode(encoding, errors='replace')


def mutate_json(data: bytes, rng: Random) -> bytes:
    """Nodes replaced, removed, doubled or moved; pieces of text that are no JSON; now and then raw bytes."""
    if rng.random() < 0.2:
        return mutate_bytes(data, rng)
    document = json.loads(data)
    raw = []
    for _ in range(rng.choice((1, 1, 2, 3))):
        nodes = [(parent, key) for parent, key in _nodes(document, rng)]
        if not nodes:
            break
        parent, key = rng.choice(nodes)
        way = rng.randrange(8)
        if way == 0:
            del parent[key]
        elif way == 1 and isinstance(parent, list):
            parent[key:key] = [parent[key]] * rng.choice((1, 2, 300))
        elif way == 2:
            other, other_key = rng.choice(nodes)
            if key in (parent if isinstance(parent, dict) else range(len(parent))):
                parent[key] = json.loads(json.dumps(other[other_key]))
        elif way == 3:
            raw.append(rng.choice(_RAW))
            parent[key] = f'@raw{len(raw) - 1}@'
        else:
            parent[key] = copy.deepcopy(rng.choice(_VALUES))
    text = json.dumps(document, ensure_ascii=rng.random() < 0.7)
    for i, piece in enumerate(raw):
        text = text.replace(f'"@raw{i}@"', piece)
    return text.encode(rng.choice(('utf-8', 'utf-8', 'utf-8', 'utf-16')), errors='surrogatepass')


def _nodes(document: Any, rng: Random) -> list[tuple[Any, Any]]:
    """Up to 200 places (parent, key) of a document; of long lists a few, so that short ones are met as often."""
    found: list[tuple[Any, Any]] = []
    waiting = [document]
    while waiting and len(found) < 200:
        parent = waiting.pop(rng.randrange(len(waiting)))
        keys = list(parent) if isinstance(parent, dict) else list(range(len(parent)))
        for key in keys if len(keys) < 20 else rng.sample(keys, 5):
            found.append((parent, key))
            if isinstance(parent[key], dict | list):
                waiting.append(parent[key])
    return found


def draw_seed(data: bytes, rng: Random) -> bytes:
    """No mutation: the input is a number, and what is made of it is the target's affair."""
    return rng.randbytes(16)
