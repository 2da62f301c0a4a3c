"""The one import for MMPose: ``custom_imports = dict(imports=['facealign.plugin'])``.

Registers this project's datasets, transforms, codecs, models, optimiser
wrapper, hooks and metrics in MMPose's registries.
"""

# ruff: noqa: E402, I001 - compat comes before anything that imports MMPose
from facealign import compat

compat.apply()

import mmpose.datasets
import mmpose.engine
import mmpose.evaluation
import mmpose.models
import mmpose.visualization  # noqa: F401

import facealign.datasets.channel_gain
import facealign.datasets.dpg
import facealign.datasets.face_dataset
import facealign.datasets.sampler
import facealign.datasets.transforms
import facealign.datasets.visibility
import facealign.engine.checkpoint_hook
import facealign.engine.distributed
import facealign.engine.dpg_hook
import facealign.engine.hooks
import facealign.engine.mean_shape_hook
import facealign.engine.optim
import facealign.engine.param_scheduler_hook
import facealign.engine.schedule
import facealign.evaluation.baselines
import facealign.evaluation.evaluator
import facealign.evaluation.baselines_mean_shape
import facealign.evaluation.metric
import facealign.models  # noqa: F401
