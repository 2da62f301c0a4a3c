"""Decoding inside the graph: what MMPose's codecs do in NumPy, as torch operations that ONNX has.

Each decoder takes the head and its features and gives points [N, K, 2] in
MMPose's input space and *doubt* [N, K], a number that grows with the error to
be expected (its unit is fitted later); None where the head has no such thing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from facealign.errors import FaceAlignError

Decoded = tuple[Tensor, Tensor | None]
_TINY = 1e-6


def find_decoder(head: Any) -> Callable[[Any, tuple[Tensor, ...]], Decoded]:
    """The decoder for ``head``. Raises FaceAlignError for a kind of head that has none."""
    # Subclasses come after their bases in a class's own list, so the nearest kind is taken.
    kinds = [kind.__name__ for kind in type(head).__mro__]
    for kind in kinds:
        if kind in _HEADS:
            return _HEADS[kind]
    raise FaceAlignError(f'{kinds[0]}: this kind of head cannot be exported; those that can: {", ".join(_HEADS)}')


def _regression(head: Any, feats: tuple[Tensor, ...]) -> Decoded:
    output = head.forward(feats).float()
    scale = getattr(head.decoder, 'scale', None) or head.decoder.input_size
    return output[..., :2] * output.new_tensor(scale), None


def _integral(head: Any, feats: tuple[Tensor, ...]) -> Decoded:
    points, heatmaps = head.forward(feats)
    # int: in a traced graph a size is otherwise found out anew for each image.
    count, height, width = (int(size) for size in heatmaps.shape[1:])
    x, y = head.linspace_x.float().flatten().cpu().numpy(), head.linspace_y.float().flatten().cpu().numpy()
    x_, y_ = (cells.ravel() for cells in np.meshgrid(x - 0.5, y - 0.5))
    # All moments by one product with a constant, around the middle of the crop, where their differences lose least:
    # one by one their overhead shows beside a small network.
    moments = torch.from_numpy(np.stack([x_, y_, x_**2 + y_**2], axis=1)).to(heatmaps.device)
    of_maps = heatmaps.float().reshape(-1, count, height * width) @ moments
    means = of_maps[..., :2]
    spread = of_maps[..., 2] - (means**2).sum(dim=2)
    codec = getattr(head.decoder, 'keypoint_codec', head.decoder)
    shares = points.float() if head.debias else means + 0.5
    if offset := getattr(head, 'annotation_offset', 0):
        shares = shares + shares.new_tensor([offset, 0])
    return shares * shares.new_tensor(codec.input_size), spread.clamp(min=1e-10).log() / 2


def _simcc(head: Any, feats: tuple[Tensor, ...]) -> Decoded:
    codec = head.decoder
    if codec.use_dark:
        raise FaceAlignError('SimCCLabel(use_dark=True) cannot be exported; set use_dark=False')
    bins = [axis.float() for axis in head.forward(feats)]
    peaks = [axis.max(dim=2) for axis in bins]
    points = torch.stack([peak.indices.float() for peak in peaks], dim=-1) / codec.simcc_split_ratio
    # How much of the distribution lies near its peak; the bins themselves need not be probabilities.
    share = torch.minimum(*(F.softmax(axis, dim=2).max(dim=2).values for axis in bins))
    value = torch.minimum(*(peak.values for peak in peaks))
    return torch.where((value <= 0)[..., None], -1 / codec.simcc_split_ratio, points), -share.clamp(min=_TINY).log()


def _heatmap(head: Any, feats: tuple[Tensor, ...]) -> Decoded:
    codec = head.decoder
    kind = type(codec).__name__
    refine = {
        'MSRAHeatmap': _refine_dark if getattr(codec, 'unbiased', False) else _refine_quarter,
        'PatchHeatmap': _refine_quarter,
        'UDPHeatmap': _refine_dark_udp,
        'SubcellHeatmap': _refine_subcell,
    }.get(kind)
    if refine is None or getattr(codec, 'heatmap_type', 'gaussian') != 'gaussian':
        raise FaceAlignError(f'{kind}: this kind of heatmap cannot be exported')
    heatmaps = head.forward(feats).float()
    width, height = codec.heatmap_size
    flat = heatmaps.flatten(2)
    peak, index = flat.max(dim=2)
    cells = torch.stack([index % width, torch.div(index, width, rounding_mode='floor')], dim=-1)
    moved = refine(codec, heatmaps, cells)
    if kind in ('UDPHeatmap', 'SubcellHeatmap'):
        scale = [size / (cells_ - 1) for size, cells_ in zip(codec.input_size, (width, height))]
    else:
        scale = [size / cells_ for size, cells_ in zip(codec.input_size, (width, height))]
    return moved * moved.new_tensor(scale), -peak.clamp(min=_TINY).log()


class _Around:
    """Values of heatmaps [N, K, H, W] at and around ``cells`` [N, K, 2]; beyond the border the border's own."""

    def __init__(self, heatmaps: Tensor, cells: Tensor) -> None:
        self.height, self.width = heatmaps.shape[2:]
        self._flat = heatmaps.flatten(2)
        self._x, self._y = cells[..., 0], cells[..., 1]

    def __call__(self, dx: int, dy: int) -> Tensor:
        x = (self._x + dx).clamp(0, self.width - 1)
        y = (self._y + dy).clamp(0, self.height - 1)
        return self._flat.gather(2, (y * self.width + x)[..., None])[..., 0]

    def inside(self, low: int, high: int) -> Tensor:
        """[N, K] whether ``low`` < x < width - ``high``, and so for y."""
        return (self._x > low) & (self._x < self.width - high) & (self._y > low) & (self._y < self.height - high)


def _refine_quarter(codec: Any, heatmaps: Tensor, cells: Tensor) -> Tensor:
    """A quarter of a cell towards the larger neighbour, as MMPose's ``refine_keypoints`` with its borders."""
    at = _Around(heatmaps, cells)
    x, y = cells[..., 0], cells[..., 1]
    ok_x = (x > 1) & (x < at.width - 1) & (y > 0) & (y < at.height)
    ok_y = (y > 1) & (y < at.height - 1) & (x > 0) & (x < at.width)
    step = torch.stack([ok_x * torch.sign(at(1, 0) - at(-1, 0)), ok_y * torch.sign(at(0, 1) - at(0, -1))], dim=-1)
    return torch.where((at(0, 0) <= 0)[..., None], -1.0, cells.float()) + 0.25 * step


def _refine_dark(codec: Any, heatmaps: Tensor, cells: Tensor) -> Tensor:
    """Taylor expansion of the blurred logarithm (Zhang et al., 2020), with steps of two cells as MMPose takes them."""
    logs = _blur(heatmaps, codec.blur_kernel_size).clamp(min=1e-10).log()
    at = _Around(logs, cells)
    dx, dy = (at(1, 0) - at(-1, 0)) / 2, (at(0, 1) - at(0, -1)) / 2
    dxx = (at(2, 0) - 2 * at(0, 0) + at(-2, 0)) / 4
    dyy = (at(0, 2) - 2 * at(0, 0) + at(0, -2)) / 4
    dxy = (at(1, 1) - at(1, -1) - at(-1, 1) + at(-1, -1)) / 4
    determinant = dxx * dyy - dxy**2
    use = at.inside(1, 2) & (determinant != 0)
    return cells.float() - _solve(dx, dy, dxx, dyy, dxy, torch.where(use, determinant, 1.0)) * use[..., None]


def _refine_dark_udp(codec: Any, heatmaps: Tensor, cells: Tensor) -> Tensor:
    """The same with steps of one cell (Huang et al., 2020)."""
    logs = _blur(heatmaps, codec.blur_kernel_size).clamp(1e-3, 50).log()
    at = _Around(logs, cells)
    here, left, right, up, down = at(0, 0), at(-1, 0), at(1, 0), at(0, -1), at(0, 1)
    eps = torch.finfo(torch.float32).eps
    dxx, dyy = right - 2 * here + left + eps, down - 2 * here + up + eps
    dxy = (at(1, 1) - right - down + 2 * here - left - up + at(-1, -1)) / 2
    step = _solve((right - left) / 2, (down - up) / 2, dxx, dyy, dxy, dxx * dyy - dxy**2)
    return torch.where((heatmaps.flatten(2).amax(dim=2) <= 0)[..., None], -1.0, cells.float() - step)


def _refine_subcell(codec: Any, heatmaps: Tensor, cells: Tensor) -> Tensor:
    """The vertex of a parabola through the logarithms of the sums along each axis; see ``subcell_maximum``."""
    height, width = heatmaps.shape[2:]
    centre = torch.stack([cells[..., 0].clamp(2, width - 3), cells[..., 1].clamp(2, height - 3)], dim=-1)
    at = _Around(heatmaps, centre)
    window = [[at(dx, dy) for dx in range(-2, 3)] for dy in range(-2, 3)]
    across = torch.stack([torch.stack(row) for row in window])  # [5 (y), 5 (x), N, K]
    moves = []
    for axis, sums in enumerate((across.sum(dim=0), across.sum(dim=1))):
        logs = sums.clamp(min=1e-6).log()
        slope = torch.stack([logs[i] * ((i - 2) / 10) for i in range(5)]).sum(dim=0)
        bend = torch.stack([logs[i] * ((2 - (i - 2) ** 2) / 7) for i in range(5)]).sum(dim=0)
        vertex = slope / torch.where(bend > 1e-6, bend, 1.0)
        moves.append(torch.where(bend > 1e-6, vertex, (cells[..., axis] - centre[..., axis]).float()).clamp(-2.5, 2.5))
    return centre.float() + torch.stack(moves, dim=-1)


def _solve(dx: Tensor, dy: Tensor, dxx: Tensor, dyy: Tensor, dxy: Tensor, determinant: Tensor) -> Tensor:
    """Inverse of the Hessian times the gradient, [N, K, 2]."""
    return torch.stack([dyy * dx - dxy * dy, dxx * dy - dxy * dx], dim=-1) / determinant[..., None]


def _blur(heatmaps: Tensor, kernel: int) -> Tensor:
    """MMPose's ``gaussian_blur``: zeros beyond the border, and every map keeps its maximum."""
    count, half = heatmaps.shape[1], kernel // 2
    # Made by NumPy: the exporter must see constants.
    line = np.tile(cv2.getGaussianKernel(kernel, 0).astype(np.float32).reshape(1, 1, 1, -1), (int(count), 1, 1, 1))
    across, along = torch.from_numpy(line), torch.from_numpy(line.transpose(0, 1, 3, 2).copy())
    blurred = F.conv2d(heatmaps, across.to(heatmaps.device), padding=(0, half), groups=count)
    blurred = F.conv2d(blurred, along.to(heatmaps.device), padding=(half, 0), groups=count)
    return blurred * (heatmaps.amax(dim=(2, 3), keepdim=True) / blurred.amax(dim=(2, 3), keepdim=True))


_HEADS: dict[str, Callable[[Any, tuple[Tensor, ...]], Decoded]] = {
    'RegressionHead': _regression,
    'RLEHead': _regression,
    'IntegralRegressionHead': _integral,
    'SimCCHead': _simcc,
    'RTMCCHead': _simcc,
    'HeatmapHead': _heatmap,
}
