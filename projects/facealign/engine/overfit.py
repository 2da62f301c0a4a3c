"""Whether a heatmap network can learn at all: its narrow twin on a handful of drawn faces."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS

from facealign.engine.optim import Bfloat16OptimWrapper
from facealign.synthetic.render import random_face
from facealign.utils.config_file import read_config


@dataclass(frozen=True)
class Overfit:
    """What a run of :func:`overfit` came to.

    Attributes:
        mean, worst: mean distance of the points to where they were drawn, over
            all faces and of the worst face, in percent of the crop's side; in
            eval mode.
        seconds: the training took.
    """

    mean: float
    worst: float
    seconds: float


def overfit(
    config: str | os.PathLike[str],
    faces: int = 8,
    steps: int = 400,
    width: int = 16,
    size: int = 96,
    lr: float = 2e-2,
    report: Callable[[int, float], None] = lambda step, loss: None,
) -> Overfit:
    """Train the twin of a FastPose config on drawn faces, without augmentation, and measure it on the same.

    The twin has depth 50, ``width`` channels where the original has 64, and
    crops of ``size`` pixels; codec and all else are the config's. Trained in
    bfloat16 by AdamW, the rate rising for a third of the steps and falling to
    nothing.

    Args:
        config: of ``configs/fastpose``.
        faces: how many, in one batch.
        steps: of the optimiser.
        width: of the stem and the first stage.
        size: side of the crop in pixels, a multiple of 32.
        lr: highest rate.
        report: called with the step and its loss.
    """
    cfg = read_config(config, 'model.backbone', 'model.head', 'codec', 'default_scope')
    init_default_scope(cfg.default_scope)
    codec = dict(cfg.codec, input_size=(size, size), heatmap_size=(size // 4, size // 4))
    cfg.model.backbone.update(depth=50, stem_channels=width, base_channels=width)
    cfg.model.head.update(in_channels=32 * width, decoder=codec)
    torch.manual_seed(0)
    model = MODELS.build(cfg.model).to(memory_format=torch.channels_last)
    batch = _batch(cfg, codec, faces)
    optimizer = torch.optim.AdamW(model.parameters(), lr, betas=(0.9, 0.99), weight_decay=0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, total_steps=steps, pct_start=0.3)
    wrapper = Bfloat16OptimWrapper(optimizer)
    begin = time.perf_counter()
    model.train()
    for step in range(steps):
        loss = model.train_step(batch, wrapper)['loss_kpt']
        schedule.step()
        report(step, float(loss))
    seconds = time.perf_counter() - begin
    model.eval()
    with torch.no_grad():
        errors = [_error(sample) for sample in model.test_step(batch)]
    return Overfit(mean=100 * float(np.mean(errors)), worst=100 * max(errors), seconds=seconds)


def _batch(cfg: Config, codec: dict, faces: int) -> dict:
    """The faces as the config's test pipeline crops them, with targets."""
    steps = {step.type: step for step in cfg.test_dataloader.dataset.pipeline}
    pipeline = Compose(
        [
            steps['GetBBoxCenterScale'],
            dict(steps['TopdownAffine'], input_size=codec['input_size']),
            dict(type='GenerateTarget', encoder=codec),
            steps['PackFaceInputs'],
        ]
    )
    samples = []
    for seed in range(faces):
        face = random_face((0, seed))
        points = face.points106[None].astype(np.float32)
        samples.append(
            dict(
                img=face.image,
                bbox=np.concatenate([points.min(axis=1), points.max(axis=1)], axis=1),
                bbox_score=np.ones(1, np.float32),
                keypoints=points,
                keypoints_visible=np.ones(points.shape[:2], np.float32),
            )
        )
    return pseudo_collate([pipeline(sample) for sample in samples])


def _error(sample: object) -> float:
    """Mean distance between predicted and drawn points of one face, as a share of the crop's side."""
    moved = sample.pred_instances.keypoints - sample.gt_instances.keypoints  # type: ignore[attr-defined]
    return float(np.linalg.norm(moved, axis=-1).mean() / sample.metainfo['input_scale'][0])  # type: ignore[attr-defined]
