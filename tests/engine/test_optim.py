"""bfloat16 training on CPU, channels-last layout and the allocator's settings."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import torch
from torch import nn

import facealign.plugin  # noqa: F401
from facealign.engine.hooks import FastCpuHook
from facealign.engine.optim import Bfloat16OptimWrapper


def test_forward_runs_in_bfloat16_and_weights_stay_float32() -> None:
    model = nn.Linear(8, 4)
    wrapper = Bfloat16OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1))
    before = model.weight.detach().clone()
    with wrapper.optim_context(model):
        out = model(torch.ones(2, 8))
        assert out.dtype == torch.bfloat16
        loss = out.float().pow(2).mean()
    wrapper.update_params(loss)
    assert model.weight.dtype == torch.float32
    assert not torch.equal(model.weight, before)
    assert model(torch.ones(2, 8)).dtype == torch.float32  # autocast ends with the block


def test_channels_last_changes_the_layout_and_not_the_result() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 4, 3)).eval()
    images = torch.rand(2, 3, 16, 16)
    with torch.no_grad():
        expected = model(images)
        FastCpuHook().before_run(SimpleNamespace(model=model))
        assert model[0].weight.is_contiguous(memory_format=torch.channels_last)
        torch.testing.assert_close(model(images), expected, rtol=1e-5, atol=1e-5)


def test_freed_memory_is_kept() -> None:
    """In a process of its own, since the settings hold for all of it: a freed block comes back without page faults."""
    program = """
import resource, numpy as np
from facealign.engine.memory import keep_freed_memory
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(5):
        np.ones(40 * 2**20, np.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
import platform
first = faults()
took = keep_freed_memory()
faults()
print(took, first, faults(), platform.libc_ver()[0])
"""
    done = subprocess.run([sys.executable, '-c', program], capture_output=True, text=True, timeout=60, check=True)
    took, first, second, libc = done.stdout.split()
    assert took == str(libc == 'glibc')
    if took == 'True':
        assert int(second) < int(first) / 4
