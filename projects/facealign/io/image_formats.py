"""Headers of image files: kind, size, orientation and whether the file is whole, from its bytes alone.

No decoder sees a file before this module has: decoders of rare formats are where crafted files do harm, and which
of them turn a picture by its orientation differs between OpenCV 4 and 5.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

# Names of files that are read, and of pictures that are not but are named where a folder holds them.
IMAGE_SUFFIXES = (
    *('.jpg', '.jpeg', '.jpe', '.jfif', '.png', '.bmp', '.webp', '.tif', '.tiff'),
    *('.pgm', '.ppm', '.pbm', '.pnm', '.gif', '.avif', '.heic', '.heif'),
)
RAW_SUFFIXES = ('.dng', '.cr2', '.cr3', '.nef', '.arw', '.orf', '.rw2', '.raf', '.pef', '.srw', '.raw')
UNREAD_SUFFIXES = (
    *('.jp2', '.j2k', '.jpx', '.jpf', '.jxl', '.psd', '.tga', '.exr', '.hdr', '.pfm', '.ras', '.ico'),
    *RAW_SUFFIXES,
)

_READ = (
    ('JPEG', re.compile(rb'\xff\xd8\xff')),
    ('PNG', re.compile(rb'\x89PNG\r\n\x1a\n')),
    ('WebP', re.compile(rb'RIFF....WEBP', re.DOTALL)),
    ('TIFF', re.compile(rb'II\*\0|MM\0\*')),
    ('GIF', re.compile(rb'GIF8[79]a')),
    ('BMP', re.compile(rb'BM')),
    ('PNM', re.compile(rb'P[1-6][\s#]')),
    ('AVIF', re.compile(rb'....ftyp(?:avif|avis)', re.DOTALL)),
    ('AVIF', re.compile(rb'....ftyp(?:mif1|msf1|miaf)....(?:....){0,8}?avi[fs]', re.DOTALL)),
    ('HEIC', re.compile(rb'....ftyp(?:hei[cxms]|hev[cxms]|mif1|msf1)', re.DOTALL)),
)
_UNREAD = (
    ('JPEG 2000', re.compile(rb'\0\0\0\x0cjP(?:  |\x1a\x1a)|\xff\x4f\xff\x51')),
    ('JPEG XL', re.compile(rb'\xff\x0a|\0\0\0\x0cJXL ')),
    ('BigTIFF', re.compile(rb'II\+\0|MM\0\+')),
    ('Photoshop', re.compile(rb'8BPS')),
    ('OpenEXR', re.compile(rb'\x76\x2f\x31\x01')),
    ('Radiance HDR', re.compile(rb'#\?R')),
    ('PFM', re.compile(rb'P[Ff]\s')),
    ('PAM', re.compile(rb'P7\s')),
    ('Sun raster', re.compile(rb'\x59\xa6\x6a\x95')),
    ('icon', re.compile(rb'\0\0[\x01\x02]\0')),
    ('SVG', re.compile(rb'\s*<(?:svg|\?xml)')),
    ('PDF', re.compile(rb'%PDF')),
    ('raw camera', re.compile(rb'FUJIFILMCCD-RAW|IIRO|IIU\0|....ftypcrx ', re.DOTALL)),
)
# Markers that end a JPEG's compressed data: all but escaped ff, restarts and fill bytes.
_JPEG_MARKER = re.compile(rb'\xff[^\x00\xd0-\xd7\xff]')
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# Whole files have fewer; one of millions would keep this module busy, and a decoder longer.
_MAX_SEGMENTS = 200_000
_MAX_SCANS = 100
_MAX_TILE = 4096 * 4096
_GAP = rb'(?:\s|#[^\n]*\n)+'
_PNM_BITS = re.compile(rb'P([14])G(\d{1,9})G(\d{1,9})\s'.replace(b'G', _GAP))
_PNM_VALUES = re.compile(rb'P([2356])G(\d{1,9})G(\d{1,9})G(\d{1,5})\s'.replace(b'G', _GAP))
_ORIENTATION = 274
# Types of a tag's value by struct's letters; EXIF wants SHORT, and some programs write another.
_LONG = 4
_INTEGERS = {1: 'B', 3: 'H', _LONG: 'I'}


class Stored(NamedTuple):
    """What a header says of the pixels as they are stored.

    Attributes:
        width, height: pixels.
        orientation: as in EXIF, 1 to 8.
        whole: False where the file ends before its pixels do.
        orientation_at: where in the file a TIFF says its orientation, which
            its decoders follow whether they are asked to or not; 0 elsewhere.
    """

    width: int
    height: int
    orientation: int = 1
    whole: bool = True
    orientation_at: int = 0


def kind_of(data: bytes) -> str:
    """What kind of image these bytes begin: one that is read.

    Raises:
        ValueError: none of these; the message names the kind where it is known.

    >>> kind_of(b'GIF89a and so on')
    'GIF'
    """
    start = data[:64]
    for kind, beginning in _READ:
        if beginning.match(start):
            return kind
    for kind, beginning in _UNREAD:
        if beginning.match(start):
            raise ValueError(f'a {kind} file, which is not read; save it as JPEG or PNG')
    raise ValueError('not an image that is read; a JPEG, PNG, WebP, TIFF, BMP, GIF or PNM file is wanted')


def parse(kind: str, data: bytes) -> Stored | None:
    """Size and orientation from a file's bytes; None for the kinds whose library has to be asked (AVIF, HEIC).

    Raises:
        ValueError: what is wrong with them.
    """
    if kind not in _PARSERS:
        return None
    try:
        return _PARSERS[kind](data)
    except (IndexError, struct.error) as error:
        raise ValueError('truncated image; copy it again from its source') from error


def _jpeg(data: bytes) -> Stored:
    """Walk the segments (ITU T.81, annex B) to the end marker; what cameras append does not matter."""
    at, scans = 2, 0
    size: tuple[int, int] | None = None
    orientation: int | None = None
    for _ in range(_MAX_SEGMENTS):
        found = _JPEG_MARKER.search(data, at)
        if found is None:
            break
        at = found.end()
        marker = data[at - 1]
        if marker == 0xD9:
            if size is None:
                raise ValueError('not an image that is read: a JPEG file without a picture; copy it again')
            return Stored(*size, orientation or 1)
        if marker == 0x01 or at + 2 > len(data):  # TEM has no length
            continue
        if marker in _JPEG_FRAMES and size is None:
            height, width = struct.unpack_from('>HH', data, at + 3)
            size = width, height
        elif marker == 0xE1 and orientation is None and data[at + 2 : at + 8] == b'Exif\0\0':
            orientation = _exif_orientation(data[at + 8 : at + int.from_bytes(data[at : at + 2], 'big')])
        elif marker == 0xDA:
            scans += 1
            if scans > _MAX_SCANS:
                raise ValueError(f'a JPEG file of more than {_MAX_SCANS} scans; save it anew')
        at += int.from_bytes(data[at : at + 2], 'big')
    return Stored(*(size or (0, 0)), orientation or 1, whole=False)


def _png(data: bytes) -> Stored:
    """Walk the chunks (PNG 1.2, 5.3, and its extension eXIf) to IEND."""
    if data[12:16] != b'IHDR':
        raise ValueError('truncated image; copy it again from its source')
    width, height = struct.unpack_from('>II', data, 16)
    at, orientation, view = 8, 1, memoryview(data)
    for _ in range(_MAX_SEGMENTS):
        if len(data) < at + 8:
            return Stored(width, height, orientation, whole=False)
        length, name = struct.unpack_from('>I4s', data, at)
        end = at + 12 + length
        if end > len(data):
            return Stored(width, height, orientation, whole=False)
        if zlib.crc32(view[at + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], 'big'):
            raise ValueError('a damaged image; copy it again from its source')
        if name == b'IEND':
            return Stored(width, height, orientation)
        if name == b'eXIf':
            orientation = _exif_orientation(data[at + 8 : at + 8 + min(length, 1 << 20)])
        at = end
    raise ValueError(f'a PNG file of more than {_MAX_SEGMENTS} parts; save it anew')


def _webp(data: bytes) -> Stored:
    """The chunks of a RIFF file (RFC 9649)."""
    end = 8 + struct.unpack_from('<I', data, 4)[0]
    at, orientation, flags = 12, 1, 0
    size: tuple[int, int] | None = None
    for _ in range(_MAX_SEGMENTS):
        if at + 8 > min(end, len(data)):
            break
        name, length = struct.unpack_from('<4sI', data, at)
        start = at + 8
        if name == b'VP8X':
            flags = data[start]
            width, height = (int.from_bytes(data[start + i : start + i + 3], 'little') + 1 for i in (4, 7))
            size = width, height
        elif name == b'VP8 ' and size is None:
            width, height = struct.unpack_from('<HH', data, start + 6)
            size = width & 0x3FFF, height & 0x3FFF
        elif name == b'VP8L' and size is None:
            bits = struct.unpack_from('<I', data, start + 1)[0]
            size = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        elif name == b'EXIF' and flags & 8:
            orientation = _exif_orientation(data[start : start + min(length, 1 << 20)].removeprefix(b'Exif\0\0'))
        at = start + length + length % 2
    if size is None:
        raise ValueError('not an image that is read: a WebP file without a picture; copy it again')
    return Stored(*size, orientation, whole=len(data) >= end)


def _bmp(data: bytes) -> Stored:
    start, length = struct.unpack_from('<II', data, 10)
    if length == 12:
        width, height, _, bits = struct.unpack_from('<HHHH', data, 18)
        compression = 0
    else:
        width, height, _, bits, compression = struct.unpack_from('<iiHHI', data, 18)
    height = abs(height)  # negative: the first row is the top one
    plain = compression in (0, 3)
    return Stored(width, height, whole=not plain or len(data) >= start + (width * bits + 31) // 32 * 4 * height)


def _pnm(data: bytes) -> Stored:
    start = data[:4096]
    if found := _PNM_BITS.match(start):
        row = (int(found[2]) + 7) // 8
    elif found := _PNM_VALUES.match(start):
        row = int(found[2]) * (3 if found[1] in b'36' else 1) * (2 if int(found[4]) > 255 else 1)
    else:
        raise ValueError('not an image that is read: a PNM file without a size; copy it again')
    width, height, in_text = int(found[2]), int(found[3]), found[1] in b'123'
    return Stored(width, height, whole=in_text or len(data) >= found.end() + row * height)


def _gif(data: bytes) -> Stored:
    return Stored(*struct.unpack_from('<HH', data, 6))


def _tiff(data: bytes) -> Stored:
    """The first picture of the file (TIFF 6.0)."""
    order, tags = _tags(data)

    def values(tag: int, default: int = 0) -> np.ndarray:
        """All values of a tag, as int64; [default] where it is not there."""
        if tag not in tags:
            return np.array([default])
        kind, count, at = tags[tag]
        size = {3: 2, 4: 4}.get(kind, 1)
        at = at if size * count <= 4 else struct.unpack_from(f'{order}I', data, at)[0]
        if count == 0 or at + size * count > len(data):
            raise IndexError
        return np.frombuffer(data, f'{order}u{size}', count, at).astype(np.int64)

    width, height = int(values(256)[0]), int(values(257)[0])
    if values(258, 1).max() > 16 or values(339, 1).max() == 3:
        raise ValueError('a TIFF file whose pixels are not of 8 or 16 bits; save it as JPEG or PNG')
    if int(values(322)[0]) * int(values(323)[0]) > _MAX_TILE:
        raise ValueError('a TIFF file of very large tiles; save it as JPEG or PNG')
    starts, lengths = (values(273), values(279)) if 273 in tags else (values(324), values(325))
    whole = len(starts) != len(lengths) or int((starts + lengths).max()) <= len(data)
    kind, _, at = tags.get(_ORIENTATION, (3, 1, 0))
    if order == '>' and kind == _LONG:
        at += 2  # to its low half
    return Stored(width, height, _valid(int(values(_ORIENTATION, 1)[0])), whole, at)


def _tags(data: bytes) -> tuple[str, dict[int, tuple[int, int, int]]]:
    """Byte order, and type, count and place of the value of each tag of the first directory (TIFF 6.0, section 2)."""
    order = {b'II*\0': '<', b'MM\0*': '>'}.get(data[:4])
    if order is None:
        raise ValueError('not a directory of tags')
    start = struct.unpack_from(f'{order}I', data, 4)[0]
    count = struct.unpack_from(f'{order}H', data, start)[0]
    tags: dict[int, tuple[int, int, int]] = {}
    for at in range(start + 2, start + 2 + 12 * count, 12):
        tag, kind, number = struct.unpack_from(f'{order}HHI', data, at)
        tags.setdefault(tag, (kind, number, at + 8))
    return order, tags


def _exif_orientation(data: bytes) -> int:
    """The orientation in an EXIF block; 1 where it has none, or is damaged."""
    try:
        order, tags = _tags(data)
        kind, count, at = tags[_ORIENTATION]
        letter = _INTEGERS.get(kind)
        return _valid(struct.unpack_from(order + letter, data, at)[0]) if letter and count >= 1 else 1
    except (ValueError, KeyError, IndexError, struct.error):
        return 1


def _valid(orientation: int) -> int:
    return orientation if 1 <= orientation <= 8 else 1


_PARSERS: dict[str, Callable[[bytes], Stored]] = {
    'JPEG': _jpeg,
    'PNG': _png,
    'WebP': _webp,
    'BMP': _bmp,
    'PNM': _pnm,
    'GIF': _gif,
    'TIFF': _tiff,
}
