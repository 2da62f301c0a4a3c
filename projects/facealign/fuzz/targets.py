"""What is fuzzed: each reader of what others wrote, with whole inputs to begin from and the errors it may raise."""

from __future__ import annotations

import functools
import importlib.util
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from facealign.conversion.readers.base import Unusable
from facealign.errors import FaceAlignError
from facealign.fuzz import seeds
from facealign.fuzz.mutate import Mutate, draw_seed, mutate_bytes, mutate_json, mutate_text


@dataclass(frozen=True)
class Seed:
    """A whole input: the file's suffix, its bytes, and how they are changed."""

    suffix: str
    data: bytes
    mutate: Mutate


@dataclass(frozen=True)
class Target:
    """A reader.

    Attributes:
        name: of it, without dots and hyphens.
        seeds: makes the whole inputs; its working folder is the one it is given.
        run: reads a file.
        refusals: the errors that say that an input is no good.
        silent: those of them that no user sees, so that their words are free.
        weight: its share of the time.
        requires: packages without which there is nothing to try.
    """

    name: str
    seeds: Callable[[Path], list[Seed]]
    run: Callable[[Path], Any]
    refusals: tuple[type[Exception], ...] = (FaceAlignError,)
    silent: tuple[type[Exception], ...] = field(default=())
    weight: float = 1.0
    requires: tuple[str, ...] = ()

    def missing(self) -> str:
        """Why it cannot be tried here; empty where it can."""
        absent = [name for name in self.requires if importlib.util.find_spec(name) is None]
        return f'needs {", ".join(absent)}' if absent else ''


def find_target(name: str) -> Target:
    """The target of a name. Raises FaceAlignError."""
    for target in TARGETS:
        if target.name == name:
            return target
    raise FaceAlignError(f'{name}: no such target; there are: {", ".join(target.name for target in TARGETS)}')


def _pts(path: Path) -> Any:
    from facealign.io.pts import format_pts, parse_pts, read_pts

    points = read_pts(path)
    assert np.array_equal(parse_pts(format_pts(points)), points, equal_nan=True) or np.abs(points).min() < 1e-30
    return points


def _datatang(path: Path) -> Any:
    from facealign.conversion.readers.datatang import parse_datatang

    return parse_datatang(path)


def _lapa(path: Path) -> Any:
    from facealign.conversion.readers.lapa import parse_lapa

    return parse_lapa(path)


def _h5(path: Path) -> Any:
    from facealign.conversion.readers.datatang_h5 import read_datatang_h5

    return read_datatang_h5(path, path.parent, workers=1)


def _h5_seeds(work: Path) -> list[Seed]:
    (work / 'a.jpg').write_bytes(seeds.images()['.jpg'])
    return [Seed('.h5', seeds.h5_file(work), mutate_bytes)]


def _coco(path: Path) -> Any:
    """Every reader that needs no network."""
    from facealign.conversion.dpg_fit import fit_file
    from facealign.io.coco_images import read_annotated
    from facealign.io.coco_reader import read_coco
    from facealign.utils.files import atomic_write_json

    coco = read_coco(path)
    for annotation in coco.annotations:
        annotation['keypoints'] = annotation['keypoints'].ravel().tolist()
    atomic_write_json(path.with_name('again.json'), coco.document)
    for record in read_coco(path.with_name('again.json')).records():
        assert record.annotated.any() and np.isfinite(record.landmark_box).all()
    _, images = read_annotated(path)
    assert all(np.isfinite(image.rectangles).all() for image in images)
    try:
        fit_file(path)
    except FaceAlignError as error:
        assert 'too few' in str(error), error
    return len(images)


def _dataset(path: Path) -> Any:
    import facealign.plugin  # noqa: F401
    from facealign.datasets.face_dataset import FaceDataset

    dataset = FaceDataset(ann_file=str(path), pipeline=[], box='detector', among='ibug68+datatang106')
    return [dataset[index]['img_path'] for index in range(len(dataset))]


def _markup(path: Path) -> Any:
    from facealign.markup_file import markup_from_dict, markup_to_dict, read_markup

    markup = read_markup(path)
    assert markup_from_dict(markup_to_dict(markup)) == markup
    return markup.metainfo(), markup.skeleton


def _boxes(path: Path) -> Any:
    from facealign.io.box_table import BoxTable

    table = BoxTable(path)
    table.of_file('/x/b/a.jpg')
    return table.of_names(['a.jpg', 'b/a.jpg', 'c.jpg'])


def _split_csv(path: Path) -> Any:
    from facealign.conversion.splits import split_by_csv

    return split_by_csv(_records(), path)


def _name_list(path: Path) -> Any:
    from facealign.conversion.splits import split_by_lists
    from facealign.io.name_list import read_file_list, read_name_list

    read_name_list(path, ['a.jpg', 'b/a.jpg'])
    read_file_list(path)
    return split_by_lists(_records(), [path])


def _records() -> list[Any]:
    from facealign.structures.records import FaceRecord

    points = seeds.face().points68
    return [
        FaceRecord(Path('.'), name, points, (seeds.SIDE, seeds.SIDE), 's', 'train', photo=name)
        for name in ('a.jpg', 'b.jpg')
    ]


def _results(path: Path) -> Any:
    from facealign.evaluation.report.results import PER_FACE, RESULTS, read_run

    folder = path.parent / 'run'
    folder.mkdir(exist_ok=True)
    results, table = seeds.results_files()
    (folder / RESULTS).write_bytes(results)
    (folder / PER_FACE).write_bytes(table)
    shutil.copyfile(path, folder / (RESULTS if path.suffix == '.json' else PER_FACE))
    run = read_run(folder)
    return run.subsets, [row['name'] for row in run.rows]


def _summary(path: Path) -> Any:
    from facealign.evaluation.summary_file import update_summary

    return update_summary(path, {'fuzz': 1.0})


def _journal(path: Path) -> Any:
    from facealign.inference.journal import FILE_NAME, Journal

    out = path.parent / 'out'
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    shutil.copyfile(path, out / FILE_NAME)
    log = Journal(out, dict(model='tiny'))
    try:
        (source,) = log.enter([seeds.source(path.parent / 'a.jpg')])
        log.is_done(source)
        log.add(source, [dict(file='a.jpg')])
        return len(list(log.table())), log.failures(), log.formats, log.complete_formats
    finally:
        log.close()


def _image(path: Path) -> Any:
    from facealign.io.image import read_image
    from facealign.io.image_header import read_header

    try:
        header = read_header(path)
    except FaceAlignError:
        header = None
    image = read_image(path)
    assert image.dtype == np.uint8 and image.ndim == 3
    if header is not None:
        assert image.shape[1::-1] == header.size, (image.shape, header)
    return image.shape


def _video(path: Path) -> Any:
    from facealign.io.video import VideoReader

    reader = VideoReader(path)
    last = 0.0
    for number, frame in enumerate(reader):
        assert frame.time >= last
        last = frame.time
        if number >= 40:  # a damaged length makes them many; what is read of each is the same
            return number
    reader.check_complete()
    return reader.read


def _onnx(path: Path) -> Any:
    from facealign.inference.aligner import FaceAligner

    aligner = FaceAligner(path, 'whole', threads=1)
    faces = aligner(seeds.picture(), [[5, 6, 50, 60], [10, 10, 60, 60]])
    assert all(np.isfinite(face.points).all() and np.isfinite(face.scores).all() for face in faces)
    return len(faces)


def _yunet(path: Path) -> Any:
    from facealign.detection.net_detectors import YuNet

    found = YuNet(path)(seeds.picture(side=160))
    assert np.isfinite(found).all()
    return len(found)


def _dlib_trees(path: Path) -> Any:
    from facealign.evaluation.speed import DlibErt

    rgb = np.ascontiguousarray(seeds.picture()[..., ::-1])
    return DlibErt(path).align(rgb, np.array([5, 5, 58, 58]))


def _dlib_network(path: Path) -> Any:
    from facealign.detection.dlib import DlibCnn

    return DlibCnn(path)(seeds.picture())


def _checkpoint(path: Path) -> Any:
    import facealign.plugin  # noqa: F401
    from facealign.engine.launch import check_checkpoint
    from facealign.models.import_checkpoint import read_state_dict, recognise

    refused = []
    for read in (
        lambda: check_checkpoint(str(path), 'config.py'),
        lambda: recognise('visionlabs', read_state_dict(path), path),
    ):
        try:
            read()
        except FaceAlignError as error:
            refused.append(error)
    if refused:
        raise refused[0]
    return 'both'


@functools.cache
def _aligner() -> Any:
    from facealign.inference.aligner import FaceAligner

    return FaceAligner(None, 'whole', threads=1)


def _arrays(path: Path) -> Any:
    from facealign.fuzz.arrays import draw_call

    images, boxes, color = draw_call(path.read_bytes())
    found = _aligner()(images, boxes, color=color)
    assert isinstance(found, list)
    return len(found)


def _fixed(*files: tuple[str, Callable[[], bytes], Mutate]) -> Callable[[Path], list[Seed]]:
    return lambda work: [Seed(suffix, make(), mutate) for suffix, make, mutate in files]


def _results_seeds(work: Path) -> list[Seed]:
    results, table = seeds.results_files()
    return [Seed('.json', results, mutate_json), Seed('.csv', table, mutate_text)]


def _image_seeds(work: Path) -> list[Seed]:
    return [Seed(suffix, data, mutate_bytes) for suffix, data in seeds.images().items()]


def _video_seeds(work: Path) -> list[Seed]:
    return [Seed(suffix, data, mutate_bytes) for suffix, data in seeds.videos(work).items()]


def _network_file(work: Path) -> list[Seed]:
    """No program at hand makes such a network, so what is changed is a beginning like one."""
    return [Seed('.dat', b'\x01\x01\x01\x05net_1' + bytes(range(256)), mutate_bytes)]


TARGETS = (
    Target('pts', _fixed(('.pts', seeds.pts_text, mutate_text)), _pts),
    Target('datatang', _fixed(('.json', seeds.datatang_text, mutate_json)), _datatang, (Unusable,), (Unusable,)),
    Target('lapa', _fixed(('.txt', seeds.lapa_text, mutate_text)), _lapa, (Unusable,), (Unusable,)),
    Target('h5', _h5_seeds, _h5, requires=('h5py',)),
    Target(
        'coco',
        _fixed(('.json', seeds.coco_text, mutate_json), ('.json', seeds.own_markup_coco_text, mutate_json)),
        _coco,
        weight=2,
    ),
    Target('markup', lambda work: [Seed('.json', json.dumps(seeds.MARKUP).encode(), mutate_json)], _markup),
    Target('dataset', _fixed(('.json', seeds.coco_text, mutate_json)), _dataset, requires=('mmpose',)),
    Target(
        'boxes',
        lambda work: [Seed('.csv', seeds.BOX_CSV, mutate_text), Seed('.json', seeds.BOX_JSON, mutate_json)],
        _boxes,
    ),
    Target('splits', lambda work: [Seed('.csv', seeds.SPLIT_CSV, mutate_text)], _split_csv),
    Target('names', lambda work: [Seed('.txt', seeds.NAMES, mutate_text)], _name_list),
    Target('results', _results_seeds, _results),
    Target('summary', lambda work: [Seed('.json', b'{"a.b": 1, "c": 0.25}', mutate_json)], _summary, weight=0.3),
    Target('journal', lambda work: [Seed('.sqlite', seeds.journal(work), mutate_bytes)], _journal),
    Target('images', _image_seeds, _image, weight=4),
    Target('videos', _video_seeds, _video, weight=2, requires=('av',)),
    Target('onnx', _fixed(('.onnx', seeds.landmark_model, mutate_bytes)), _onnx, weight=2, requires=('onnx',)),
    Target('yunet', _fixed(('.onnx', seeds.yunet_model, mutate_bytes)), _yunet, requires=('onnx',)),
    Target(
        'trees',
        lambda work: [Seed('.dat', seeds.dlib_predictor(work), mutate_bytes)],
        _dlib_trees,
        weight=0.3,
        requires=('dlib',),
    ),
    Target('mmod', _network_file, _dlib_network, weight=0.3, requires=('dlib',)),
    Target(
        'checkpoints',
        lambda work: [Seed('.pth', data, mutate_bytes) for data in seeds.checkpoints(work)],
        _checkpoint,
        weight=2,
        requires=('mmpose',),
    ),
    Target('arrays', lambda work: [Seed('', bytes(16), draw_seed)], _arrays, weight=2),
)
