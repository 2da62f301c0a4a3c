"""Headers of image files against Pillow's, for whole files, cut ones and hostile ones."""

from __future__ import annotations

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from facealign.io.image import decode_image
from facealign.io.image_formats import kind_of
from facealign.io.image_header import inspect

WIDTH, HEIGHT = 90, 60
# Pillow's format, what it is saved with, and by how much decoders may differ.
KINDS = [
    ('JPEG', dict(quality=95), 3),
    ('JPEG', dict(quality=95, progressive=True), 3),
    ('PNG', {}, 0),
    ('WEBP', dict(lossless=True), 0),
    ('WEBP', dict(quality=90), 6),
    ('TIFF', {}, 0),
    ('TIFF', dict(compression='tiff_lzw'), 0),
    ('TIFF', dict(compression='tiff_adobe_deflate'), 0),
    ('BMP', {}, 0),
    ('PPM', {}, 0),
]


def pixels(seed: int = 0) -> np.ndarray:
    blocks = np.random.default_rng(seed).integers(0, 255, (6, 9, 3), dtype=np.uint8)
    return cv2.resize(blocks, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)


def encode(kind: str, orientation: int = 1, image: np.ndarray | None = None, mode: str = 'RGB', **how) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    picture = Image.fromarray(pixels() if image is None else image).convert(mode)
    picture.save(buffer, kind, **({} if kind in ('BMP', 'PPM', 'GIF') else dict(exif=exif)), **how)
    return buffer.getvalue()


@pytest.mark.parametrize('orientation', range(1, 9))
@pytest.mark.parametrize('kind, how, tolerance', KINDS[:8])
def test_pictures_are_turned_as_pillow_turns_them(kind, how, tolerance, orientation) -> None:
    for mode in ('RGB', 'L'):
        data = encode(kind, orientation, mode=mode, **how)
        expected = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert('RGB'))[..., ::-1]
        shown = decode_image(data)
        assert shown.shape == expected.shape
        assert np.abs(shown.astype(int) - expected).max() <= tolerance
        header = inspect(data)
        assert (header.orientation, header.size) == (orientation, shown.shape[1::-1])


@pytest.mark.parametrize('order', '<>')
@pytest.mark.parametrize('of_type', [3, 4])
@pytest.mark.parametrize('kind', ['JPEG', 'PNG', 'WEBP'])
def test_orientations_of_either_width_and_byte_order(kind, of_type, order) -> None:
    for orientation in range(1, 9):
        value = struct.pack(f'{order}HH', orientation, 0) if of_type == 3 else struct.pack(f'{order}I', orientation)
        mark = b'II*\0' if order == '<' else b'MM\0*'
        tags = mark + struct.pack(f'{order}IHHHI', 8, 1, 274, of_type, 1) + value + bytes(4)
        buffer = io.BytesIO()
        Image.fromarray(pixels()).save(buffer, kind, exif=tags if kind == 'PNG' else b'Exif\0\0' + tags)
        assert inspect(buffer.getvalue()).orientation == orientation


def test_pnm_in_text_may_end_with_its_last_number() -> None:
    values = pixels()
    text = f'P3 {WIDTH} {HEIGHT} 255 ' + ' '.join(map(str, values.ravel()))
    np.testing.assert_array_equal(decode_image(text.encode()), values[..., ::-1])


@pytest.mark.parametrize('of_type', [3, 4])
@pytest.mark.parametrize('orientation', [3, 6])
def test_tiff_of_other_byte_order_and_depth(orientation, of_type) -> None:
    grey = pixels()[..., 0].astype('>u2') * 257
    entries = [(256, 3, WIDTH), (257, 3, HEIGHT), (258, 3, 16), (259, 3, 1), (262, 3, 1), (273, 4, 8 + 2 + 9 * 12 + 4)]
    entries += [(274, of_type, orientation), (277, 3, 1), (279, 4, grey.nbytes)]
    directory = b''.join(
        struct.pack('>HHI', tag, kind, 1) + (struct.pack('>HH', value, 0) if kind == 3 else struct.pack('>I', value))
        for tag, kind, value in entries
    )
    data = b'MM\0*' + struct.pack('>IH', 8, len(entries)) + directory + bytes(4) + grey.tobytes()
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    np.testing.assert_array_equal(decode_image(data)[..., 0], np.asarray(expected) >> 8)


@settings(max_examples=60)
@given(
    st.sampled_from(KINDS), st.integers(12, 300), st.integers(12, 300), st.sampled_from(['RGB', 'L']), st.integers(1, 8)
)
def test_sizes_are_pillow_s(kind, width, height, mode, orientation) -> None:
    name, how, _ = kind
    data = encode(name, orientation, np.zeros((height, width, 3), np.uint8), mode, **how)
    turned = orientation >= 5 and name not in ('BMP', 'PPM')
    assert inspect(data).size == ((height, width) if turned else (width, height))
    assert inspect(data).size == ImageOps.exif_transpose(Image.open(io.BytesIO(data))).size


@settings(max_examples=300)
@given(st.sampled_from(KINDS), st.data())
def test_damaged_files_are_an_image_or_a_value_error(kind, data) -> None:
    name, how, _ = kind
    whole = bytearray(encode(name, 6, **how))
    for _ in range(data.draw(st.integers(0, 6))):
        whole[data.draw(st.integers(0, min(len(whole) - 1, 400)))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(whole)))
    try:
        image = decode_image(bytes(whole[:cut] if data.draw(st.booleans()) else whole))
    except ValueError as error:
        assert '\n' not in str(error)
    else:
        assert image.dtype == np.uint8 and image.ndim == 3


@pytest.mark.parametrize('share', [0.3, 0.7, 0.98])
@pytest.mark.parametrize('kind, how, _', KINDS)
def test_a_cut_file_is_truncated(kind, how, _, share) -> None:
    data = encode(kind, **how)
    with pytest.raises(ValueError, match='truncated|damaged'):
        decode_image(data[: int(len(data) * share)])


def png(width: int, height: int, *more: bytes) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack('>I', len(data)) + name + data + struct.pack('>I', zlib.crc32(name + data))

    head = chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, 1, 0, 0, 0, 0))
    rows = chunk(b'IDAT', zlib.compress(bytes(100)))
    return b'\x89PNG\r\n\x1a\n' + head + rows + b''.join(more) + chunk(b'IEND', b'')


def huge_headers(side: int) -> dict[str, bytes]:
    """Small files that say they hold ``side`` × ``side`` pixels."""
    long, short = struct.pack('<I', side), struct.pack('>H', side)
    entries = [(256, 4, side), (257, 4, side), (258, 3, 1), (259, 3, 1), (262, 3, 1), (273, 4, 8), (279, 4, 8)]
    directory = b''.join(struct.pack('<HHII', tag, kind, 1, value) for tag, kind, value in entries)
    return {
        'JPEG': b'\xff\xd8\xff\xc0\0\x0b\x08' + short + short + b'\x01\x01\x11\0\xff\xda\0\x02\xff\xd9',
        'PNG': png(side, side),
        'BMP': b'BM' + bytes(8) + struct.pack('<II', 54, 40) + long + long + struct.pack('<HHI', 1, 24, 1) + bytes(20),
        'PNM': f'P2\n# a comment\n{side} {side}\n255\n'.encode(),
        'GIF': b'GIF89a' + struct.pack('<HH', side, side) + bytes(30),
        'TIFF': b'II*\0' + struct.pack('<IH', 8, len(entries)) + directory + bytes(4),
        'WebP': b'RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0' + bytes(4) + (struct.pack('<I', side - 1)[:3] * 2),
    }


@pytest.mark.parametrize('kind', list(huge_headers(1)))
def test_a_picture_of_too_many_pixels_is_refused_by_its_header(kind, monkeypatch) -> None:
    def decoder(*_: object) -> None:
        raise AssertionError('it was decoded')

    monkeypatch.setattr(cv2, 'imdecode', decoder)
    data = huge_headers(30_000)[kind]
    assert kind_of(data) == kind
    with pytest.raises(ValueError, match='30000×30000 is more than 100 million pixels'):
        decode_image(data)
    monkeypatch.setenv('FACEALIGN_MAX_PIXELS', '1000000')
    with pytest.raises(ValueError, match='1001×1001 is more than 1 million pixels'):
        decode_image(huge_headers(1001)[kind])


@pytest.mark.parametrize(
    'start, kind',
    [
        (b'\0\0\0\x0cjP  \r\n\x87\n', 'JPEG 2000'),
        (b'\xff\x4f\xff\x51', 'JPEG 2000'),
        (b'#?RADIANCE\n', 'Radiance HDR'),
        (b'\x76\x2f\x31\x01', 'OpenEXR'),
        (b'\x59\xa6\x6a\x95', 'Sun raster'),
        (b'PF\n9 9\n', 'PFM'),
        (b'P7\nWIDTH 9', 'PAM'),
        (b'8BPS', 'Photoshop'),
        (b'\xff\x0a', 'JPEG XL'),
        (b'II+\0', 'BigTIFF'),
    ],
)
def test_kinds_that_are_not_documented_reach_no_decoder(start, kind, monkeypatch) -> None:
    monkeypatch.setattr(cv2, 'imdecode', None)
    with pytest.raises(ValueError, match=f'a {kind} file, which is not read'):
        decode_image(start + bytes(200))


def test_hostile_tiffs() -> None:
    def tiff(*entries: tuple[int, int, int]) -> bytes:
        directory = b''.join(struct.pack('<HHII', tag, kind, 1, value) for tag, kind, value in entries)
        return b'II*\0' + struct.pack('<IH', 8, len(entries)) + directory + bytes(4)

    size = [(256, 3, 20), (257, 3, 20)]
    for more, message in [
        ([(322, 4, 100_000), (323, 4, 100_000)], 'large tiles'),
        ([(258, 3, 32)], 'not of 8 or 16 bits'),
        ([(339, 3, 3)], 'not of 8 or 16 bits'),
        ([(273, 4, 8), (279, 4, 1 << 30)], 'truncated'),
        ([], 'damaged'),
    ]:
        with pytest.raises(ValueError, match=message):
            decode_image(tiff(*size, *more))
    with pytest.raises(ValueError, match='0×0'):
        decode_image(tiff())
    with pytest.raises(ValueError, match='truncated'):
        decode_image(b'II*\0\xff\xff\xff\x7f')


def test_files_of_endless_parts_are_refused_quickly() -> None:
    many = png(20, 20)[:-12] + struct.pack('>I4sI', 0, b'tEXt', zlib.crc32(b'tEXt')) * 300_000
    with pytest.raises(ValueError, match='parts|truncated'):
        decode_image(many)
    whole = encode('JPEG', progressive=True)
    scan = whole[whole.index(b'\xff\xda') : whole.rindex(b'\xff\xda')]
    with pytest.raises(ValueError, match='more than 100 scans'):
        decode_image(whole[:-2] + scan * 40 + b'\xff\xd9')


def test_the_first_picture_of_a_gif() -> None:
    frames = [Image.fromarray(pixels(seed)).quantize() for seed in range(3)]
    buffer = io.BytesIO()
    frames[0].save(buffer, 'GIF', save_all=True, append_images=frames[1:])
    expected = np.asarray(frames[0].convert('RGB'))[..., ::-1]
    np.testing.assert_array_equal(decode_image(buffer.getvalue()), expected)


@pytest.mark.parametrize('orientation', range(1, 9))
@pytest.mark.parametrize('kind, library', [('AVIF', None), ('HEIF', 'pillow_heif')])
def test_photos_of_phones(kind, library, orientation) -> None:
    if library:
        pytest.importorskip(library).register_heif_opener()
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    try:
        Image.fromarray(pixels()).save(buffer, kind, exif=exif.tobytes(), quality=90)
    except (KeyError, OSError):
        pytest.skip(f'this Pillow writes no {kind}')
    data = buffer.getvalue()
    expected = decode_image(encode('PNG', orientation))
    shown = decode_image(data)
    assert shown.shape == expected.shape and inspect(data).size == expected.shape[1::-1]
    assert np.abs(shown.astype(int) - expected).mean() < 12


def test_heic_is_named_where_its_library_is_missing(monkeypatch) -> None:
    monkeypatch.setitem(__import__('sys').modules, 'pillow_heif', None)
    with pytest.raises(ValueError, match=r'facealign\[heif\]'):
        decode_image(b'\0\0\0\x18ftypheic' + bytes(200))
