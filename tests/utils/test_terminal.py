"""What strangers' names do to the terminal: nothing."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from facealign.utils.terminal import cell, say

PROJECTS = Path(__file__).resolve().parents[2] / 'projects'
NAME = '[bold]\x1b]0;pwned\x07\x1b[2J\u202egnp.jpg'


def test_a_line_has_no_escapes(capsys) -> None:
    say(f'written: {NAME}\n')
    assert capsys.readouterr().out == 'written: [bold]\\x1b]0;pwned\\x07\\x1b[2J\\u202egnp.jpg\\x0a\n'


def test_a_cell_has_no_escapes_and_no_markup() -> None:
    table = Table(cell(NAME))
    table.add_row(cell(f'{NAME}\nb'))
    console = Console(file=io.StringIO(), width=80)
    console.print(table)
    text = console.file.getvalue()
    assert '\x1b' not in text and text.count('[bold]') == 2


def test_names_that_are_not_utf8_end_no_command() -> None:
    code = 'from facealign.errors import run_command; run_command(lambda: print("a\\udce9.jpg"))'
    done = subprocess.run(
        [sys.executable, '-c', code],
        capture_output=True,
        env={**os.environ, 'PYTHONPATH': str(PROJECTS), 'PYTHONIOENCODING': 'utf-8'},
    )
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, b'a\\udce9.jpg', b'')
