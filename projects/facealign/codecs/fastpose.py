"""Heatmaps: those of the 106-point reference system, and better ones."""

from __future__ import annotations

import numpy as np
from mmpose.codecs import MSRAHeatmap
from mmpose.codecs.base import BaseKeypointCodec
from mmpose.registry import KEYPOINT_CODECS


@KEYPOINT_CODECS.register_module()
class PatchHeatmap(MSRAHeatmap):
    """Square Gaussian patches around whole cells; a channel without its point is taught to be zero.

    MMPose's ``MSRAHeatmap`` cannot express it: its window has a radius of
    3 sigma, which must be a whole number of cells for the peak to lie on the
    point, and a missing point takes its channel out of the loss. Rounding to
    cells costs up to half a cell, of which decoding (the maximum, moved by a
    quarter of a cell towards its larger neighbour) finds nothing again, since
    the target is symmetric: this is the reference's codec, kept for its
    weights and for comparison. :class:`SubcellHeatmap` is the better one.

    Args:
        input_size: (width, height) of the crop in pixels.
        heatmap_size: (width, height) of the heatmap in cells.
        sigma: of the Gaussian, in cells.
        radius: cells on each side of the point that the patch reaches; beyond it the target is 0.
    """

    def __init__(
        self, input_size: tuple[int, int], heatmap_size: tuple[int, int], sigma: float = 1.75, radius: int = 3
    ) -> None:
        super().__init__(input_size, heatmap_size, sigma)
        self.radius = radius
        profile = np.exp(-(np.arange(-radius, radius + 1) ** 2) / (2 * sigma**2))
        self._patch = np.outer(profile, profile).astype(np.float32)

    def encode(self, keypoints: np.ndarray, keypoints_visible: np.ndarray | None = None) -> dict:
        """Crop pixels ``[1, K, 2]`` and presence ``[1, K]`` → ``heatmaps`` [K, H, W] and ``keypoint_weights`` [1, K].

        Points with presence 0 or outside the crop give an empty channel. The
        weights are 1 throughout: every channel is trained, also an empty one.
        """
        width, height = self.heatmap_size
        inside = ((keypoints[0] >= 0) & (keypoints[0] < self.input_size)).all(axis=1)
        if keypoints_visible is not None:
            inside &= keypoints_visible[0] > 0
        # Half cells go up, and those of the last half cell stay on the map.
        cells = np.floor(keypoints[0] / self.scale_factor + 0.5).astype(int)
        cells = np.minimum(cells, (width - 1, height - 1))
        r = self.radius
        padded = np.zeros((len(cells), height + 2 * r, width + 2 * r), dtype=np.float32)
        for k in np.flatnonzero(inside):
            x, y = cells[k]
            padded[k, y : y + 2 * r + 1, x : x + 2 * r + 1] = self._patch
        return dict(
            heatmaps=np.ascontiguousarray(padded[:, r : r + height, r : r + width]),
            keypoint_weights=np.ones(keypoints.shape[:2], dtype=np.float32),
        )


@KEYPOINT_CODECS.register_module()
class SubcellHeatmap(BaseKeypointCodec):
    """Gaussians centred between cells, by the UDP convention (Huang et al., 2020), decoded between cells.

    MMPose's ``UDPHeatmap`` with three differences: any sigma (MMPose's window
    lies a cell off unless 3 sigma is whole), a tenth of the time, and a
    decoding that is also right near the border. MMPose's blurs with zeros
    beyond it, which moves points in the outermost 3 cells by up to a cell; a
    chin cut close by a detector's box is there. Here a parabola is laid
    through the logarithm of the peak (:func:`subcell_maximum`), exact for a
    Gaussian wherever its centre lies on the map.

    Decoded coordinates are as MMPose's: x in cells times ``input width /
    (heatmap width - 1)``, which its estimator maps back to the image that
    ``TopdownAffine(use_udp=True)`` has cropped.

    Args:
        input_size: (width, height) of the crop in pixels.
        heatmap_size: (width, height) of the heatmap in cells.
        sigma: of the Gaussian, in cells.
    """

    label_mapping_table = dict(keypoint_weights='keypoint_weights')
    field_mapping_table = dict(heatmaps='heatmaps')

    def __init__(self, input_size: tuple[int, int], heatmap_size: tuple[int, int], sigma: float = 2.0) -> None:
        super().__init__()
        self.input_size, self.heatmap_size, self.sigma = tuple(input_size), tuple(heatmap_size), sigma

    def encode(self, keypoints: np.ndarray, keypoints_visible: np.ndarray | None = None) -> dict:
        """Crop pixels ``[1, K, 2]`` and weights ``[1, K]`` → ``heatmaps`` [K, H, W] and ``keypoint_weights`` [1, K].

        A point of weight 0, or more than 3 sigma off the map, has an empty channel and weight 0.
        """
        last = np.array(self.heatmap_size) - 1
        centres = keypoints[0] * last / (np.array(self.input_size) - 1)
        weights = np.ones(len(centres)) if keypoints_visible is None else keypoints_visible[0]
        near = ((centres > -3 * self.sigma) & (centres < last + 3 * self.sigma)).all(axis=1)
        weights = (weights * near).astype(np.float32)
        x, y = (
            np.exp(-((np.arange(size) - centres[:, axis, None]) ** 2) / (2 * self.sigma**2)).astype(np.float32)
            for axis, size in enumerate(self.heatmap_size)
        )
        y = y * (weights > 0)[:, None]
        return dict(heatmaps=y[:, :, None] * x[:, None, :], keypoint_weights=weights[None])

    def decode(self, encoded: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Heatmaps ``[K, H, W]`` → points ``[1, K, 2]`` in crop pixels and scores ``[1, K]``, the maxima."""
        cells, scores = subcell_maximum(encoded)
        width, height = self.heatmap_size
        return (cells / (width - 1, height - 1) * self.input_size)[None], scores[None]


def subcell_maximum(heatmaps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where heatmaps ``[K, H, W]`` are largest: cells (x, y) with fractions ``[K, 2]``, and how large ``[K]``.

    The 5x5 cells around the largest one, or next to it at the border, are
    summed along each axis (a Gaussian stays one); the result is the vertex of
    the least-squares parabola through the logarithms of the five sums.

    >>> y, x = np.mgrid[:8, :8]
    >>> subcell_maximum(np.exp(-((x - 2.3) ** 2 + (y - 6.9) ** 2) / 8)[None])[0].round(6).tolist()
    [[2.3, 6.9]]
    """
    count, height, width = heatmaps.shape
    flat = heatmaps.reshape(count, -1)
    y, x = np.divmod(flat.argmax(axis=1), width)
    peak = np.stack([x, y], axis=1)
    centre = np.clip(peak, 2, (width - 3, height - 3))
    reach = np.arange(-2, 3)
    rows, columns = centre[:, 1, None, None] + reach[:, None], centre[:, 0, None, None] + reach
    window = heatmaps[np.arange(count)[:, None, None], rows, columns].astype(float)
    logs = np.log(np.maximum(np.stack([window.sum(axis=1), window.sum(axis=2)], axis=1), 1e-6))
    slope, bend = logs @ reach / 10, logs @ (2 - reach**2) / 7
    move = np.divide(slope, bend, out=(peak - centre).astype(float), where=bend > 1e-6)
    # The vertex is within half a cell of the largest cell, which at the border is two from the centre.
    return centre + np.clip(move, -2.5, 2.5), flat.max(axis=1)
