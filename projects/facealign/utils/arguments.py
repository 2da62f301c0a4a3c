"""Types for argparse: numbers within bounds, names of pictures."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from pathlib import Path

from facealign.errors import printable


def whole(least: int = 0, most: int = 10**9) -> Callable[[str], int]:
    """A type for whole numbers from ``least`` to ``most``.

    >>> whole(1)('12')
    12
    >>> whole(1)('0')
    Traceback (most recent call last):
    argparse.ArgumentTypeError: must be at least 1
    """

    def number(text: str) -> int:
        try:
            value = int(text[:20])
        except ValueError:
            raise argparse.ArgumentTypeError(f'not a whole number: {ascii(text)}') from None
        return int(_bounded(value, least, most))

    return number


def real(least: float = -1e9, most: float = 1e9) -> Callable[[str], float]:
    """A type for finite numbers from ``least`` to ``most``.

    >>> real(0)('nan')
    Traceback (most recent call last):
    argparse.ArgumentTypeError: not a number: 'nan'
    """

    def number(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise argparse.ArgumentTypeError(f'not a number: {ascii(text)}')
        return _bounded(value, least, most)

    return number


def picture(*suffixes: str) -> Callable[[str], Path]:
    """A type for the file of a picture to be written; ``suffixes`` are those that its writer knows.

    >>> picture('.png', '.pdf')('a.txt')
    Traceback (most recent call last):
    argparse.ArgumentTypeError: a.txt: must end in .png or .pdf
    """

    def path(text: str) -> Path:
        if Path(text).suffix.lower() not in suffixes:
            raise argparse.ArgumentTypeError(f'{printable(text)}: must end in {" or ".join(suffixes)}')
        return Path(text)

    return path


def _bounded(value: float, least: float, most: float) -> float:
    if value < least:
        raise argparse.ArgumentTypeError(f'must be at least {least:.12g}')
    if value > most:
        raise argparse.ArgumentTypeError(f'must be at most {most:.12g}')
    return value
