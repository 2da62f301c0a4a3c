"""facealign: facial landmarks, 68 and 106 points, as an MMPose plug-in.

``import facealign`` loads neither torch nor MMPose; configs name
``facealign.plugin`` to register the models, datasets and metrics.

>>> from facealign import FaceAligner
>>> faces = FaceAligner()('group.jpg')  # doctest: +SKIP
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from facealign.inference.aligner import FaceAligner

__all__ = ['FaceAligner', '__version__']
__version__ = '0.1.0'
# What a face looks like is nobody else's business: onnxruntime reports each use to its makers, and keeps a file in
# the temporary folder, unless this (earlier: the other) is set before it is loaded.
for _name in ('ORT_DISABLE_TELEMETRY', 'ORT_TELEMETRY_DISABLED'):
    os.environ.setdefault(_name, '1')


def __getattr__(name: str) -> Any:
    # Loaded when it is asked for: configs and readers need no onnxruntime.
    if name == 'FaceAligner':
        from facealign.inference.aligner import FaceAligner

        return FaceAligner
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
