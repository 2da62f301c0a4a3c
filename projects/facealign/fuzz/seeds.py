"""Whole files to begin from, made on the spot from drawn faces: tiny ones, so that a change seldom misses."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from facealign.inference.model_file import ModelInfo
from facealign.inference.sources import Source
from facealign.io.coco import write_coco
from facealign.io.pts import format_pts
from facealign.markup import IBUG68, LAPA106, get_markup
from facealign.structures.crop import CropRule
from facealign.structures.records import FaceRecord, Original
from facealign.synthetic import layout
from facealign.synthetic.render import DrawnFace, random_face

SIDE = 64  # pixels of the drawn faces
NETWORK_SIDE = 32  # pixels of the networks' crops


def face(index: int = 0) -> DrawnFace:
    return random_face((0, index), SIDE)


def picture(index: int = 0, side: int = SIDE) -> np.ndarray:
    """A drawn face, BGR [side, side, 3]."""
    return cv2.resize(random_face((0, index), side).image, (side, side))


def pts_text() -> bytes:
    return format_pts(face().points68.round(3)).encode()


def datatang_text() -> bytes:
    return json.dumps(layout.datatang_record(face(), 'a')).encode()


def lapa_text() -> bytes:
    points = face().points106.round(3).tolist()
    rows = [f'{x} {y}' for x, y in points]
    return '\n'.join([str(LAPA106.num_keypoints), *rows, '']).encode()


def h5_file(work: Path) -> bytes:
    """Datatang's table of the image ``a.jpg``."""
    import h5py

    path = work / 'seed.h5'
    with h5py.File(path, 'w') as file:
        file['imgname'] = np.array([[ord(letter) for letter in 'a.jpg']], dtype=np.int32)
        file['part'] = face().points106[None].astype(np.float32)
    return path.read_bytes()


def coco_text(markup: str = 'ibug68') -> bytes:
    faces = []
    for i in range(3):
        drawn = face(i)
        points = drawn.points68 if markup == 'ibug68' else drawn.points106
        record = FaceRecord(Path('.'), f'{i // 2}.jpg', points.round(2), (SIDE, SIDE), 's', 'train', 'common', f'p{i}')
        record.face_box, record.face_score = np.array([5.0, 6, 50, 60]), 0.5
        record.original = Original('b.png', (200, 150), np.array([[2.0, 0, 10.5], [0, 2, 20.5]]))
        record.attributes = {'glasses': 'yes'}
        faces.append(record)
    file = io.StringIO()
    write_coco(file, faces, get_markup(markup), split='train', boxes='dlib-hog', image_root='.')
    return file.getvalue().encode()


MARKUP = dict(
    name='mine68',
    num_points=68,
    mirror=[[0, 16], [36, 45]],
    regions=dict(jaw=[0, 1, 2, 16], eyes=[36, 45]),
    outlines=[[0, 1, 2], [36, 45]],
    outer_eye_corners=[36, 45],
    pupils=[[36, 37], [42, 45]],
)


def own_markup_coco_text() -> bytes:
    """Faces in a markup of one's own."""
    document = json.loads(coco_text())
    document['info'].update(markup=MARKUP['name'], markup_definition=MARKUP)
    return json.dumps(document).encode()


BOX_CSV = b'image,x1,y1,x2,y2,score\na.jpg,5,6,50,60,0.9\nb/a.jpg,1,2,30,40,\nc.jpg,,,,,\n'
BOX_JSON = b'{"a.jpg": [[5, 6, 50, 60, 0.9]], "b/a.jpg": [[1, 2, 30, 40]], "c.jpg": []}'
SPLIT_CSV = b'image_name,dataset_type,train_type,split\na.jpg,300w,train,train\nb.jpg,300w,test,test\n'
NAMES = b'# faces\na.jpg\nb\\a.jpg 1 2 30 40\n"sub dir/c,d.jpg"\n/x/e.png\n'


def source(path: Path) -> Source:
    return Source(path, str(path), '', '', 'image', path.name)


def journal(work: Path) -> bytes:
    """What an output folder remembers of two pictures."""
    from facealign.inference.journal import FILE_NAME, Journal

    out = work / 'journal'
    shutil.rmtree(out, ignore_errors=True)
    log = Journal(out, dict(model='tiny'))
    (work / 'a.jpg').write_bytes(b'picture')
    first, second = log.enter([source(work / name) for name in ('a.jpg', 'b.jpg')])
    log.add(first, [dict(file='a.jpg', points=[[1.5, 2.5]] * 68)])
    log.fail(second, 'no such file')
    log.close()
    return (out / FILE_NAME).read_bytes()


def results_files() -> tuple[bytes, bytes]:
    """results.json and per_face.csv of a run."""
    subset = dict(faces=2, nme=0.04)
    row = dict(name='net', about={}, subsets=dict(common=subset))
    results = dict(
        markup='ibug68', normaliser='interocular', thresholds=[0.08], unions=dict(full=['common']), rows=[row]
    )
    table = (
        b'model,id,file,subset,detected,nme_interocular,mpd\nnet,1,a.jpg,common,1,0.04,1.5\nnet,2,b.jpg,common,0,,\n'
    )
    return json.dumps(results).encode(), table


def images() -> dict[str, bytes]:
    """Suffix → a picture of each kind that this installation writes."""
    image = picture()
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    found = {}
    for suffix in ('.jpg', '.png', '.webp', '.bmp', '.ppm', '.tiff', '.jp2'):
        encoded, data = cv2.imencode(suffix, image)
        if encoded:
            found[suffix] = data.tobytes()
    found['.pgm'] = cv2.imencode('.pgm', grey)[1].tobytes()
    found['.PNG'] = cv2.imencode('.png', image.astype(np.uint16) * 257)[1].tobytes()
    return {**found, **_by_pillow(np.ascontiguousarray(image[..., ::-1]))}


def _by_pillow(rgb: np.ndarray) -> dict[str, bytes]:
    """Pictures with an orientation, of several frames, of palettes, and of the kinds that only Pillow writes."""
    from PIL import Image

    image = Image.fromarray(rgb)
    exif = Image.Exif()
    exif[0x0112] = 6
    kinds: dict[str, dict[str, Any]] = {
        '.jpeg': dict(format='JPEG', exif=exif),
        '.JPG': dict(format='JPEG', progressive=True),
        '.gif': dict(format='GIF', save_all=True, append_images=[image.rotate(90)]),
        '.tif': dict(format='TIFF', compression='tiff_lzw', exif=exif),
        '.WEBP': dict(format='WEBP', exif=exif, lossless=True),
        '.avif': dict(format='AVIF'),
        '.heic': dict(format='HEIF'),
    }
    found = {}
    for suffix, options in kinds.items():
        file = io.BytesIO()
        try:
            (image.convert('P') if suffix == '.gif' else image).save(file, **options)
        except (OSError, KeyError, ValueError):  # this Pillow does not write them
            continue
        found[suffix] = file.getvalue()
    return found


def videos(work: Path) -> dict[str, bytes]:
    """Suffix → a video of eight frames, in the containers and codecs that this installation writes."""
    from facealign.io.video import VideoWriter

    with VideoWriter(work / 'seed.mp4', 10) as writer:
        for i in range(8):
            writer.write(picture(i % 2))
    found = {'.mp4': (work / 'seed.mp4').read_bytes()}
    motion_jpeg = int.from_bytes(b'MJPG', 'little')
    plain = cv2.VideoWriter(str(work / 'seed.avi'), motion_jpeg, 10, (SIDE, SIDE))
    if plain.isOpened():
        for i in range(8):
            plain.write(picture(i % 2))
        plain.release()
        found['.avi'] = (work / 'seed.avi').read_bytes()
    return found


def landmark_model() -> bytes:
    """A network of all kinds of nodes that exported ones have, small enough that half of the file is structure."""
    from onnx import TensorProto, helper, numpy_helper

    side, rng = NETWORK_SIDE, np.random.default_rng(0)
    constants = dict(
        weight=rng.normal(0, 0.1, (4, 3, 3, 3)).astype(np.float32),
        scales=np.array([1, 1, 2, 2], np.float32),
        flat=np.array([0, -1]),
        matrix=rng.normal(0, 0.01, (4 * (side // 4) ** 2, 136)).astype(np.float32),
        pairs=np.array([-1, 68, 2]),
        begin=np.array([0]),
        end=np.array([1]),
        axis=np.array([2]),
        row=np.array([-1, 68]),
    )
    nodes = [
        helper.make_node('Conv', ['crops', 'weight'], ['conv'], kernel_shape=[3, 3], strides=[8, 8], pads=[1] * 4),
        helper.make_node('Relu', ['conv'], ['relu']),
        helper.make_node('Resize', ['relu', '', 'scales'], ['large'], mode='nearest'),
        helper.make_node('Reshape', ['large', 'flat'], ['vector']),
        helper.make_node('MatMul', ['vector', 'matrix'], ['numbers']),
        helper.make_node('Sigmoid', ['numbers'], ['shares']),
        helper.make_node('Reshape', ['shares', 'pairs'], ['keypoints']),
        helper.make_node('Slice', ['keypoints', 'begin', 'end', 'axis'], ['first']),
        helper.make_node('Reshape', ['first', 'row'], ['scores']),
    ]
    graph = helper.make_graph(
        nodes,
        'tiny',
        [helper.make_tensor_value_info('crops', TensorProto.FLOAT, ['n', 3, side, side])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ('keypoints', 'scores')],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=8)
    info = ModelInfo(IBUG68, (side, side), (0.0,) * 3, (255.0,) * 3, 'rgb', CropRule(), '0', name='tiny')
    helper.set_model_props(model, info.to_metadata())
    return model.SerializeToString()


def yunet_model() -> bytes:
    """A network with the outputs of YuNet: convolutions alone."""
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(0)
    nodes, constants, outputs = [], {}, []
    for stride in (8, 16, 32):
        for kind, numbers in (('cls', 1), ('obj', 1), ('bbox', 4), ('kps', 10)):
            name = f'{kind}_{stride}'
            constants[f'w_{name}'] = rng.normal(0, 0.02, (numbers, 3, 3, 3)).astype(np.float32)
            constants[f's_{name}'] = np.array([1, -1, numbers])
            nodes += [
                helper.make_node(
                    'Conv',
                    ['input', f'w_{name}'],
                    [f'c_{name}'],
                    kernel_shape=[3, 3],
                    strides=[stride] * 2,
                    pads=[1] * 4,
                ),
                helper.make_node('Transpose', [f'c_{name}'], [f't_{name}'], perm=[0, 2, 3, 1]),
                helper.make_node('Reshape', [f't_{name}', f's_{name}'], [f'r_{name}']),
                helper.make_node('Sigmoid', [f'r_{name}'], [name]),
            ]
            outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, f'n{stride}', numbers]))
    graph = helper.make_graph(
        nodes,
        'yunet',
        [helper.make_tensor_value_info('input', TensorProto.FLOAT, [1, 3, 'h', 'w'])],
        outputs,
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid('', 11)], ir_version=6).SerializeToString()


def dlib_predictor(work: Path) -> bytes:
    """A very small ensemble of regression trees."""
    import dlib

    options = dlib.shape_predictor_training_options()
    options.cascade_depth, options.num_trees_per_cascade_level, options.tree_depth = 2, 3, 2
    options.oversampling_amount, options.num_threads, options.random_seed = 2, 1, '0'
    options.feature_pool_size, options.num_test_splits = 20, 2
    pictures, shapes = [], []
    for i in range(4):
        drawn = face(i)
        points = [dlib.point(int(x), int(y)) for x, y in drawn.points68[::8]]
        shapes.append([dlib.full_object_detection(dlib.rectangle(5, 5, 58, 58), points)])
        pictures.append(picture(i))
    predictor = dlib.train_shape_predictor(pictures, shapes, options)
    predictor.save(str(work / 'seed.dat'))
    return (work / 'seed.dat').read_bytes()


def checkpoints(work: Path) -> list[bytes]:
    """Weights alone, a training's checkpoint, and the older format of files."""
    import torch
    from mmengine.logging import HistoryBuffer

    network = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    optimizer = torch.optim.Adam(network.parameters())
    network(torch.zeros(2, 3, 8, 8)).sum().backward()
    optimizer.step()
    history = HistoryBuffer()
    history.update(np.float64(0.5))
    whole = dict(
        state_dict=network.state_dict(),
        optimizer=optimizer.state_dict(),
        meta=dict(epoch=1, iter=20, cfg='model = dict()', dataset_meta=dict(name='ibug68')),
        message_hub=dict(log_scalars={'train/loss': history}),
    )
    published = {'conv4.weight': torch.zeros(4, 3, 3, 3), 'module.fc2.weight': torch.zeros(136, 4)}
    found = []
    for value, options in ((network.state_dict(), {}), (whole, {}), (published, {}), (whole, dict(old=True))):
        torch.save(value, work / 'seed.pth', _use_new_zipfile_serialization=not options.get('old'))
        found.append((work / 'seed.pth').read_bytes())
    return found
