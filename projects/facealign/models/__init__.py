"""Networks, heads and codecs, registered with MMPose."""

from facealign.codecs.fastpose import PatchHeatmap, SubcellHeatmap
from facealign.codecs.regression import FaceRegressionLabel
from facealign.models.data_preprocessor import FaceDataPreprocessor
from facealign.models.distillation import DistilledPoseEstimator
from facealign.models.duc_head import DUCHead
from facealign.models.face_resnet import FaceResNet
from facealign.models.heads import FaceIntegralHead, FaceRegressionHead
from facealign.models.onet import ONet
from facealign.models.se_resnet import FirstBlockSEResNet
from facealign.models.star_head import StarIntegralHead
from facealign.models.yinnet import YinNet

__all__ = [
    'DUCHead',
    'DistilledPoseEstimator',
    'FaceDataPreprocessor',
    'FaceIntegralHead',
    'FaceRegressionHead',
    'FaceRegressionLabel',
    'FaceResNet',
    'FirstBlockSEResNet',
    'ONet',
    'PatchHeatmap',
    'SubcellHeatmap',
    'StarIntegralHead',
    'YinNet',
]
