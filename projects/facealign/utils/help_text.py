"""Help texts as wide as the terminal: prose is filled, commands stay such that a shell takes them."""

from __future__ import annotations

import argparse
import re
import textwrap

_COMMAND = re.compile(r'(?:python|facealign|bash|pip) ')
_OPTION = re.compile(r'(--[\w-]+) (?!-)')
_COLUMNS = re.compile(r'(?P<first>\S.*?) {3,}(?P<second>\S.*)')


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Fits a module's docstring to the terminal.

    Lines that are not indented are prose, which is filled by paragraphs. Of the indented ones, those that are too long
    are broken: commands with a backslash, of two columns (three blanks between them) the second.
    """

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        lines: list[str] = []
        prose: list[str] = []
        for line in [*text.expandtabs().splitlines(), '']:
            if line.strip() and not line.startswith(' '):
                prose.append(line)
                if not line.endswith(':'):
                    continue
            lines += textwrap.wrap(' '.join(prose), width, break_long_words=False, break_on_hyphens=False)
            if not prose or prose[-1] != line:
                lines += _broken(line, width)
            prose.clear()
        return '\n'.join(indent + line for line in lines[:-1])


def _broken(line: str, width: int) -> list[str]:
    """An indented line as lines of at most ``width``, where it has blanks to break it at."""
    line = line.rstrip()
    if len(line) <= width:
        return [line]
    start = line[: len(line) - len(line.lstrip())]
    text = line.lstrip()
    columns = _COLUMNS.fullmatch(text)
    if columns and _COMMAND.match(text) and columns['second'].startswith(('#', '(')):
        return [*_broken(start + columns['first'], width), *_wrapped(columns['second'], width, start + '    ')]
    if _COMMAND.match(text) or text.startswith('--'):
        goes_on = text.endswith('\\')
        words = _OPTION.sub('\\1\xa0', ' '.join(text.rstrip('\\').split()))  # not to be broken before its value
        parts = [part.replace('\xa0', ' ') for part in _wrapped(words, width - 2, start, start + '    ')]
        return [f'{part} \\' for part in parts[:-1]] + [parts[-1] + (' \\' if goes_on else '')]
    if columns and len(start) + columns.start('second') <= width // 2:
        second = ' ' * (len(start) + columns.start('second'))
        return _wrapped(columns['second'], width, line[: len(second)], second)
    if columns:
        return [start + columns['first'], *_wrapped(columns['second'], width, start + '    ')]
    return _wrapped(text, width, start)


def _wrapped(text: str, width: int, first: str, others: str | None = None) -> list[str]:
    return textwrap.wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=first if others is None else others,
        break_long_words=False,
        break_on_hyphens=False,
    )
