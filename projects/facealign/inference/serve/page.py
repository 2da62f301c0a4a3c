"""The page of ``facealign serve``: drop an image, see its landmarks. Needs the extra ``serve`` (Gradio)."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import warnings
from functools import lru_cache
from pathlib import Path
from typing import Any

from facealign.errors import FaceAlignError
from facealign.inference.aligner import FaceAligner
from facealign.inference.detectors import yunet_file
from facealign.inference.face import Face
from facealign.inference.model_file import DEFAULT_MODEL, SHIPPED, OnnxModel
from facealign.inference.overlay import Overlay
from facealign.inference.writers import record_of
from facealign.io.image import read_image

MAX_BYTES = 20 << 20
MAX_PIXELS = 40_000_000
_ABOUT = """# facealign
Drop an image, or take one with the webcam. Everything stays on this computer, and nothing is kept."""
_ALL = 'all'


def launch(port: int, open_browser: bool = True, models: Path = SHIPPED) -> None:
    """Open the page on this machine only and serve it until interrupted.

    Args:
        port: of the page.
        open_browser: whether to open a window with it.
        models: folder of the model files to choose from.

    Raises:
        FaceAlignError: Gradio is not installed, the port is taken, or there is no model.
    """
    folder = tempfile.mkdtemp(prefix='facealign-serve-')
    # Before Gradio is loaded: it would ask its makers' server for news, and keep uploads elsewhere.
    os.environ.update(GRADIO_ANALYTICS_ENABLED='False', GRADIO_TEMP_DIR=folder, HF_HUB_OFFLINE='1')
    try:
        import gradio as gr
    except ImportError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise FaceAlignError('serve: Gradio is not installed; pip install "facealign[serve]"') from error
    try:
        build(gr, find_models(models), Path(folder)).launch(
            server_name='127.0.0.1',
            server_port=port,
            inbrowser=open_browser,
            share=False,
            max_file_size=MAX_BYTES,
            footer_links=[],
            # Fonts of the reader's own system: the default theme fetches some.
            theme=gr.themes.Default(font=['system-ui', 'sans-serif'], font_mono=['ui-monospace', 'monospace']),
        )
    except OSError as error:
        raise FaceAlignError(f'serve: port {port} cannot be used ({error}); choose another --port') from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _first(names: list[str]) -> str:
    """The model chosen at first: the default one where it is among ``names``."""
    return DEFAULT_MODEL if DEFAULT_MODEL in names else names[0]


def find_models(folder: Path) -> dict[str, tuple[Path, str]]:
    """The model files in ``folder``: name → file, name of the markup. Raises FaceAlignError where there is none."""
    models = {file.stem: (file, OnnxModel(file, threads=1).info.markup.name) for file in sorted(folder.glob('*.onnx'))}
    if not models:
        raise FaceAlignError(f'{folder}: holds no model (*.onnx); export one with tools/export_onnx.py')
    return models


def check_upload(path: str | os.PathLike[str]) -> None:
    """Refuse a file by its size and header, before it is decoded.

    Raises:
        FaceAlignError: too many bytes or pixels, or not an image.
    """
    from PIL import Image

    path = Path(path)
    if path.stat().st_size > MAX_BYTES:
        raise FaceAlignError(f'{path.name}: larger than {MAX_BYTES >> 20} MB; choose a smaller image')
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            with Image.open(path) as image:
                width, height = image.size
    except Image.DecompressionBombError as error:
        raise FaceAlignError(f'{path.name}: too many pixels; choose a smaller image') from error
    except (OSError, ValueError, SyntaxError) as error:
        raise FaceAlignError(f'{path.name}: not an image; a JPEG or PNG file is wanted') from error
    if width * height > MAX_PIXELS:
        raise FaceAlignError(f'{path.name}: {width}×{height} is more than {MAX_PIXELS // 10**6} million pixels')


def build(gr: Any, models: dict[str, tuple[Path, str]], folder: Path) -> Any:
    """The page as Gradio's ``Blocks``; its files go to ``folder``."""
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
            check_upload(path)
            image = read_image(path)
            found = aligner(model, detector)
            faces = found.align([image], [found.detect(image)])[0]
        except FaceAlignError as error:
            message = str(error).replace(f'{Path(path).parent}{os.sep}', '')
            raise gr.Error(message, print_exception=False) from error
        drawn = Overlay(numbers=numbers, box=True, scores=True).draw(image, faces)
        file = Path(tempfile.mkdtemp(dir=folder)) / 'landmarks.json'
        record = dict(record_of(Path(path).name, faces), markup=models[model][1], model=model)
        file.write_text(json.dumps(record), encoding='utf-8')
        text = f'{len(faces)} face{"" if len(faces) == 1 else "s"} found' if faces else 'No face found.'
        return drawn[..., ::-1], text, _confidence(faces), gr.DownloadButton(value=str(file), interactive=True)

    def of_markup(markup: str) -> Any:
        names = [name for name, (_, its) in models.items() if markup in (_ALL, its)]
        return gr.Dropdown(choices=names, value=_first(names))

    with gr.Blocks(title='facealign', delete_cache=(600, 600)) as page:
        gr.Markdown(_ABOUT)
        with gr.Row():
            with gr.Column(scale=1):
                upload = gr.File(label='Image file', type='filepath', elem_id='upload')
                with gr.Accordion('Webcam', open=False):
                    photo = gr.Image(label='Webcam', sources=['webcam'], type='filepath')
                markup = gr.Dropdown([_ALL, *markups], value=_ALL, label='Markup')
                model = gr.Dropdown(list(models), value=_first(list(models)), label='Model')
                detector = gr.Dropdown(
                    detectors, value=detectors[-1] if yunet_file() else detectors[0], label='Detector'
                )
                numbers = gr.Checkbox(label='Point numbers')
                button = gr.Button('Find landmarks', variant='primary', elem_id='run')
            with gr.Column(scale=2):
                text = gr.Markdown(elem_id='found')
                drawn = gr.Image(label='Landmarks', format='png', buttons=['download', 'fullscreen'], elem_id='drawn')
                table = gr.Dataframe(headers=['face', 'region', 'confidence'], label='Confidence', interactive=False)
                download = gr.DownloadButton('Download JSON', interactive=False, elem_id='download')
        markup.change(of_markup, markup, model)
        results = [drawn, text, table, download]
        inputs = [upload, photo, model, detector, numbers]
        button.click(run, inputs, results)
        upload.upload(run, inputs, results)
    return page


def _confidence(faces: list[Face]) -> list[list[Any]]:
    return [
        [number, region, round(float(face.scores[list(points)].mean()), 3)]
        for number, face in enumerate(faces, 1)
        for region, points in face.markup.regions.items()
    ]
