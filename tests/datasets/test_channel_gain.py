"""ChannelGain: one factor a channel, within its bounds, clipped."""

from __future__ import annotations

import numpy as np

import facealign.plugin  # noqa: F401
from facealign.datasets.channel_gain import ChannelGain


def test_factors() -> None:
    np.random.seed(0)
    image = np.full((4, 5, 3), 100, np.uint8)
    results = [ChannelGain()(dict(img=image))['img'] for _ in range(2000)]
    assert results[0].dtype == np.uint8 and (image == 100).all()
    gains = np.array([result[0, 0] for result in results]) / 100
    assert all((result == result[0, 0]).all() for result in results[:50])
    assert gains.min() >= 0.7 and gains.max() <= 1.3
    assert np.abs(gains.mean(axis=0) - 1).max() < 0.02 and np.abs(gains.std(axis=0) - 0.6 / 12**0.5).max() < 0.01
    assert np.abs(np.corrcoef(gains.T) - np.eye(3)).max() < 0.1


def test_clips() -> None:
    bright = ChannelGain(1.3, 1.3)(dict(img=np.array([[[250, 10, 0]]], np.uint8)))['img']
    assert bright.tolist() == [[[255, 13, 0]]]
