"""Annotations of other datasets and tools, which are named where no annotation that is read was found."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

# The file's name → what it is.
_KNOWN = (
    (re.compile(r'list_98pt_.*\.txt', re.IGNORECASE), "WFLW's lists of 98 points"),
    (re.compile(r'list_landmarks(_align)?_celeba\.(txt|csv)', re.IGNORECASE), "CelebA's list of 5 points"),
    (re.compile(r'.*\.mat', re.IGNORECASE), 'MATLAB files'),
    (re.compile(r'.*\.(h5|hdf5)', re.IGNORECASE), 'an HDF5 file'),
    (re.compile(r'.*\.xml', re.IGNORECASE), 'XML files'),
)
_JSON = re.compile(r'.*\.json', re.IGNORECASE)
_COCO = re.compile(rb'"(keypoints|num_keypoints)"\s*:\s*(\d+|\[[^\]]*\])')
_HEAD = 1 << 20  # bytes of a JSON file that are looked at


def describe_foreign(root: Path, files: Iterable[str]) -> str:
    """What the first of ``files`` (relative to ``root``) that is known is, and what to do; '' where none is.

    Never an error: it only makes a message clearer.
    """
    for file in files:
        name = PurePosixPath(file).name
        kind = next((kind for pattern, kind in _KNOWN if pattern.fullmatch(name)), '')
        if not kind and _JSON.fullmatch(name):
            kind = _coco(root / file)
        if kind:
            return (
                f'it holds {kind} ({file}), which are not read; write the points of each NAME.jpg as NAME.pts, '
                'then convert with "pts" and, for other numberings than the 68 and 106 points, --markup FILE.json'
            )
    return ''


def _coco(path: Path) -> str:
    """What a JSON file is, if it looks like COCO keypoints."""
    try:
        with open(path, 'rb') as file:
            head = file.read(_HEAD)
    except OSError:
        return ''
    counts = [int(value) if value.isdigit() else (value.count(b',') + 1) // 3 for _, value in _COCO.findall(head)]
    if b'"annotations"' not in head and b'"images"' not in head or not counts:
        return ''
    return f"another tool's COCO keypoints of {max(counts)} points"
