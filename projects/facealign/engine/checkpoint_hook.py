"""Checkpoints that a kill or a full disk cannot lose."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmengine.dist import is_main_process
from mmengine.fileio import LocalBackend, register_backend
from mmengine.hooks import CheckpointHook
from mmengine.runner import Runner
from mmpose.registry import HOOKS

from facealign.engine.resume import LAST, check_resumable
from facealign.errors import FaceAlignError
from facealign.utils.files import atomic_write_bytes, atomic_write_text

BACKEND = 'whole_files'
# Entries of MMEngine's message hub, which a checkpoint holds. Those that begin with train, val or test are logged.
_VALIDATED, _OUTDATED = 'epoch_validated', 'outdated_checkpoints'


class WholeFiles(LocalBackend):
    """MMEngine's local files, each written under a temporary name, brought to the disk and renamed.

    Attributes:
        outdated: paths that were to be removed; whoever uses this backend removes them when the time has come.
    """

    def __init__(self) -> None:
        self.outdated: list[str] = []

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write ``obj``; raises as :func:`facealign.utils.files.atomic_path`."""
        atomic_write_bytes(filepath, obj, sync=True)

    def remove(self, filepath: str | Path) -> None:
        self.outdated.append(str(filepath))


register_backend(BACKEND, WholeFiles, force=True)


@HOOKS.register_module()
class WholeCheckpointHook(CheckpointHook):
    """MMEngine's ``CheckpointHook`` in an order in which a whole checkpoint is on the disk at every moment.

    The new checkpoint is written whole, then ``last_checkpoint`` names it,
    then the one before goes; so with the best ones. MMEngine deletes first and
    writes in place. A kill leaves at worst a checkpoint too many, which the
    resumed run removes; where it came during a validation, the resumed run
    begins with that validation, so that no best checkpoint is missed.

    Only ``.pth`` files of the own folder are ever removed, whatever a
    checkpoint that is resumed from names.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs['backend_args'] = dict(backend=BACKEND)
        super().__init__(*args, **kwargs)

    def before_train(self, runner: Runner) -> None:
        super().before_train(runner)
        if runner.epoch > 0 or runner.iter > 0:
            self._go_on(runner)
        if self._missed_validation(runner):
            runner.logger.info(f'Epoch {runner.epoch} was not validated before the run ended; that comes first')
            runner.val_loop.run()

    def before_run(self, runner: Runner) -> None:
        """Refuse to resume from another network's checkpoint; MMEngine loads what fits and fails at the optimiser."""
        if not (runner._resume and runner._load_from):
            return
        checkpoint = check_resumable(runner._load_from)
        ours, theirs = getattr(runner.model, 'module', runner.model).state_dict(), checkpoint['state_dict']
        odd = [key for key in {**ours, **theirs} if _shape(ours, key) != _shape(theirs, key)]
        if odd:
            raise FaceAlignError(
                f'{runner._load_from}: its weights are not those of this config ({len(odd)} differ, such as '
                f'{odd[0][:80]!r}); go on with the config that it was trained by'
            )

        groups = checkpoint['optimizer'].get('param_groups')
        wrapper = runner.optim_wrapper
        if hasattr(wrapper, 'optimizer') and not (
            isinstance(groups, list) and len(groups) == len(wrapper.optimizer.param_groups)
        ):
            raise FaceAlignError(
                f"{runner._load_from}: its optimiser's state is not of this config's; go on with the config that it "
                'was trained by'
            )

    def after_val_epoch(self, runner: Runner, metrics: dict) -> None:
        runner.message_hub.update_info(_VALIDATED, runner.epoch)
        super().after_val_epoch(runner, metrics)

    def _go_on(self, runner: Runner) -> None:
        """Bring the folder to where the run would have brought it, had it not been killed after its last checkpoint."""
        known = runner.message_hub.runtime_info
        self.last_ckpt = known.get('last_ckpt')
        resumed = Path(str(runner._load_from))
        if is_main_process() and resumed.resolve().parent == Path(self.out_dir).resolve():
            self._name_last(runner, self.file_backend.join_path(self.out_dir, resumed.name))
        self.file_backend.outdated += known.get(_OUTDATED) or []
        self._remove_outdated(keep=resumed.name)

    def _missed_validation(self, runner: Runner) -> bool:
        loop, epoch = runner.train_loop, runner.epoch
        if not self.by_epoch or runner.val_loop is None or epoch == 0 or epoch < loop.val_begin:
            return False
        due = epoch % loop.val_interval == 0 or epoch == loop.max_epochs
        return due and runner.message_hub.runtime_info.get(_VALIDATED) != epoch

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict) -> None:
        if self.max_keep_ckpts > 0 and step not in self.keep_ckpt_ids:
            old = [*self.keep_ckpt_ids, step][: -self.max_keep_ckpts]
            self.file_backend.outdated += [self.filename_tmpl.format(step) for step in old]
            self.keep_ckpt_ids.append(step)  # of limited length
            runner.message_hub.update_info('keep_ckpt_ids', list(self.keep_ckpt_ids))
        # The checkpoint names those that are to go: a run that resumes from it removes what is left of them.
        runner.message_hub.update_info(_OUTDATED, list(self.file_backend.outdated))
        name = self.filename_tmpl.format(step)
        self.last_ckpt = self.file_backend.join_path(self.out_dir, name)
        runner.message_hub.update_info('last_ckpt', self.last_ckpt)
        runner.save_checkpoint(
            self.out_dir,
            name,
            self.file_client_args,
            save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler,
            meta=meta,
            by_epoch=self.by_epoch,
            backend_args=self.backend_args,
            **self.args,
        )
        if is_main_process():
            self._name_last(runner, self.last_ckpt)
        self._remove_outdated()

    def _save_best_checkpoint(self, runner: Runner, metrics: dict) -> None:
        super()._save_best_checkpoint(runner, metrics)
        self._remove_outdated()

    @staticmethod
    def _name_last(runner: Runner, path: str) -> None:
        last = Path(runner.work_dir, LAST)
        if not (last.is_file() and last.read_bytes() == str(path).encode()):
            atomic_write_text(last, str(path), sync=True)

    def _remove_outdated(self, keep: str = '') -> None:
        outdated, self.file_backend.outdated = self.file_backend.outdated, []
        if is_main_process():
            for name in outdated:
                path = Path(self.out_dir, Path(str(name)).name)
                if path.suffix == '.pth' and path.name != keep:
                    path.unlink(missing_ok=True)


def _shape(state: dict, key: str) -> Any:
    return getattr(state.get(key), 'shape', None)
