"""An MMPose config and checkpoint → the network and what a model file must say about it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from facealign import __version__
from facealign.errors import FaceAlignError
from facealign.inference.model_file import ModelInfo
from facealign.markup import get_markup
from facealign.structures.crop import CropRule


def load_network(config: Any, checkpoint: str) -> Any:
    """The pose estimator of ``config`` with the weights of ``checkpoint``, on the CPU, in evaluation mode.

    Raises:
        FaceAlignError: missing, not a checkpoint, or of another model.
    """
    from mmengine.registry import init_default_scope
    from mmpose.registry import MODELS

    import facealign.plugin  # noqa: F401
    from facealign.apis import read_checkpoint, state_of

    state = state_of(read_checkpoint(checkpoint, remedy := 'train one with tools/train.py'), checkpoint, remedy)
    init_default_scope('mmpose')
    backbone = config.model.backbone
    if backbone.get('init_cfg', {}) and backbone.init_cfg.get('type') == 'Pretrained':
        backbone.init_cfg = None  # the checkpoint has these weights; nothing is to be fetched
    try:
        network = MODELS.build(config.model)
        network.load_state_dict(state)
    except RuntimeError as error:
        first = str(error).strip().splitlines()
        raise FaceAlignError(f'{checkpoint}: its weights are not those of this config ({first[-1].strip()})') from error
    except Exception as error:
        raise FaceAlignError(f'{checkpoint}: cannot be loaded ({type(error).__name__}: {error})') from error
    return network.eval()


def model_info(config: Any, name: str = '', markup: str | None = None) -> ModelInfo:
    """What the test pipeline of ``config`` does, as metadata.

    Raises:
        FaceAlignError: the pipeline has steps that a model file cannot express.
    """
    dataset = test_dataset(config)
    steps = {step['type']: step for step in dataset.get('pipeline', [])}
    affine, centre = steps.get('TopdownAffine'), steps.get('GetBBoxCenterScale')
    if affine is None or centre is None:
        raise FaceAlignError(
            'config: its test pipeline has no GetBBoxCenterScale and TopdownAffine; only such models export'
        )
    preprocessor = config.model.data_preprocessor
    markup = markup or dataset.get('markup')
    if markup is None:
        raise FaceAlignError('config: its dataset does not name a markup; give --markup')
    size = tuple(affine['input_size'])
    return ModelInfo(
        markup=get_markup(markup),
        input_size=(int(size[0]), int(size[1])),
        mean=tuple(float(value) for value in preprocessor.get('mean', (0, 0, 0))),
        std=tuple(float(value) for value in preprocessor.get('std', (1, 1, 1))),
        color='rgb' if preprocessor.get('bgr_to_rgb') else 'bgr',
        crop=CropRule(padding=float(centre.get('padding', 1.25)), udp=bool(affine.get('use_udp', False))),
        version=__version__,
        name=name,
        annotation_offset=float(config.model.head.get('annotation_offset', 0)) * size[0],
    )


def test_dataset(config: Any) -> Any:
    """The dataset part of the config's test loader, or of its validation loader; the first where there are several."""
    for loader in ('test_dataloader', 'val_dataloader'):
        dataset = config.get(loader, {}).get('dataset')
        if dataset is not None:
            return dataset['datasets'][0] if 'datasets' in dataset else dataset
    raise FaceAlignError('config: it has neither test_dataloader nor val_dataloader; their pipeline says how to crop')


def annotation_file(config: Any, loader: str) -> Path | None:
    """The JSON file of a loader of ``config``, where it exists; of several datasets the one of the test's markup."""
    dataset = (config.get(loader) or {}).get('dataset') or {}
    parts = dataset.get('datasets') or [dataset]
    markup = test_dataset(config).get('markup')
    dataset = next((part for part in parts if part.get('markup') == markup), parts[0])
    file = Path(dataset.get('data_root') or '', dataset.get('ann_file') or '')
    return file if file.is_file() else None
