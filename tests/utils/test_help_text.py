"""Help texts fit the terminal, and their commands remain commands."""

from __future__ import annotations

import argparse
import ast
import shlex
from pathlib import Path

import pytest

from facealign import cli
from facealign.utils.help_text import HelpFormatter

TOOLS = sorted((Path(__file__).parents[2] / 'tools').glob('*.py'))


def shown(text: str, columns: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv('COLUMNS', str(columns))
    return argparse.ArgumentParser(description=text, formatter_class=HelpFormatter).format_help().splitlines()


def commands(lines: list[str]) -> list[list[str]]:
    """What a shell makes of the indented lines that begin a command, and of those that go on."""
    joined = '\n'.join(lines).replace('\\\n', ' ').splitlines()
    return [shlex.split(line, comments=True) for line in joined if line.startswith('    python ')]


@pytest.mark.parametrize('path', TOOLS, ids=lambda path: path.stem)
def test_docstrings_of_the_tools_fit_80_columns(path: Path, monkeypatch) -> None:
    text = ast.get_docstring(ast.parse(path.read_text()))
    assert text
    lines = shown(text, 80, monkeypatch)
    assert max(map(len, lines)) <= 80
    without_notes = [line.partition('    (')[0] for line in text.splitlines()]
    assert commands(lines) == commands(without_notes)


@pytest.mark.parametrize('command', [[], ['align'], ['serve']])
@pytest.mark.parametrize('columns', [80, 200])
def test_help_of_the_command_fits_the_terminal(command, columns, monkeypatch, capsys) -> None:
    monkeypatch.setenv('COLUMNS', str(columns))
    with pytest.raises(SystemExit):
        cli.build_parser().parse_args([*command, '--help'])
    assert max(map(len, capsys.readouterr().out.splitlines())) <= columns


def test_prose_is_filled_and_tables_keep_their_columns(monkeypatch) -> None:
    text = 'One sentence\nover two lines.\n\nKinds:\n    a    the first of them, said at length\n    b    short'
    assert shown(text, 32, monkeypatch)[2:9] == [
        'One sentence over two lines.',
        '',
        'Kinds:',
        '    a    the first of them,',
        '         said at length',
        '    b    short',
        '',
    ]


def test_an_option_stays_beside_its_value(monkeypatch) -> None:
    text = 'Examples:\n    python tools/x.py IN --out folder --some-option value --flag'
    assert shown(text, 42, monkeypatch)[3:6] == [
        '    python tools/x.py IN --out folder \\',
        '        --some-option value --flag',
        '',
    ]
