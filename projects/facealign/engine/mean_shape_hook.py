"""Start a regressor at the mean shape, so that it need not find it first."""

from __future__ import annotations

import torch
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from mmpose.registry import HOOKS


@HOOKS.register_module()
class MeanShapeHook(Hook):
    """Sets the bias of a regression head's last layer to the mean of the training targets, before a fresh training.

    A network that averages its last map (ResNet) otherwise spends its first
    epochs, at the highest learning rate, on bringing every point to its
    average place (docs/results/runs.md, ResNet18). A resumed training and one
    from loaded weights are left as they are.

    Args:
        faces: the mean is of at least so many training faces, evenly spread; of all, where there are fewer.
    """

    def __init__(self, faces: int = 512) -> None:
        self.faces = faces

    def before_train(self, runner: Runner) -> None:
        if runner.iter > 0 or runner.cfg.get('load_from'):
            return
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        dataset = runner.train_dataloader.dataset
        step = max(1, len(dataset) // self.faces)
        total = weight = torch.zeros(1)
        for index in range(0, len(dataset), step):
            labels = dataset[runner.seed, 0, index]['data_samples'].gt_instance_labels
            weights = labels.keypoint_weights[..., None]
            total, weight = total + (labels.keypoint_labels * weights).sum(0), weight + weights.sum(0)
        with torch.no_grad():
            model.head.fc.bias.copy_((total / weight.clamp(min=1)).flatten())
