"""Published parameters in our networks: same outputs as plain functional code gives them, and nothing else gets in."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS
from torch import Tensor
from torch.nn import functional as F

import facealign.plugin  # noqa: F401
from facealign.errors import FaceAlignError
from facealign.models.import_checkpoint import SYSTEMS, Network, read_state_dict, recognise, rename_parameters

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
State = dict[str, Tensor]


def names_of(path: Path, section: str = '') -> dict[str, tuple[int, ...]]:
    """Names and shapes from a list of ``../shared/reference``, of the network that ``section`` begins with."""
    text = path.read_text()
    if section:
        text = text.split(f'# {section}')[1].split('#')[0].partition('\n')[2]
    names = {}
    for line in text.strip().splitlines():
        name, _, shape = line.strip().partition(' ')
        names[name] = tuple(map(int, shape.split('x'))) if shape.strip() not in ('', 'scalar') else ()
    return names


def resnet18_names() -> dict[str, tuple[int, ...]]:
    import torchvision

    net = torchvision.models.resnet18(num_classes=136)
    return {f'model.{name}': tuple(value.shape) for name, value in net.state_dict().items()}


def random_state(names: dict[str, tuple[int, ...]]) -> State:
    """Weights that keep activations near 1 through any number of layers."""
    generator = torch.Generator().manual_seed(0)
    state = {}
    for name, shape in names.items():
        if name.endswith('num_batches_tracked'):
            state[name] = torch.tensor(7)
        elif name.endswith('running_var') or (len(shape) == 1 and name.endswith('weight')):
            state[name] = torch.rand(shape, generator=generator) * 0.4 + 0.4
        else:
            fan_in = max(1, int(torch.tensor(shape[1:]).prod())) if len(shape) > 1 else 25
            state[name] = torch.randn(shape, generator=generator) * (1.5 / fan_in) ** 0.5
    return state


def batch_norm(state: State, name: str, x: Tensor) -> Tensor:
    return F.batch_norm(x, *(state[f'{name}.{part}'] for part in ('running_mean', 'running_var', 'weight', 'bias')))


def yinnet(state: State, x: Tensor) -> Tensor:
    def conv(x: Tensor, layer: int, at: int) -> Tensor:
        x = F.conv2d(x, state[f'conv_layer{layer}.{at}.weight'], state[f'conv_layer{layer}.{at}.bias']).relu()
        return batch_norm(state, f'conv_layer{layer}.{at + 2}', x)

    x = F.max_pool2d(conv(x, 1, 0), 2)
    x = F.max_pool2d(conv(conv(x, 2, 0), 2, 3), 2)
    x = F.max_pool2d(conv(conv(x, 3, 0), 3, 3), 2)
    x = F.max_pool2d(conv(conv(x, 4, 0), 4, 3), 2, stride=1)
    x = conv(x, 5, 0).flatten(1)
    x = batch_norm(state, 'bn', F.linear(x, state['fc1.weight'], state['fc1.bias']).relu())
    return F.linear(x, state['fc2.weight'], state['fc2.bias'])


def onet(state: State, x: Tensor) -> Tensor:
    for layer, window in ((1, 3), (2, 3), (3, 2)):
        x = F.conv2d(x, state[f'conv{layer}.weight'], state[f'conv{layer}.bias'])
        x = F.max_pool2d(x, window, 2, ceil_mode=True).relu()
    x = F.conv2d(x, state['conv4.weight'], state['conv4.bias']).relu().flatten(1)
    x = F.linear(x, state['fc1.weight'], state['fc1.bias']).relu()
    return F.linear(x, state['fc2.weight'], state['fc2.bias'])


def resnet18(state: State, x: Tensor) -> Tensor:
    import torchvision

    net = torchvision.models.resnet18(num_classes=136).eval()
    net.load_state_dict({name.removeprefix('model.'): value for name, value in state.items()})
    return net(x)


def fastpose(state: State, x: Tensor) -> Tensor:
    def shuffle(x: Tensor) -> Tensor:
        b, c, h, w = x.shape
        return x.reshape(b, c // 4, 2, 2, h, w).permute(0, 1, 4, 2, 5, 3).reshape(b, c // 4, 2 * h, 2 * w)

    def conv_bn(x: Tensor, conv: str, bn: str, stride: int = 1) -> Tensor:
        weight = state[f'{conv}.weight']
        return batch_norm(state, bn, F.conv2d(x, weight, stride=stride, padding=weight.shape[-1] // 2))

    x = F.max_pool2d(conv_bn(x, 'preact.conv1', 'preact.bn1', 2).relu(), 3, 2, 1)
    for stage, blocks in enumerate((3, 4, 23, 3), start=1):
        for block in range(blocks):
            at = f'preact.layer{stage}.{block}'
            stride = 2 if stage > 1 and block == 0 else 1
            out = conv_bn(x, f'{at}.conv1', f'{at}.bn1').relu()
            out = conv_bn(out, f'{at}.conv2', f'{at}.bn2', stride).relu()
            out = conv_bn(out, f'{at}.conv3', f'{at}.bn3')
            if block == 0:
                gate = F.linear(out.mean((2, 3)), state[f'{at}.se.fc.0.weight'], state[f'{at}.se.fc.0.bias']).relu()
                gate = F.linear(gate, state[f'{at}.se.fc.2.weight'], state[f'{at}.se.fc.2.bias']).sigmoid()
                out = out * gate[:, :, None, None]
                x = conv_bn(x, f'{at}.downsample.0', f'{at}.downsample.1', stride)
            x = (x + out).relu()
    x = shuffle(x)
    x = shuffle(conv_bn(x, 'duc1.conv', 'duc1.bn').relu())
    x = shuffle(conv_bn(x, 'duc2.conv', 'duc2.bn').relu())
    return F.conv2d(x, state['conv_out.weight'], state['conv_out.bias'], padding=1)


def build(network: Network) -> torch.nn.Module:
    config = Config.fromfile(CONFIGS / network.config)
    init_default_scope(config.default_scope)
    return MODELS.build(config.model)


@torch.no_grad()
def check_same_outputs(
    system: str, name: str, state: State, forward: Callable[[State, Tensor], Tensor], size: int
) -> None:
    network = recognise(system, state, 'x.pth')
    assert network.name.startswith(name)
    model = build(network)
    model.load_state_dict(rename_parameters(network, state, model.state_dict(), 'x.pth'))
    model.eval()
    images = torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(1)) - 0.45
    expected = forward(state, images)
    outputs = model(images, None, mode='tensor').reshape(expected.shape)
    assert 0.05 < expected.std() < 50
    torch.testing.assert_close(outputs, expected, rtol=1e-5, atol=1e-5)


def test_yinnet(shared: Path) -> None:
    names = names_of(shared / 'reference/visionlabs-checkpoint-keys.txt', 'YinNet')
    check_same_outputs('visionlabs', 'YinNet', random_state(names), yinnet, 128)


def test_onet(shared: Path) -> None:
    names = names_of(shared / 'reference/visionlabs-checkpoint-keys.txt', 'ONet')
    check_same_outputs('visionlabs', 'ONet', random_state(names), onet, 48)


def test_resnet18() -> None:
    check_same_outputs('visionlabs', 'ResNet18', random_state(resnet18_names()), resnet18, 224)


def test_fastpose(shared: Path) -> None:
    names = names_of(shared / 'reference/datatang106-checkpoint-keys.txt')
    state = random_state(names)
    assert (
        sum(value.numel() for name, value in state.items() if 'running' not in name and 'tracked' not in name)
        == 59_672_490
    )
    check_same_outputs('datatang106', 'SE-ResNet-101', state, fastpose, 128)


def test_fastposes_config_offers_the_systems_own_input() -> None:
    """RGB / 255 less 0.406, 0.457, 0.480, from the BGR pixels that MMPose loads."""
    (network,) = SYSTEMS['datatang106']
    config = Config.fromfile(CONFIGS / network.config)
    init_default_scope(config.default_scope)
    pixels = torch.randint(0, 256, (3, 8, 8), dtype=torch.uint8)
    prepared = MODELS.build(config.model.data_preprocessor)(dict(inputs=[pixels], data_samples=[]))['inputs'][0]
    rgb = pixels.flip(0).float() / 255
    torch.testing.assert_close(prepared, rgb - torch.tensor([0.406, 0.457, 0.480])[:, None, None])


def onet_state() -> tuple[Network, State]:
    """A small published state dict, and what it belongs to, without ``../shared``."""
    network = SYSTEMS['visionlabs'][1]
    ours = build(network).state_dict()
    return network, {name.removeprefix('backbone.').replace('head.fc.', 'fc2.'): value for name, value in ours.items()}


def test_wrappings_are_taken_off(tmp_path: Path) -> None:
    _, state = onet_state()
    torch.save(
        dict(state_dict={f'module.{name}': value for name, value in state.items()}, epoch=93), tmp_path / 'x.pth'
    )
    torch.save(state, tmp_path / 'old.pkl', _use_new_zipfile_serialization=False)
    for file in ('x.pth', 'old.pkl'):
        read = read_state_dict(tmp_path / file)
        assert list(read) == list(state) and all(torch.equal(read[name], state[name]) for name in state)


def test_old_checkpoints_without_counters_and_half_precision() -> None:
    network = SYSTEMS['visionlabs'][0]
    expected = build(network).state_dict()
    state = {
        name.removeprefix('backbone.').replace('head.fc.', 'fc2.'): value.half()
        for name, value in expected.items()
        if not name.endswith('num_batches_tracked')
    }
    renamed = rename_parameters(network, state, expected, 'x.pth')
    assert list(renamed) == list(expected)
    assert {value.dtype for name, value in renamed.items() if 'tracked' not in name} == {torch.float32}


class Trap:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple:
        return os.system, (f'touch {self.marker}',)


@pytest.mark.parametrize('kind', ['pickle', 'torch', 'old torch', 'inside'])
def test_hostile_files_run_nothing(tmp_path: Path, kind: str) -> None:
    marker, path = tmp_path / 'ran', tmp_path / 'x.pkl'
    if kind == 'pickle':
        path.write_bytes(pickle.dumps(Trap(marker)))
    elif kind == 'inside':
        torch.save({**onet_state()[1], 'note': Trap(marker)}, path)
    else:
        torch.save(Trap(marker), path, _use_new_zipfile_serialization=kind == 'torch')
    with pytest.raises(FaceAlignError, match='x.pkl: not a checkpoint of weights alone') as error:
        read_state_dict(path)
    assert not marker.exists() and 'weights_only' not in str(error.value)


def test_the_trap_would_have_worked(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(Trap(tmp_path / 'ran')))
    assert (tmp_path / 'ran').exists()


@pytest.mark.parametrize('content', [b'', b'\x80', b'hello', b'PK\x03\x04' + bytes(100), bytes(5000)])
def test_files_that_are_no_checkpoints(tmp_path: Path, content: bytes) -> None:
    (tmp_path / 'x.pth').write_bytes(content)
    with pytest.raises(FaceAlignError, match='x.pth: (not a checkpoint of weights alone|is empty|is damaged)'):
        read_state_dict(tmp_path / 'x.pth')


def test_a_damaged_file(tmp_path: Path) -> None:
    torch.save(onet_state()[1], tmp_path / 'x.pth')
    whole = (tmp_path / 'x.pth').read_bytes()
    (tmp_path / 'x.pth').write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FaceAlignError, match='is damaged'):
        read_state_dict(tmp_path / 'x.pth')


@pytest.mark.parametrize('value', [torch.zeros(3), {}, [torch.zeros(2)], {'a': 1}, {'a': torch.zeros(2).to_sparse()}])
def test_files_without_named_tensors(tmp_path: Path, value: object) -> None:
    torch.save(value, tmp_path / 'x.pth')
    with pytest.raises(FaceAlignError, match='holds something else'):
        read_state_dict(tmp_path / 'x.pth')


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(FaceAlignError, match='no such checkpoint'):
        read_state_dict(tmp_path / 'none.pth')
    with pytest.raises(FaceAlignError, match='not a file'):
        read_state_dict(tmp_path)


def test_networks_that_do_not_fit() -> None:
    network, state = onet_state()
    expected = build(network).state_dict()
    with pytest.raises(FaceAlignError, match="not a checkpoint of datatang106 .*begins with 'conv1.weight'"):
        recognise('datatang106', state, 'x.pth')
    with pytest.raises(FaceAlignError, match='fc2.weight is 212x256, and ONet has 136x256'):
        rename_parameters(network, state | {'fc2.weight': torch.zeros(212, 256)}, expected, 'x.pth')
    with pytest.raises(FaceAlignError, match='lacks 1 of the parameters of ONet, such as backbone.conv4.bias'):
        rename_parameters(network, {k: v for k, v in state.items() if k != 'conv4.bias'}, expected, 'x.pth')
    with pytest.raises(FaceAlignError, match="ONet has no parameter 'conv5.bias'"):
        rename_parameters(network, state | {'conv5.bias': torch.zeros(1)}, expected, 'x.pth')
