"""Which checkpoint is gone on from, among whole, damaged, stale and foreign ones."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

import facealign.plugin  # noqa: F401
from facealign.apis import read_checkpoint
from facealign.engine.resume import check_resumable, find_checkpoint
from facealign.errors import FaceAlignError


def save(path: Path, epoch: int, time: str = '20260101_120000') -> Path:
    torch.save(
        dict(
            meta=dict(epoch=epoch, iter=10 * epoch, time=time),
            state_dict=dict(weight=torch.arange(1000.0)),
            optimizer=dict(state={}, param_groups=[]),
            message_hub=dict(runtime_info={}),
        ),
        path,
    )
    return path


def name_last(folder: Path, name: str) -> None:
    (folder / 'last_checkpoint').write_text(str(folder / name))


def test_the_one_that_is_named(tmp_path: Path) -> None:
    assert find_checkpoint(tmp_path) is None
    for epoch in (1, 2):
        save(tmp_path / f'epoch_{epoch}.pth', epoch, f'2026010{epoch}_000000')
    name_last(tmp_path, 'epoch_2.pth')
    found = find_checkpoint(tmp_path)
    assert found is not None and found.path == tmp_path / 'epoch_2.pth' and not found.note


def test_the_newest_whole_one_and_why(tmp_path: Path) -> None:
    for epoch in (1, 2, 10):
        save(tmp_path / f'epoch_{epoch}.pth', epoch)
    name_last(tmp_path, 'epoch_2.pth')
    found = find_checkpoint(tmp_path)
    assert found is not None and found.path.name == 'epoch_10.pth' and 'newer than epoch_2.pth' in found.note
    name_last(tmp_path, 'epoch_10.pth')
    damaged = tmp_path / 'epoch_10.pth'
    damaged.write_bytes(damaged.read_bytes()[:-30])
    found = find_checkpoint(tmp_path)
    assert found is not None and found.path.name == 'epoch_2.pth'
    assert 'epoch_10.pth, which last_checkpoint names, is damaged' in found.note
    damaged.unlink()
    found = find_checkpoint(tmp_path)
    assert found is not None and 'is missing' in found.note


def test_those_of_an_earlier_run_are_not_newer(tmp_path: Path) -> None:
    save(tmp_path / 'epoch_60.pth', 60, '20250101_000000')
    save(tmp_path / 'epoch_3.pth', 3, '20260101_000000')
    (tmp_path / 'last_checkpoint').write_bytes(b'\xff\xfe')  # no name
    found = find_checkpoint(tmp_path)
    assert found is not None and found.path.name == 'epoch_3.pth'


def test_a_folder_that_was_moved_and_weights_that_lie_there(tmp_path: Path) -> None:
    save(tmp_path / 'epoch_3.pth', 3)
    torch.save(dict(weight=torch.zeros(1)), tmp_path / 'resnet18.pth')
    save(tmp_path / 'best_auc_epoch_9.pth', 9)
    (tmp_path / 'last_checkpoint').write_text('/elsewhere/epoch_3.pth')
    found = find_checkpoint(tmp_path)
    assert found is not None and found.path == tmp_path / 'epoch_3.pth' and not found.note


@pytest.mark.skipif(os.name == 'nt', reason='needs named pipes')
@pytest.mark.parametrize('kind', ['pipe', 'folder', 'long', 'many', 'windows'])
def test_last_checkpoint_of_any_kind_stops_nothing(tmp_path: Path, kind: str) -> None:
    save(tmp_path / 'epoch_3.pth', 3)
    last = tmp_path / 'last_checkpoint'
    if kind == 'pipe':
        os.mkfifo(last)
    elif kind == 'folder':
        last.mkdir()
    else:
        last.write_text({'long': 'a' * 3000, 'many': 'a' * 9000, 'windows': 'C:\\runs\\epoch_3.pth'}[kind])
    found = find_checkpoint(tmp_path)
    assert found is not None and found.path == tmp_path / 'epoch_3.pth' and str(found) == str(found.path)


def test_best_weights_that_are_named_are_not_said_to_be_missing(tmp_path: Path) -> None:
    torch.save(dict(state_dict=dict(weight=torch.zeros(1)), meta={}), tmp_path / 'best_auc_epoch_1.pth')
    name_last(tmp_path, 'best_auc_epoch_1.pth')
    with pytest.raises(FaceAlignError, match='best_auc_epoch_1.pth holds weights alone'):
        find_checkpoint(tmp_path)


def test_none_that_is_whole_is_one_line(tmp_path: Path) -> None:
    name_last(tmp_path, 'epoch_5.pth')
    with pytest.raises(FaceAlignError, match='names epoch_5.pth, which is missing'):
        find_checkpoint(tmp_path)
    (tmp_path / 'epoch_5.pth').write_bytes(b'')
    with pytest.raises(FaceAlignError, match=r'no checkpoint to go on from \(epoch_5.pth is empty\)'):
        find_checkpoint(tmp_path)


def test_weights_alone_are_no_state_of_a_training(tmp_path: Path) -> None:
    torch.save(dict(state_dict=dict(weight=torch.zeros(1)), meta={}), tmp_path / 'x.pth')
    with pytest.raises(FaceAlignError, match='x.pth: holds weights alone'):
        check_resumable(tmp_path / 'x.pth')


@pytest.mark.parametrize('step', range(40))
def test_a_damaged_file_is_one_line(tmp_path: Path, step: int) -> None:
    """A byte changed, or the file cut, anywhere in it."""
    path = save(tmp_path / 'epoch_1.pth', 1)
    data = bytearray(path.read_bytes())
    at = step * len(data) // 40
    path.write_bytes(data[:at])
    with pytest.raises(FaceAlignError) as caught:
        check_resumable(path)
    assert '\n' not in str(caught.value)
    for flip in (1, 0x80, 0xFF):
        changed = bytearray(data)
        changed[at] ^= flip
        path.write_bytes(changed)
        try:
            found = check_resumable(path)
        except FaceAlignError as error:
            assert '\n' not in str(error)
        else:  # a byte of padding, or of a field that nobody reads
            assert torch.equal(found['state_dict']['weight'], torch.arange(1000.0))


def test_what_takes_more_memory_than_the_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / 'x.pth'
    torch.save(dict(state_dict=dict(weight=torch.zeros(1).expand(10**6, 10**6))), path)
    with pytest.raises(FaceAlignError, match='something else than named tensors'):
        check_resumable(path)
    import zipfile

    whole = save(tmp_path / 'whole.pth', 1)
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as packed:
        for record in source.infolist():
            packed.writestr(record.filename, source.read(record))
    with pytest.raises(FaceAlignError, match='compressed'):
        read_checkpoint(path)


@pytest.mark.parametrize(
    'info',
    [
        dict(best_score='x'),
        dict(best_ckpt=7),
        dict(last_ckpt=5),
        dict(outdated_checkpoints='epoch_1.pth'),
        dict(outdated_checkpoints=['a\0.pth']),
        dict(keep_ckpt_ids=[-1]),
    ],
)
def test_a_state_that_hooks_would_stumble_over_is_one_line(tmp_path: Path, info: dict) -> None:
    path = save(tmp_path / 'epoch_1.pth', 1)
    checkpoint = torch.load(path, weights_only=True)
    for hub in (dict(runtime_info=info), dict(runtime_info={}, log_scalars=[]), dict(runtime_info={}, resumed_keys=[])):
        torch.save({**checkpoint, 'message_hub': hub}, path)
        with pytest.raises(FaceAlignError, match='not one of MMEngine'):
            check_resumable(path)
