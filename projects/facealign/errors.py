"""Errors a user can cause, and how the command lines report them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any


class FaceAlignError(Exception):
    """Something the user can put right: one line naming the file and the remedy."""


def run_command(main: Callable[..., Any], *args: Any) -> None:
    """Run a command line's ``main``; a :class:`FaceAlignError` is one line on stderr and status 2."""
    try:
        sys.exit(main(*args))
    except FaceAlignError as error:
        sys.exit(_fail(str(error), 2))
    except KeyboardInterrupt:
        sys.exit(_fail('interrupted', 130))


def _fail(message: str, status: int) -> int:
    print(f'error: {" ".join(message.split())}', file=sys.stderr)
    return status
