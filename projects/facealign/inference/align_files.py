"""Files in, result files out: what ``facealign align`` does once its arguments are read."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from facealign import __version__
from facealign.errors import FaceAlignError
from facealign.files import atomic_write_bytes, atomic_write_text
from facealign.inference.aligner import FaceAligner
from facealign.inference.face import Face
from facealign.inference.journal import Journal
from facealign.inference.overlay import Overlay
from facealign.inference.progress import RunProgress
from facealign.inference.sources import Source
from facealign.inference.tracking import FaceTracker
from facealign.inference.writers import TABLES, record_of, write_faces, write_table
from facealign.io.image import read_image
from facealign.io.video import VideoReader, VideoWriter

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
    with RunProgress(len(sources)) as progress:
        run = _Run(aligner, options, progress)
        try:
            run.do(sources)
        finally:
            run.close()
        if options.out is not None:
            run.write_tables(sources)
    print_to = progress.summary()
    where = f'results in {options.out}' if options.out else 'nothing written; --out DIR writes files'
    progress.console.print(f'{print_to}; {where}', markup=False, highlight=False, soft_wrap=True)
    return 1 if progress.failures else 0


class _Run:
    def __init__(self, aligner: FaceAligner, options: Options, progress: RunProgress) -> None:
        self._aligner, self._options, self._progress = aligner, options, progress
        self._journal = None
        if options.out is not None:
            settings = {**options.settings, 'model': aligner.model.name, 'smooth': options.smooth}
            self._journal = Journal(options.out, settings, options.restart)
        self._pending: list[tuple[Source, np.ndarray, np.ndarray]] = []

    def do(self, sources: Sequence[Source]) -> None:
        for source in sources:
            if self._is_done(source):
                self._write_again(source)
                self._progress.skip()
                continue
            try:
                if source.kind == 'image':
                    self._take_image(source)
                else:
                    self._flush()
                    self._do_video(source)
            except FaceAlignError as error:
                self._progress.fail(source.name, str(error))
        self._flush()

    def close(self) -> None:
        """Write the list of failures, also of an interrupted run."""
        if self._options.out is None:
            return
        path = self._options.out / 'failures.csv'
        if self._progress.failures:
            text = io.StringIO()
            writer = csv.writer(text, lineterminator='\n')
            writer.writerows([('file', 'reason'), *self._progress.failures])
            atomic_write_text(path, text.getvalue())
        else:
            path.unlink(missing_ok=True)

    def write_tables(self, sources: Sequence[Source]) -> None:
        assert self._journal is not None and self._options.out is not None
        about = dict(facealign=__version__, model=self._aligner.model.name, scores=self._aligner.model.info.scores)
        for kind in self._options.formats:
            if kind in TABLES:
                records = self._journal.records(sources)
                write_table(self._options.out / TABLES[kind], kind, records, self._aligner.model.info.markup, about)
        self._journal.close()

    def _is_done(self, source: Source) -> bool:
        if self._journal is None or source.kind == 'camera' or not self._journal.is_done(source):
            return False
        if source.kind == 'video':
            return not self._options.save_video or self._drawn(source).is_file()
        return not self._options.save_images or self._drawn(source).is_file()

    def _write_again(self, source: Source) -> None:
        """The files beside each other of a source that was done before, perhaps in another format."""
        if self._journal is not None and not set(self._options.formats) <= set(TABLES):
            for record in self._journal.records([source]):
                frame = record.get('frame')
                self._write_beside(source.stem if frame is None else f'{source.stem}/{frame:06d}', record)

    def _drawn(self, source: Source) -> Path:
        assert self._options.out is not None
        folder, suffix = ('images', '.jpg') if source.kind == 'image' else ('videos', '.mp4')
        return self._options.out / folder / f'{source.stem}{suffix}'

    def _take_image(self, source: Source) -> None:
        image = read_image(source.path)
        self._pending.append((source, image, self._aligner.detect(image, source.path)))
        if self._aligner.is_full([(image, boxes) for _, image, boxes in self._pending]):
            self._flush()

    def _flush(self) -> None:
        pending, self._pending = self._pending, []
        found = self._aligner.align([image for _, image, _ in pending], [boxes for _, _, boxes in pending])
        for (source, image, _), faces in zip(pending, found):
            try:
                self._finish_image(source, image, faces)
            except FaceAlignError as error:
                self._progress.fail(source.name, str(error))

    def _finish_image(self, source: Source, image: np.ndarray, faces: list[Face]) -> None:
        record = record_of(source.name, faces)
        if self._options.save_images:
            drawn = self._options.overlay.draw(image, faces, source.path)
            jpeg = cv2.imencode('.jpg', drawn, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1]
            atomic_write_bytes(self._drawn(source), jpeg.tobytes())
        self._write_beside(source.stem, record)
        if self._journal is None:
            print(json.dumps(record, separators=(',', ':')), flush=True)
        else:
            self._journal.add(source, [record])
        self._progress.done(source.name, len(faces))

    def _write_beside(self, stem: str, record: dict[str, Any]) -> None:
        if self._options.out is not None and record['faces']:
            for kind in self._options.formats:
                if kind not in TABLES:
                    write_faces(self._options.out / stem, kind, record['faces'])

    def _do_video(self, source: Source) -> None:
        reader = VideoReader(source.camera if source.kind == 'camera' else source.path)
        self._progress.add_frames(reader.frames)
        records = self._frames(source, reader)
        if self._journal is None:
            for record in records:
                print(json.dumps(record, separators=(',', ':')), flush=True)
        else:
            self._journal.add(source, records)
        try:
            reader.check_complete()
        except FaceAlignError:
            if self._journal is not None:
                self._journal.do_again(source)
            raise
        self._progress.done(source.name, None)

    def _frames(self, source: Source, reader: VideoReader) -> Iterator[dict[str, Any]]:
        """The records of a video's frames; draws, shows and writes them as they pass."""
        tracker = FaceTracker(self._options.smooth)
        with VideoWriter(self._drawn(source), reader.fps) if self._options.save_video else nullcontext() as writer:
            try:
                for frame, image in reader:
                    time = frame / reader.fps
                    boxes = self._aligner.detect(image, source.path)
                    faces = tracker.update(self._aligner.align([image], [boxes])[0], time)
                    if not self._show(source, image, faces, writer):
                        break
                    self._progress.frame(len(faces))
                    record = record_of(source.name, faces, frame, time)
                    self._write_beside(f'{source.stem}/{frame:06d}', record)
                    yield record
            except KeyboardInterrupt:
                if source.kind != 'camera':  # for a camera it is the way to stop
                    raise

    def _show(self, source: Source, image: np.ndarray, faces: list[Face], writer: VideoWriter | None) -> bool:
        """Draw a frame where it is wanted; False once the user has closed the window."""
        if writer is None and not self._options.show:
            return True
        drawn = self._options.overlay.draw(image, faces)
        if writer is not None:
            writer.write(drawn)
        return not self._options.show or show_frame(source.name, drawn)


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
