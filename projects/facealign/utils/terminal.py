"""Lines and table cells for the terminal: names in them come from strangers' files."""

from __future__ import annotations

import os

from rich.markup import escape

from facealign.errors import printable


def say(text: str) -> None:
    """Print a line, its control characters escaped."""
    print(printable(text), flush=True)


def cell(text: str | os.PathLike[str]) -> str:
    r"""``text`` as it is in a table of rich's: no markup, no control characters but line ends.

    >>> cell('[red]\x1b[31m\na.jpg')
    '\\[red]\\x1b[31m\na.jpg'
    """
    return escape('\n'.join(printable(line) for line in os.fspath(text).split('\n')))
