"""tools/train.py, tools/test.py and their distributed forms, on drawn faces, as a user runs them."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / 'configs/onet/onet_48_300w.py'
# Few and small: what is tested is the way, not the model.
SMALL = [
    'train_dataloader.batch_size=8',
    'train_cfg.max_epochs=6',
    'train_cfg.val_interval=6',
    'default_hooks.checkpoint.interval=1',
    'default_hooks.checkpoint.max_keep_ckpts=-1',
]
Run = Callable[..., subprocess.CompletedProcess[str]]


def _weights(folder: Path, epoch: int = 6) -> dict[str, torch.Tensor]:
    """The trained weights and their average, of a checkpoint."""
    import facealign.plugin  # noqa: F401 - lets torch's safe loader read MMEngine's checkpoints

    checkpoint = torch.load(folder / f'epoch_{epoch}.pth', weights_only=True)
    return {**checkpoint['state_dict'], **{f'ema {k}': v for k, v in checkpoint['ema_state_dict'].items()}}


def _numbers(value: object, name: str = '') -> dict[str, float]:
    """The numbers in nested dictionaries and lists, each under its path."""
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    else:
        return {name: value} if isinstance(value, (int, float)) else {}
    return {key: number for part, inner in items for key, number in _numbers(inner, f'{name}/{part}').items()}


@pytest.fixture(scope='module')
def trained(drawn_data: Path, run_tool: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The work dir of an uninterrupted run."""
    folder = tmp_path_factory.mktemp('trained')
    done = run_tool('train.py', CONFIG, '--work-dir', folder, '--cfg-options', *SMALL, FACEALIGN_DATA=str(drawn_data))
    assert done.returncode == 0, done.stderr[-2000:]
    return folder


def test_a_run_leaves_checkpoints_the_best_one_and_tensorboard(trained: Path) -> None:
    assert (trained / 'epoch_6.pth').is_file()
    assert len(list(trained.glob('best_auc@0.08_epoch_*.pth'))) == 1
    assert list(trained.rglob('events.out.tfevents.*'))


def test_a_killed_run_resumed_ends_with_the_same_weights(
    trained: Path, drawn_data: Path, run_tool: Run, tmp_path
) -> None:
    args = [str(CONFIG), '--work-dir', str(tmp_path), '--cfg-options', *SMALL]
    path = os.pathsep.join(part for part in (str(ROOT / 'projects'), os.environ.get('PYTHONPATH')) if part)
    env = {**os.environ, 'PYTHONPATH': path, 'FACEALIGN_DATA': str(drawn_data), 'OMP_NUM_THREADS': '1'}
    process = subprocess.Popen(
        [sys.executable, str(ROOT / 'tools/train.py'), *args],
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    for _ in range(2000):
        if (tmp_path / 'last_checkpoint').is_file() or process.poll() is not None:
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert (tmp_path / 'epoch_1.pth').is_file()
    for later in tmp_path.glob('epoch_[3-6].pth'):  # killed late: go back to where it was
        later.unlink()
        (tmp_path / 'last_checkpoint').write_text(str(max(tmp_path.glob('epoch_[12].pth'))))
    resumed = run_tool('train.py', *args, '--resume', FACEALIGN_DATA=str(drawn_data))
    assert resumed.returncode == 0, resumed.stderr[-2000:]
    expected, found = _weights(trained), _weights(tmp_path)
    assert expected.keys() == found.keys()
    different = [key for key in expected if not torch.equal(expected[key], found[key])]
    assert not different


def test_a_run_killed_before_its_first_checkpoint_begins_anew_from_the_same_weights(
    trained: Path, drawn_data: Path, run_tool: Run, tmp_path: Path
) -> None:
    first = [*SMALL, 'train_cfg.max_epochs=3', f'load_from={trained / "epoch_6.pth"}']
    for name, flags in (('plain', ()), ('resumed', ('--resume',))):
        args = [CONFIG, '--work-dir', tmp_path / name, *flags, '--cfg-options', *first]
        done = run_tool('train.py', *args, FACEALIGN_DATA=str(drawn_data))
        assert done.returncode == 0, done.stderr[-2000:]
    expected, found = _weights(tmp_path / 'plain', 3), _weights(tmp_path / 'resumed', 3)
    assert all(torch.equal(expected[key], found[key]) for key in expected)


def test_missing_first_part_is_one_line_that_says_what_to_do(run_tool: Run, tmp_path: Path) -> None:
    done = run_tool('train.py', CONFIG, '--work-dir', tmp_path, '--cfg-options', 'load_from=first_part.pth')
    assert done.returncode == 2 and 'first_part.pth: no such checkpoint' in done.stderr.splitlines()[-1]
    assert 'load_from=FILE' in done.stderr


def test_one_process_and_two_give_the_same_numbers(
    trained: Path, drawn_data: Path, run_tool: Run, tmp_path: Path
) -> None:
    checkpoint, results, faces = trained / 'epoch_6.pth', [], []
    for name, tool, processes in (('one', 'test.py', ()), ('two', 'dist_test.sh', ('2',))):
        folder = tmp_path / name
        done = run_tool(
            tool,
            CONFIG,
            checkpoint,
            *processes,
            '--work-dir',
            folder,
            '--show-dir',
            os.path.relpath(folder / 'pictures'),
            '--cfg-options',
            'test_dataloader.batch_size=5',
            FACEALIGN_DATA=str(drawn_data),
            PORT='29517',
        )
        assert done.returncode == 0, done.stderr[-2000:]
        assert 'AUC@0.08' in done.stdout
        assert list((folder / 'pictures').rglob('*.jpg'))
        assert max(map(len, done.stdout.split('common: ')[-1].split('written:')[0].splitlines())) <= 80
        for file in ('results.json', 'per_face.csv', 'ced.png'):
            assert (folder / file).stat().st_size > 0
        results.append(json.loads((folder / 'results.json').read_text())['rows'][0]['subsets'])
        faces.append(list(csv.reader((folder / 'per_face.csv').open())))
    # The faces fall into other batches, and convolutions round differently in batches of another size.
    assert _numbers(results[0]) == pytest.approx(_numbers(results[1]), rel=1e-4, abs=1e-6)
    assert [row[:4] for row in faces[0]] == [row[:4] for row in faces[1]]


def test_two_processes_train(drawn_data: Path, run_tool: Run, tmp_path: Path) -> None:
    small = [*SMALL, 'train_cfg.max_epochs=3', 'train_cfg.val_interval=3']
    done = run_tool(
        'dist_train.sh',
        CONFIG,
        2,
        '--work-dir',
        tmp_path,
        '--cfg-options',
        *small,
        FACEALIGN_DATA=str(drawn_data),
        PORT='29518',
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert (tmp_path / 'epoch_1.pth').is_file()


def test_bad_input_is_one_line_and_status_2(drawn_data: Path, run_tool: Run, tmp_path: Path) -> None:
    broken = tmp_path / 'broken.py'
    broken.write_text('model = dict(')
    text = tmp_path / 'text.pth'
    text.write_text('not a checkpoint')
    for tool, args, reason in (
        ('train.py', [tmp_path / 'none.py'], 'no such config'),
        ('train.py', [broken], 'not a config that can be read'),
        ('train.py', [CONFIG, '--cfg-options', f'train_dataloader.dataset.data_root={tmp_path}'], 'convert_dataset'),
        ('test.py', [CONFIG, tmp_path / 'none.pth'], 'no such checkpoint'),
        ('test.py', [CONFIG, text], 'not a checkpoint'),
    ):
        done = run_tool(tool, *args, '--work-dir', tmp_path / 'work', FACEALIGN_DATA=str(drawn_data))
        assert done.returncode == 2, (args, done.stderr[-2000:])
        assert done.stderr.strip().splitlines()[-1].startswith('error: ')
        assert reason in done.stderr
        assert 'Traceback' not in done.stderr
