"""Files in, result files out: what ``facealign align`` does once its arguments are read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from facealign import __version__
from facealign.errors import FaceAlignError, printable
from facealign.inference.aligner import FaceAligner
from facealign.inference.file_content import file_state
from facealign.inference.result_folder import ResultFolder
from facealign.inference.result_names import drawn_file
from facealign.inference.sources import Source
from facealign.inference.tracking import FaceTracker
from facealign.inference.writers import record_of
from facealign.io.image import read_image
from facealign.io.video import VideoReader, VideoWriter
from facealign.structures.face import Face
from facealign.utils.progress import RunProgress
from facealign.visualization.overlay import Overlay

_JPEG_QUALITY = 95


@dataclass(frozen=True)
class Options:
    """What to write; see ``facealign align --help``.

    ``out`` None prints one JSON line an image instead of writing files.
    """

    out: Path | None
    formats: tuple[str, ...] = ('json',)
    save_images: bool = False
    save_video: bool = False
    show: bool = False
    smooth: bool = False
    restart: bool = False
    overlay: Overlay = field(default_factory=Overlay)
    settings: dict[str, Any] = field(default_factory=dict)


def align_files(aligner: FaceAligner, sources: Sequence[Source], options: Options) -> int:
    """Align every source and write the results; returns the exit status: 1 where a source failed, else 0.

    Raises:
        FaceAlignError: the results cannot be written.
    """
    folder = None
    if options.out is not None:
        folder = ResultFolder(options.out, aligner.model.info.markup, options.formats)
        settings = {**options.settings, 'model': aligner.model.name, 'smooth': options.smooth}
        sources = folder.open(sources, settings, options.restart, options.save_images, options.save_video)
    with RunProgress(len(sources)) as progress:
        run = _Run(aligner, options, progress, folder)
        try:
            run.do(sources)
        finally:
            if folder is not None:
                folder.write_failures(progress.failures)
        if folder is not None:
            about = dict(facealign=__version__, model=printable(aligner.model.name), scores=aligner.model.info.scores)
            folder.write_tables(about)
    print_to = progress.summary()
    where = f'results in {options.out}' if options.out else 'nothing written; --out DIR writes files'
    progress.console.print(printable(f'{print_to}; {where}'), markup=False, highlight=False, soft_wrap=True)
    return 1 if progress.failures else 0


@dataclass(frozen=True)
class _Pending:
    """An image whose faces wait for the network.

    Attributes:
        source: where it is from.
        image: BGR [H, W, 3] uint8.
        boxes: [N, 5].
        state, made_with, drawn: see :class:`facealign.inference.journal.Journal`.
    """

    source: Source
    image: np.ndarray
    boxes: np.ndarray
    state: str
    made_with: str
    drawn: str


class _Run:
    def __init__(
        self, aligner: FaceAligner, options: Options, progress: RunProgress, folder: ResultFolder | None
    ) -> None:
        self._aligner, self._options, self._progress, self._folder = aligner, options, progress, folder
        self._pending: list[_Pending] = []

    def do(self, sources: Sequence[Source]) -> None:
        for source in sources:
            try:
                made_with, drawn = self._made_with(source), self._drawn(source)
                if self._folder is not None and self._folder.is_done(source, made_with, drawn):
                    self._progress.skip()
                elif source.reason:
                    raise FaceAlignError(source.reason)
                elif source.kind == 'image':
                    self._take_image(source, made_with, drawn)
                else:
                    self._flush()
                    self._do_video(source, made_with, drawn)
            except FaceAlignError as error:
                self._fail(source, error)
        self._flush()

    def _fail(self, source: Source, error: FaceAlignError) -> None:
        reason = self._progress.fail(source.name, str(error))
        if self._folder is not None:
            self._folder.fail(source, reason)

    def _drawn(self, source: Source) -> str:
        """What is drawn; empty where no drawing is wanted."""
        wanted = self._options.save_images if source.kind == 'image' else self._options.save_video
        return repr(self._options.overlay) if wanted else ''

    def _made_with(self, source: Source) -> str:
        """What the points of a source depend on besides its content: its boxes in the user's file."""
        if source.reason or not getattr(self._aligner.detector, 'by_path', False):
            return ''
        try:
            boxes = self._aligner.detector(None, source.path)  # type: ignore[call-arg, arg-type]
        except FaceAlignError:
            return 'none'
        return hashlib.sha256(boxes.tobytes()).hexdigest()

    def _take_image(self, source: Source, made_with: str, drawn: str) -> None:
        state = file_state(source.path)
        image = read_image(source.path)
        boxes = self._aligner.detect(image, source.path)
        self._pending.append(_Pending(source, image, boxes, state, made_with, drawn))
        if self._aligner.is_full([(one.image, one.boxes) for one in self._pending]):
            self._flush()

    def _flush(self) -> None:
        pending, self._pending = self._pending, []
        found = self._aligner.align([one.image for one in pending], [one.boxes for one in pending], turned=True)
        for one, faces in zip(pending, found):
            try:
                self._finish_image(one, faces)
            except FaceAlignError as error:
                self._fail(one.source, error)

    def _finish_image(self, one: _Pending, faces: list[Face]) -> None:
        record = record_of(one.source.name, faces)
        if self._folder is None:
            print(json.dumps(record, separators=(',', ':')), flush=True)
        else:
            picture = None
            if one.drawn:
                image = self._options.overlay.draw(one.image, faces, one.source.path)
                picture = cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1].tobytes()
            self._folder.add_image(one.source, record, picture, one.state, one.made_with, one.drawn)
        self._progress.done(one.source.name, len(faces))

    def _do_video(self, source: Source, made_with: str, drawn: str) -> None:
        state = file_state(source.path)
        reader = VideoReader(source.camera if source.kind == 'camera' else source.path)
        self._progress.add_frames(reader.frames)
        records = self._frames(source, reader)
        if self._folder is None:
            for record in records:
                print(json.dumps(record, separators=(',', ':')), flush=True)
        else:
            self._folder.add_video(source, records, state, made_with, drawn, lambda: _missing(reader))
        if reason := _missing(reader):
            self._progress.fail(source.name, reason)
        else:
            self._progress.done(source.name, None)

    def _frames(self, source: Source, reader: VideoReader) -> Iterator[dict[str, Any]]:
        """The records of a video's frames; draws, shows and writes them as they pass."""
        tracker = FaceTracker(self._options.smooth)
        drawn = self._folder.path(drawn_file(source.stem, source.kind)) if self._folder is not None else None
        with VideoWriter(drawn, reader.fps) if drawn and self._options.save_video else nullcontext() as writer:
            try:
                for frame, time, image in reader:
                    boxes = self._aligner.detect(image, source.path)
                    faces = tracker.update(self._aligner.align([image], [boxes])[0], time)
                    if not self._show(source, image, faces, writer, time):
                        break
                    self._progress.frame(len(faces))
                    yield record_of(source.name, faces, frame, time)
            except KeyboardInterrupt:
                if source.kind != 'camera':  # for a camera it is the way to stop
                    raise

    def _show(
        self, source: Source, image: np.ndarray, faces: list[Face], writer: VideoWriter | None, time: float
    ) -> bool:
        """Draw a frame where it is wanted; False once the user has closed the window."""
        if writer is None and not self._options.show:
            return True
        drawn = self._options.overlay.draw(image, faces)
        if writer is not None:
            writer.write(drawn, time)
        return not self._options.show or show_frame(source.name, drawn)


def _missing(reader: VideoReader) -> str:
    """Why a video that has been read is not whole; empty where it is."""
    try:
        reader.check_complete()
    except FaceAlignError as error:
        return str(error)
    return ''


def show_frame(title: str, image: np.ndarray) -> bool:
    """Show a frame in a window; False once the user has closed it or pressed q or Escape.

    Raises:
        FaceAlignError: this OpenCV has no windows.
    """
    try:
        cv2.imshow(title, image)
        key = cv2.waitKey(1) & 0xFF
        return key not in (ord('q'), 27) and cv2.getWindowProperty(title, cv2.WND_PROP_VISIBLE) >= 1
    except cv2.error as error:
        raise FaceAlignError(
            '--show: this OpenCV has no windows; pip install opencv-python, or --save-video'
        ) from error
