"""``tools/publish_checkpoint.py``: the weights alone, rounded to 16 bits, and nothing for a damaged file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from mmengine.logging import HistoryBuffer

from facealign.apis import read_checkpoint


def test_weights_alone(tmp_path: Path, run_tool: Callable) -> None:
    weight = torch.randn(4, 3)
    saved = {'state_dict': {'a.weight': weight, 'a.num_batches_tracked': torch.tensor(70000)}, 'optimizer': {'x': 1}}
    saved['message_hub'] = {'log_scalars': {'train/loss': HistoryBuffer([1.0, 2.0], [1, 1])}}  # as MMEngine saves
    torch.save(saved, tmp_path / 'epoch_3.pth')
    out = tmp_path / 'net_fp16.pth'
    assert run_tool('publish_checkpoint.py', tmp_path / 'epoch_3.pth', out).returncode == 0
    published = read_checkpoint(out)
    assert set(published) == {'state_dict', 'meta'} and published['meta'] == {'config': 'net.py'}
    state = published['state_dict']
    assert torch.equal(state['a.weight'], weight.half()) and state['a.num_batches_tracked'] == 70000

    (tmp_path / 'bad.pth').write_bytes(out.read_bytes()[:-40])
    run = run_tool('publish_checkpoint.py', tmp_path / 'bad.pth', tmp_path / 'bad_fp16.pth')
    assert (
        run.returncode == 2
        and run.stderr.startswith(f'error: {tmp_path / "bad.pth"}: ')
        and run.stderr.count('\n') == 1
    )
    assert not (tmp_path / 'bad_fp16.pth').exists()
