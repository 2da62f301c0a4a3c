"""What begins and ends a run of several processes."""

from __future__ import annotations

from pathlib import Path

import torch.distributed

from facealign.engine.launch import leave_processes


def test_the_processes_of_a_run_part_and_a_single_one_has_nothing_to_leave(tmp_path: Path) -> None:
    leave_processes()
    torch.distributed.init_process_group('gloo', init_method=f'file://{tmp_path}/meet', rank=0, world_size=1)
    leave_processes()
    assert not torch.distributed.is_initialized()
