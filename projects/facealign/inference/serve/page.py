"""The page of ``facealign serve``: drop an image, see its landmarks. Needs the extra ``serve`` (Gradio)."""

from __future__ import annotations

import html
import json
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from facealign.detection.base import yunet_file
from facealign.errors import FaceAlignError
from facealign.inference.aligner import FaceAligner
from facealign.inference.model_file import DEFAULT_MODEL, OnnxModel
from facealign.inference.serve.guard import log, one_line
from facealign.inference.serve.scratch import Scratch
from facealign.inference.writers import record_of
from facealign.io.image import read_image
from facealign.io.image_header import read_header
from facealign.structures.face import Face
from facealign.visualization.overlay import Overlay

MAX_BYTES = 20 << 20
MAX_PIXELS = 40_000_000
_ABOUT = """# facealign
Drop an image, or take one with the webcam. Everything stays on this computer, and nothing is kept: an image is
forgotten within a minute."""
_ALL = 'all'
_WAITING = 256  # requests in line
# The results are saved from the page itself: the server has forgotten them by the time of a click.
_SAVE = """
    const link = Object.assign(document.createElement('a'), {href: URL.createObjectURL(blob), download: name});
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
"""
_SAVE_RECORD = f"""(text) => {{
    const blob = new Blob([text], {{type: 'application/json'}}), name = 'landmarks.json';{_SAVE}}}"""
_SAVE_PICTURE = f"""() => {{
    const image = document.querySelector('#drawn img'), canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
    canvas.getContext('2d').drawImage(image, 0, 0);
    canvas.toBlob((blob) => {{ const name = 'landmarks.png';{_SAVE}}});
}}"""


def _first(names: list[str]) -> str:
    """The model chosen at first: the default one where it is among ``names``."""
    return DEFAULT_MODEL if DEFAULT_MODEL in names else names[0]


def find_models(folder: Path) -> dict[str, tuple[Path, str]]:
    """The model files in ``folder``: name → file, name of the markup. Raises FaceAlignError where there is none."""
    models = {file.stem: (file, OnnxModel(file, threads=1).info.markup.name) for file in sorted(folder.glob('*.onnx'))}
    if not models:
        raise FaceAlignError(f'{folder}: holds no model (*.onnx); export one with tools/export_onnx.py')
    return models


def read_upload(path: str | os.PathLike[str]) -> np.ndarray:
    """An uploaded image, BGR [H, W, 3]; what is too large for the page is refused before it is decoded.

    Raises:
        FaceAlignError: that, gone, or as :func:`facealign.io.image.read_image`.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
    except FileNotFoundError as error:
        raise FaceAlignError(f'{path.name}: is no longer kept; choose it again') from error
    if size > MAX_BYTES:
        raise FaceAlignError(f'{path.name}: larger than {MAX_BYTES >> 20} MB; choose a smaller image')
    header = read_header(path)
    if header.width * header.height > MAX_PIXELS:
        raise FaceAlignError(
            f'{path.name}: {header.width}×{header.height} is more than {MAX_PIXELS // 10**6} million pixels; '
            'choose a smaller image'
        )
    return read_image(path)


def build(gr: Any, models: dict[str, tuple[Path, str]], scratch: Scratch) -> Any:
    """The page as Gradio's ``Blocks``; its files are in ``scratch``."""
    detectors = ['dlib-hog-retry', 'dlib-hog', 'whole', *(['yunet'] if yunet_file() else [])]
    markups = sorted({markup for _, markup in models.values()})

    @lru_cache(maxsize=4)
    def aligner(model: str, detector: str) -> FaceAligner:
        return FaceAligner(models[model][0], detector)

    def run(upload: str | None, photo: str | None, model: str, detector: str, numbers: bool) -> tuple[Any, ...]:
        path = upload or photo
        if path is None:
            raise gr.Error('Drop an image first, or take one with the webcam.', print_exception=False)
        try:
            image = read_upload(path)
            found = aligner(model, detector)
            faces = found.align([image], [found.detect(image)])[0]
        except FaceAlignError as error:
            message = str(error).replace(f'{Path(path).parent}{os.sep}', '')
            # Gradio shows it as HTML, and a file's name is its sender's choice.
            raise gr.Error(html.escape(message), print_exception=False) from error
        finally:
            for given in filter(None, (upload, photo)):
                scratch.answered(given)
        drawn = Overlay(numbers=numbers, box=True, scores=True).draw(image, faces)
        record = dict(record_of(Path(path).name, faces), markup=models[model][1], model=model)
        text = f'{len(faces)} face{"" if len(faces) == 1 else "s"} found' if faces else 'No face found.'
        ready = gr.Button(interactive=True)
        return drawn[..., ::-1], text, _confidence(faces), json.dumps(record), ready, ready

    def of_markup(markup: str) -> Any:
        names = [name for name, (_, its) in models.items() if markup in (_ALL, its)]
        return gr.Dropdown(choices=names, value=_first(names))

    with _blocks(gr) as page:
        gr.Markdown(_ABOUT)
        with gr.Row():
            with gr.Column(scale=1):
                upload = gr.File(label='Image file', type='filepath', elem_id='upload')
                with gr.Accordion('Webcam', open=False):
                    photo = gr.Image(label='Webcam', sources=['webcam'], type='filepath')
                    # The file as it is: Gradio would open it with a decoder of its own.
                    photo.preprocess = lambda payload: payload and payload.path
                markup = gr.Dropdown([_ALL, *markups], value=_ALL, label='Markup')
                model = gr.Dropdown(list(models), value=_first(list(models)), label='Model')
                detector = gr.Dropdown(
                    detectors, value=detectors[-1] if yunet_file() else detectors[0], label='Detector'
                )
                numbers = gr.Checkbox(label='Point numbers')
                button = gr.Button('Find landmarks', variant='primary', elem_id='run')
            with gr.Column(scale=2):
                text = gr.Markdown(elem_id='found')
                drawn = gr.Image(label='Landmarks', format='png', buttons=['fullscreen'], elem_id='drawn')
                table = gr.Dataframe(headers=['face', 'region', 'confidence'], label='Confidence', interactive=False)
                record = gr.Textbox(visible='hidden', elem_id='record')
                with gr.Row():
                    picture = gr.Button('Download image', interactive=False, elem_id='picture')
                    download = gr.Button('Download JSON', interactive=False, elem_id='download')
        markup.change(of_markup, markup, model)
        results = [drawn, text, table, record, picture, download]
        inputs = [upload, photo, model, detector, numbers]
        button.click(run, inputs, results, show_progress_on=drawn)
        upload.upload(run, inputs, results, show_progress_on=drawn)
        picture.click(None, js=_SAVE_PICTURE)
        download.click(None, record, js=_SAVE_RECORD)
    page.queue(max_size=_WAITING)
    return page


def _blocks(gr: Any) -> Any:
    """An empty page whose errors are one line: Gradio prints a traceback, and malformed requests cause them."""

    class Page(gr.Blocks):  # type: ignore[misc]
        async def process_api(self, *args: Any, **options: Any) -> dict[str, Any]:
            try:
                return await super().process_api(*args, **options)
            except gr.Error as error:
                error.print_exception = False
                raise
            except Exception as error:
                log(f'a request failed: {one_line(error)}')
                raise gr.Error('This could not be worked on; see the terminal.', print_exception=False) from error

    return Page(title='facealign')


def _confidence(faces: list[Face]) -> list[list[Any]]:
    return [
        [number, region, round(float(face.scores[list(points)].mean()), 3)]
        for number, face in enumerate(faces, 1)
        for region, points in face.markup.regions.items()
    ]
