"""Video files and cameras: frames in, frames out. FFmpeg (PyAV) is loaded when the first file comes."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np

from facealign.errors import FaceAlignError
from facealign.io.image import turned
from facealign.io.image_header import max_pixels
from facealign.utils.files import atomic_path

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

VIDEO_SUFFIXES = ('.mp4', '.avi', '.mov', '.mkv', '.webm', '.m4v', '.mpg', '.mpeg', '.wmv', '.3gp', '.mts', '.m2ts')
# What FFmpeg may take a file for: no playlist, which would make it open other files.
_CONTAINERS = 'mov,mp4,m4a,3gp,3g2,mj2,avi,matroska,webm,mpeg,mpegts,mpegvideo,asf,flv,ogg,h264,hevc,m4v'
# Of these the first time is arbitrary, and players count from it.
_CONTAINERS_OF_STREAMS = {'mpeg', 'mpegts', 'asf'}
# Damaged packets, or frames of a camera, in a row after which there is nothing more to come.
_MAX_BAD = 25
_ENCODERS: tuple[tuple[str, dict[str, str]], ...] = (
    ('libx264', {'crf': '18', 'preset': 'veryfast'}),
    ('libopenh264', {}),
    ('libvpx-vp9', {'crf': '24'}),
)
_SECOND = 1_000_000  # FFmpeg's AV_TIME_BASE
_UNSPECIFIED = 2  # FFmpeg's AVCOL_SPC_UNSPECIFIED
_CLOCK = 90_000  # ticks a second of written videos, as MPEG has them


class Frame(NamedTuple):
    """One picture of a video.

    Attributes:
        number: from 0; frames that cannot be decoded are counted too.
        time: of its presentation, in seconds of the player's clock.
        image: BGR [H, W, 3] uint8, turned as the file says.
    """

    number: int
    time: float
    image: np.ndarray


class VideoReader:
    """The frames of a video file or a camera.

    Args:
        source: a file, or the number of a camera.

    Attributes:
        frames: how many frames the file says it has; None where it does not say, and for a camera.
        fps: frames a second, on average.
        read: how many were decoded so far.

    Raises:
        FaceAlignError: it cannot be opened, or its pictures are too large.
    """

    def __init__(self, source: str | os.PathLike[str] | int) -> None:
        self._name = f'camera {source}' if isinstance(source, int) else str(source)
        self.read = self._lost = self._discarded = 0
        self._reached = self._duration = 0.0  # seconds, of any stream
        self._source = _open_camera(source) if isinstance(source, int) else _open_file(Path(source))
        self.frames: int | None = None
        if isinstance(source, int):
            self._fps = self._source.get(cv2.CAP_PROP_FPS)
            self._frames = self._of_camera
        else:
            stream = self._source.streams.video[0]
            self.frames = stream.frames or None
            self._duration = (self._source.duration or 0) / _SECOND
            self._fps = float(stream.average_rate or stream.guessed_rate or 0)
            self._frames = self._of_file
        self.fps = self._fps if 1 <= self._fps <= 1000 else 25.0

    def __iter__(self) -> Iterator[Frame]:
        """The frames in order of presentation; damaged ones are left out, not renumbered. Times never fall."""
        return self._frames()

    def check_complete(self) -> None:
        """Raises FaceAlignError where frames were missing; containers are allowed to count one too many."""
        if self.read == 0:
            raise FaceAlignError(f'{self._name}: no frame can be decoded; convert it to .mp4 (H.264)')
        expected = (self.frames or 0) - self._discarded
        if self._lost or self.read < expected - 1:
            expected = max(expected, self.read + self._lost)
            raise FaceAlignError(
                f'{self._name}: only {self.read} of {expected} frames can be decoded; the results hold these'
            )
        if self.frames is None and self._reached < 0.9 * self._duration - 1:
            raise FaceAlignError(
                f'{self._name}: ends after {self._reached:.1f} of {self._duration:.1f} seconds; '
                'the results hold what is there'
            )

    def _of_camera(self) -> Iterator[Frame]:
        start, bad, number = time.monotonic(), 0, 0
        try:
            while bad <= _MAX_BAD:
                decoded, image = self._source.read()
                if decoded and image is not None:
                    self.read, bad = self.read + 1, 0
                    yield Frame(number, time.monotonic() - start, image)
                else:
                    bad += 1
                number += 1
        finally:
            self._source.release()

    def _of_file(self) -> Iterator[Frame]:
        stream = self._source.streams.video[0]
        first = self._source.start_time if self._source.format.name in _CONTAINERS_OF_STREAMS else None
        offset = (first or 0) / _SECOND
        last = -1 / self.fps
        with self._source:
            for frame in self._decode(stream):
                seconds = last + 1 / self.fps if frame.time is None else frame.time - offset
                last = max(last, seconds, 0.0)
                number, image = self.read + self._lost, self._to_image(frame)
                if image is None:
                    self._lost += 1
                    continue
                self.read += 1
                yield Frame(number, last, image)

    def _decode(self, stream: Any) -> Iterator[Any]:
        """FFmpeg's frames; damaged packets are counted in ``_lost``."""
        import av

        bad = 0
        packets = self._source.demux()  # of all streams: they tell whether the file goes on to its end
        while bad <= _MAX_BAD:
            try:
                packet = next(packets, None)
                if packet is None:
                    return
            except av.error.FFmpegError:  # the container itself ends early
                self._lost += 1
                return
            if packet.pts is not None:
                self._reached = max(self._reached, float(packet.pts * packet.time_base))
            if packet.stream != stream:
                continue
            try:
                self._discarded += packet.is_discard
                frames = packet.decode()
                bad = 0
            except av.error.FFmpegError:
                bad, self._lost = bad + 1, self._lost + 1
                continue
            yield from frames

    def _to_image(self, frame: Any) -> np.ndarray | None:
        """BGR [H, W, 3] uint8, turned; None where it is too large or of colours that FFmpeg cannot convert."""
        if frame.width * frame.height > max_pixels():
            return None
        orientation = _orientation(frame)
        for colorspace in (frame.colorspace, _UNSPECIFIED):
            frame.colorspace = colorspace  # one that FFmpeg has no conversion from is taken for the usual one
            with suppress(OSError, ValueError):  # FFmpeg's errors are these, too
                return turned(frame.to_ndarray(format='bgr24'), orientation)
        return None


def _open_camera(number: int) -> Any:
    capture = cv2.VideoCapture(number)
    if not capture.isOpened():
        raise FaceAlignError(f'camera {number}: cannot be opened; check that it is plugged in and free')
    return capture


def _open_file(path: Path) -> Any:
    """A PyAV container with a video stream that can be decoded."""
    try:
        if not path.is_file():  # nor a pipe or a device, which FFmpeg would wait for
            raise FaceAlignError(f'{path}: no such video file')
        if path.stat().st_size == 0:
            raise FaceAlignError(f'{path}: empty file; copy it again from its source')
    except (OSError, ValueError) as error:
        raise FaceAlignError(f'{path}: cannot be read ({error}); check the name and your permissions') from error
    av = _load_av()
    options = {'format_whitelist': _CONTAINERS, 'protocol_whitelist': 'file'}
    try:
        container = av.open(f'file:{path}', options=options, metadata_errors='ignore')
    except (av.error.FFmpegError, ValueError, UnicodeError) as error:
        raise FaceAlignError(f'{path}: not a video that FFmpeg can open; convert it to .mp4 (H.264)') from error
    videos = container.streams.video
    codec = videos[0].codec_context if videos else None
    if codec is None or codec.width < 1 or codec.height < 1:
        container.close()
        raise FaceAlignError(f'{path}: holds no pictures that FFmpeg can decode; convert it to .mp4 (H.264)')
    if codec.width * codec.height > max_pixels():
        container.close()
        raise FaceAlignError(f'{path}: {codec.width}×{codec.height} is too large; scale it down')
    codec.options = {'max_pixels': str(max_pixels())}  # a frame may say another size than the container
    codec.thread_type = 'AUTO'
    return container


def _load_av() -> Any:
    try:
        import av
        import av.logging
    except ImportError as error:
        raise FaceAlignError('videos: PyAV is not installed; pip install av') from error
    av.logging.set_level(av.logging.PANIC)  # damaged files are reported here, in one line
    return av


def _orientation(frame: Any) -> int:
    """The EXIF orientation, 1 to 8, that turns as a frame's display matrix does (libavutil/display.h)."""
    side_data = frame.side_data.get('DISPLAYMATRIX')
    if side_data is None:
        return 1
    a, b, _, c, d = np.frombuffer(bytes(side_data), dtype=np.int32)[:5].tolist()
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return {(1, 1): 1, (-1, 1): 2, (-1, -1): 3, (1, -1): 4}[_sign(a), _sign(d)]
    return {(1, 1): 5, (1, -1): 6, (-1, -1): 7, (-1, 1): 8}[_sign(b), _sign(c)]


def _sign(value: int) -> int:
    return -1 if value < 0 else 1


class VideoWriter:
    """Writes an .mp4 file that browsers play (H.264, 4:2:0), which appears when all is written.

    An odd width or height is widened by a pixel, as 4:2:0 needs; all frames
    take the size of the first.

    Args:
        path: of the file.
        fps: frames a second, for those that come without a time.

    Raises:
        FaceAlignError: it cannot be written.
    """

    def __init__(self, path: Path, fps: float) -> None:
        self._path, self._fps = path, fps
        self._place: AbstractContextManager[Path] | None = None
        self._container: Any = None
        self._stream: Any = None
        self._size = (0, 0)
        self._ticks = -1

    def write(self, image: np.ndarray, seconds: float | None = None) -> None:
        """Add a BGR image [H, W, 3] uint8, shown from ``seconds`` on (later than the one before)."""
        av = _load_av()
        try:
            if self._container is None:
                self._open(av, (image.shape[1], image.shape[0]))
            if image.shape[1::-1] != self._size:
                image = cv2.resize(image, self._size, interpolation=cv2.INTER_AREA)
            odd = (image.shape[0] % 2, image.shape[1] % 2)
            if any(odd):
                image = cv2.copyMakeBorder(image, 0, odd[0], 0, odd[1], cv2.BORDER_REPLICATE)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format='bgr24')
            step = round(_CLOCK / self._fps)
            wanted = self._ticks + step if seconds is None else round(seconds * _CLOCK)
            self._ticks = 0 if self._ticks < 0 and seconds is None else max(wanted, self._ticks + 1)
            frame.pts, frame.time_base = self._ticks, Fraction(1, _CLOCK)
            self._container.mux(self._stream.encode(frame))
        except av.error.FFmpegError as error:
            raise self._failed(error) from error

    def _open(self, av: Any, size: tuple[int, int]) -> None:
        self._size = size
        place = atomic_path(self._path)
        temporary = place.__enter__()
        self._place = place
        self._container = av.open(str(temporary), 'w', format='mp4', options={'movflags': '+faststart'})
        name, options = next(((n, o) for n, o in _ENCODERS if n in av.codecs_available), (None, {}))
        if name is None:
            raise FaceAlignError(f'{self._path}: this PyAV writes no H.264; pip install av, or leave out --save-video')
        stream = self._container.add_stream(name, rate=Fraction(self._fps).limit_denominator(1001), options=options)
        stream.width, stream.height = (side + side % 2 for side in size)
        stream.pix_fmt = 'yuv420p'
        stream.codec_context.time_base = stream.time_base = Fraction(1, _CLOCK)
        self._stream = stream

    def _failed(self, error: Exception) -> FaceAlignError:
        return FaceAlignError(f'{self._path}: cannot be written ({error}); check its folder and the disk space')

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        if self._place is None:
            return
        failure = FaceAlignError('not finished') if kind else None
        try:
            self._close(flush=kind is None)
        except FaceAlignError as own:
            failure = own
        # Of an error, its place is told no more than that there was one: an OSError need not be of this file.
        self._place.__exit__(type(failure) if failure else None, failure, None)
        if failure is not None and kind is None:
            raise failure

    def _close(self, flush: bool) -> None:
        av = _load_av()
        try:
            if flush and self._stream is not None:
                self._container.mux(self._stream.encode(None))
            if self._container is not None:
                self._container.close()
        except av.error.FFmpegError as error:
            if flush:
                raise self._failed(error) from error
