"""Checkpoints of the two reference systems under this project's parameter names.

A checkpoint from a stranger is data: it is read by torch's safe loader, which
builds tensors and plain containers and refuses everything else.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from facealign.apis import read_checkpoint, state_of
from facealign.errors import FaceAlignError


@dataclass(frozen=True)
class Network:
    """A published network and where its parameters go.

    Attributes:
        name: as its publication has it.
        config: of this project's network, relative to ``configs/``.
        known_by: a parameter that no other network of the system has.
        prefixes: published prefix → ours; the first that fits is taken.
    """

    name: str
    config: str
    known_by: str
    prefixes: tuple[tuple[str, str], ...]

    def rename(self, key: str) -> str:
        """Our name of a published parameter; raises KeyError where no prefix fits."""
        for theirs, ours in self.prefixes:
            if key.startswith(theirs):
                return ours + key.removeprefix(theirs)
        raise KeyError(key)


SYSTEMS = {
    'visionlabs': (
        Network(
            'YinNet',
            'yinnet/yinnet_reference_300w.py',
            'conv_layer1.0.weight',
            (('fc2.', 'head.fc.'), ('', 'backbone.')),
        ),
        Network('ONet', 'onet/onet_reference_300w.py', 'conv4.weight', (('fc2.', 'head.fc.'), ('', 'backbone.'))),
        Network(
            'ResNet18',
            'resnet18/resnet18_reference_finetuned_300w.py',
            'model.fc.weight',
            (('model.fc.', 'head.fc.'), ('model.', 'backbone.')),
        ),
    ),
    'datatang106': (
        Network(
            'SE-ResNet-101 with DUC',
            'fastpose/fastpose_reference_stage1_datatang106.py',
            'conv_out.weight',
            (
                ('preact.', 'backbone.'),
                ('duc1.', 'head.deconv_layers.1.'),
                ('duc2.', 'head.deconv_layers.2.'),
                ('conv_out.', 'head.final_layer.'),
            ),
        ),
    ),
}


def read_state_dict(path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """The named tensors of a checkpoint file, without running anything in it.

    A dictionary under the key ``state_dict`` is unwrapped, and
    ``DataParallel``'s prefix ``module.`` taken off.

    Raises:
        FaceAlignError: unreadable, not a checkpoint, or it holds anything but tensors.
    """
    remedy = 'ask its author for a state_dict'
    return state_of(read_checkpoint(path, remedy), path, remedy)


def recognise(system: str, state: Mapping[str, Tensor], path: str | os.PathLike[str]) -> Network:
    """Which of a system's networks the parameters belong to.

    Raises:
        FaceAlignError: to none of them.
    """
    for network in SYSTEMS[system]:
        if network.known_by in state:
            return network
    names = ', '.join(network.name for network in SYSTEMS[system])
    raise FaceAlignError(
        f'{path}: not a checkpoint of {system} ({names}): it begins with {_name(next(iter(state)))}; choose another'
    )


def rename_parameters(
    network: Network, state: Mapping[str, Tensor], expected: Mapping[str, Tensor], path: str | os.PathLike[str]
) -> dict[str, Tensor]:
    """Published parameters under our names, as float32 where they are fractions.

    Args:
        network: what they belong to.
        state: published name → tensor.
        expected: the state of our network; names and shapes must be the same
            set, except that old checkpoints lack ``num_batches_tracked``.
        path: of the file, for messages.

    Raises:
        FaceAlignError: a parameter is missing, unknown, or of another shape.
    """
    renamed = {}
    for key, value in state.items():
        try:
            ours = network.rename(key)
        except KeyError:
            ours = key
        if ours not in expected:
            raise FaceAlignError(f'{path}: {network.name} has no parameter {_name(key)}; choose another')
        if value.shape != expected[ours].shape:
            raise FaceAlignError(
                f'{path}: {key} is {_shape(value)}, and {network.name} has {_shape(expected[ours])}; choose another'
            )
        renamed[ours] = value.float() if value.is_floating_point() else value
    counters = {key for key in expected if key.endswith('num_batches_tracked')}
    missing = [key for key in expected if key not in renamed and key not in counters]
    if missing:
        raise FaceAlignError(
            f'{path}: lacks {len(missing)} of the parameters of {network.name}, such as {missing[0]}; choose another'
        )
    # In the network's order, so that the same weights always give the same file.
    return {key: renamed.get(key, expected[key]) for key in expected}


def _name(key: str) -> str:
    """A name from the file, made safe to print."""
    return repr(key[:80])


def _shape(tensor: Tensor) -> str:
    return 'x'.join(map(str, tensor.shape)) or 'a single number'
