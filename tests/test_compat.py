"""What facealign.compat makes possible, and what it must not make possible."""

from __future__ import annotations

import os
import pickle
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip('torch', reason='needs torch')
pytest.importorskip('mmpose', reason='needs mmpose')

from facealign import compat  # noqa: E402
from facealign.errors import FaceAlignError  # noqa: E402

compat.apply()

from mmengine.logging import HistoryBuffer, MessageHub  # noqa: E402
from mmengine.runner import CheckpointLoader, save_checkpoint  # noqa: E402


class TestMmcvStandIn:
    def test_mmpose_models_import_beside_mmcv_lite(self):
        import mmpose.models

        assert mmpose.models.build_backbone

    def test_it_steps_aside_for_the_full_mmcv(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        full = tmp_path / 'mmcv'
        full.mkdir()
        (full / '__init__.py').touch()
        (full / '_ext.py').write_text('compiled = True')
        for name in [name for name in sys.modules if name.partition('.')[0] == 'mmcv']:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.syspath_prepend(str(tmp_path))
        compat._stand_in_for_mmcv_ext()
        assert 'mmcv._ext' not in sys.modules
        from mmcv import _ext

        assert _ext.compiled
        monkeypatch.delitem(sys.modules, 'mmcv._ext')
        monkeypatch.delitem(sys.modules, 'mmcv')

    @pytest.mark.skipif(
        getattr(sys.modules.get('mmcv._ext'), '__file__', None) != compat.__file__, reason='the full mmcv is installed'
    )
    def test_a_missing_operator_says_what_it_needs_when_it_is_called(self):
        operator = sys.modules['mmcv._ext'].deform_conv_forward
        with pytest.raises(RuntimeError, match='"deform_conv_forward" needs the full mmcv'):
            operator(1, 2)

    @pytest.mark.parametrize('offset', [0, 1])
    def test_nms_agrees_with_a_plain_loop(self, offset: int):
        generator = np.random.default_rng(3)
        corner = generator.uniform(0, 60, (40, 2))
        boxes = np.hstack([corner, corner + generator.uniform(5, 40, (40, 2))])
        scores = generator.permutation(40) / 40

        def iou(a: np.ndarray, b: np.ndarray) -> float:
            width = max(0, min(a[2], b[2]) - max(a[0], b[0]) + offset)
            height = max(0, min(a[3], b[3]) - max(a[1], b[1]) + offset)
            area = [(c[2] - c[0] + offset) * (c[3] - c[1] + offset) for c in (a, b)]
            return width * height / (sum(area) - width * height)

        expected: list[int] = []
        for index in np.argsort(-scores):
            if all(iou(boxes[index], boxes[kept]) <= 0.4 for kept in expected):
                expected.append(int(index))
        kept = compat._nms(torch.from_numpy(boxes), torch.from_numpy(scores), 0.4, offset)
        assert kept.tolist() == expected

    def test_nms_of_no_boxes(self):
        assert compat._nms(torch.zeros(0, 4), torch.zeros(0), 0.5, 0).tolist() == []


def rename_in_pickle(path: Path, old: bytes, new: bytes) -> int:
    """Replace ``old`` by ``new`` in the pickle of a torch file; how often it was there."""
    with zipfile.ZipFile(path) as file:
        entries = {name: file.read(name) for name in file.namelist()}
    (pickled,) = (name for name in entries if name.endswith('data.pkl'))
    count = entries[pickled].count(old)
    entries[pickled] = entries[pickled].replace(old, new)
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_STORED) as file:
        for name, content in entries.items():
            file.writestr(name, content)
    return count


class TestCheckpoints:
    @pytest.fixture
    def checkpoint(self, tmp_path: Path) -> Path:
        """Saved by MMEngine, with what its runner saves beside the weights."""
        hub = MessageHub('test_compat')
        for value in (3.0, 2.0, 1.0):
            hub.update_scalar('train/loss', value)
        hub.update_info('best', np.float32(0.5))
        meta = {
            'epoch': 3,
            'best': np.float64(0.7),
            'sigmas': np.arange(4, dtype=np.float32),
            'flags': np.array([True]),
        }
        path = tmp_path / 'epoch_3.pth'
        save_checkpoint({'meta': meta, 'state_dict': {'w': torch.ones(2)}, 'message_hub': hub.state_dict()}, str(path))
        return path

    def check(self, path: Path) -> None:
        loaded = CheckpointLoader.load_checkpoint(str(path), map_location='cpu')
        assert loaded['meta']['best'] == 0.7
        np.testing.assert_array_equal(loaded['meta']['sigmas'], [0, 1, 2, 3])
        assert loaded['state_dict']['w'].tolist() == [1, 1]
        assert loaded['message_hub']['runtime_info']['best'] == 0.5
        history = loaded['message_hub']['log_scalars']['train/loss']
        assert isinstance(history, HistoryBuffer)
        assert history.statistics('mean') == 2 and history.min() == 1 and history.current() == 1

    def test_mmengine_checkpoints_load_with_the_safe_loader(self, checkpoint: Path):
        self.check(checkpoint)

    @pytest.mark.parametrize('package', ['numpy.core', 'numpy._core'])
    def test_whichever_numpy_wrote_them(self, checkpoint: Path, package: str):
        ours = 'numpy._core' if np.lib.NumpyVersion(np.__version__) >= '2.0.0' else 'numpy.core'
        renamed = rename_in_pickle(checkpoint, f'c{ours}.multiarray\n'.encode(), f'c{package}.multiarray\n'.encode())
        assert renamed >= 2  # scalar and _reconstruct
        self.check(checkpoint)

    def test_an_old_torch_is_refused(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(torch, '__version__', '2.5.1+cu124')
        with pytest.raises(FaceAlignError, match='2.5.1.*2.6 or newer'):
            compat.apply()


class Calls:
    """Pickles as a call of ``function`` with ``args``."""

    def __init__(self, function: Any, *args: Any):
        self.call = (function, args)

    def __reduce__(self) -> Any:
        return self.call

    def __call__(self) -> None:
        """So that the pickler takes one for a function to call."""


STATISTIC = Calls(getattr, HistoryBuffer, 'mean')  # the one use of getattr that real checkpoints make
HOSTILE = {
    'os.system': lambda mark: Calls(os.system, f'touch {mark}'),
    'eval': lambda mark: Calls(eval, f'open({str(mark)!r}, "w")'),
    'open': lambda mark: Calls(open, str(mark), 'w'),
    'import': lambda mark: Calls(__import__, 'os'),
    'getattr of another object': lambda mark: Calls(getattr, 'a string', 'format'),
    'getattr of another class': lambda mark: Calls(getattr, np.ndarray, 'mean'),
    'another attribute of HistoryBuffer': lambda mark: Calls(getattr, HistoryBuffer, '__init__'),
    'globals of a statistic': lambda mark: Calls(getattr, STATISTIC, '__globals__'),
    'a call of what getattr gave': lambda mark: Calls(Calls(getattr, HistoryBuffer, 'mean'), HistoryBuffer([1], [1])),
    'numpy.load': lambda mark: Calls(np.load, str(mark)),
}


class TestHostileCheckpoints:
    """A checkpoint that would run code when unpickled is refused, and nothing in it has run."""

    @pytest.mark.parametrize('name', HOSTILE)
    def test_is_refused(self, tmp_path: Path, name: str):
        path, mark = tmp_path / 'hostile.pth', tmp_path / 'ran'
        torch.save({'state_dict': {'w': torch.ones(1)}, 'message_hub': HOSTILE[name](mark)}, path)
        with pytest.raises(
            (pickle.UnpicklingError, RuntimeError), match='(?i)refused|unsupported|unrecognized|callable'
        ):
            CheckpointLoader.load_checkpoint(str(path), map_location='cpu')
        assert not mark.exists()

    def test_the_unsafe_loader_would_have_run_them(self, tmp_path: Path):
        path, mark = tmp_path / 'hostile.pth', tmp_path / 'ran'
        torch.save(HOSTILE['os.system'](mark), path)
        torch.load(path, weights_only=False)
        assert mark.exists()


class TestMmposePatches:
    @pytest.fixture
    def values(self) -> Any:
        return torch.tensor([[1.5, -2.0]], dtype=torch.bfloat16)

    def test_to_numpy_reads_bfloat16(self, values: Any):
        from mmpose.models.heads.regression_heads import regression_head

        array = regression_head.to_numpy(values)  # as the heads see it
        assert array.tolist() == [[1.5, -2.0]] and array.dtype == np.float32

    def test_in_lists_and_with_the_device(self, values: Any):
        from mmpose.utils.tensor_utils import to_numpy

        (array,), device = to_numpy([values], return_device=True)
        assert array.tolist() == [[1.5, -2.0]] and device == torch.device('cpu')

    def test_other_tensors_keep_their_type(self):
        from mmpose.utils.tensor_utils import to_numpy

        assert to_numpy(torch.ones(2, dtype=torch.float64)).dtype == np.float64

    @pytest.mark.parametrize('radius', [2, np.array(2.0), np.array([2.0])])
    def test_circles_of_any_radius_are_drawn(self, radius: Any):
        from mmpose.visualization import PoseLocalVisualizer

        visualizer = PoseLocalVisualizer(backend='opencv')
        visualizer.set_image(np.zeros((11, 11, 3), np.uint8))
        visualizer.draw_circles(np.array([5.0, 5.0]), radius, face_colors=(255, 0, 0))
        drawn = visualizer.get_image()[..., 0] > 0
        assert drawn[5, 3:8].all() and not drawn[5, :3].any() and not drawn[5, 8:].any()

    def test_applying_again_changes_nothing(self):
        from mmpose.utils import tensor_utils

        before = tensor_utils.to_numpy, sys.modules['mmcv._ext']
        compat.apply()
        assert (tensor_utils.to_numpy, sys.modules['mmcv._ext']) == before
