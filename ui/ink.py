"""Tells a digit's ink from the paper that it is written on, and from the lines printed there.

Ink is what differs from the paper around it. The paper is the median of a wide neighbourhood, which follows uneven
light and contains no trace of strokes. The few points that differ most give the direction of the ink's colour, so dark
on light, light on dark and yellow on white are one case. What differs by no more than the noise is paper.

Lines that are printed on the paper are fainter than the ink or thinner than the strokes. A cut that is too low shows
them too: squares then enclose many cells, lines leave the picture in many places, and a higher cut shows much less.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from scipy import ndimage
from torch import Tensor

from vae_core.data import FAINTEST

COARSE = 24  # most pixels of the longer side when the medians of the paper are taken
WINDOW = 17  # of those pixels: wide, so that strokes are a minority in it even if a digit fills the picture
NOISE = 6.0  # standard deviations of the paper; none of a million normal draws is that far out
CUTS = (0.2, 0.4, 0.55, 0.7)  # of the ink's contrast: what has less is paper
WIDTHS = (1, 3, 5, 9, 15)  # pixels: what is not as wide is a line, not a stroke
LONG = 4  # times as long as it is wide is each piece of a digit, at least
SOLID = 0.2  # of full ink: what connects one piece with another
COUNTS = 0.05  # of the largest piece's ink: a piece with less is dust
FALLS = 12  # most pieces that a digit falls into
ENCLOSED = 3  # most areas that it encloses
LEAVES = 5  # most places where it leaves the picture, if it is cut off by the picture's edge
SAME = 0.6  # of a digit's area at one cut is still there at the next one,
SAME_BOX = 0.85  # and of the box around it

Values: TypeAlias = NDArray[np.float32]
Mask: TypeAlias = NDArray[np.bool_]


class PhotoError(ValueError):
    """A file is not a readable picture, or shows no ink. One sentence for the user."""


@dataclass(frozen=True, eq=False)
class _Cut:
    """What a cut shows. ink: (H, W) in [0, 1]; pieces: (H, W), where the `count` pieces that count are solid."""

    ink: Values
    pieces: Mask
    count: int
    is_inside: bool  # the pieces do not reach the picture's edge

    def is_digit(self, width: int) -> bool:
        """Whether the pieces may be a digit of strokes of that width, in pixels, and no squared or lined paper."""
        areas, _ = ndimage.label(~np.pad(self.pieces, 1))
        enclosed = np.sort(np.bincount(areas.flat)[2:])  # without the pieces, and what is around them
        edge = np.concatenate([self.pieces[0], self.pieces[:, -1], self.pieces[-1, ::-1], self.pieces[::-1, 0]])
        leaves = int((edge & ~np.roll(edge, 1)).sum())
        area = self.pieces.sum()
        is_ruled = self.count > FALLS or leaves > LEAVES or enclosed[:-ENCLOSED].sum() > area / 2
        return not is_ruled and bool(area >= self.count * LONG * width**2)

    def is_like(self, higher: _Cut) -> bool:
        """Whether a higher cut shows nearly the same."""
        both, shared = self.pieces | higher.pieces, self.pieces & higher.pieces
        smaller = min(self.pieces[box(self.pieces)].size, higher.pieces[box(higher.pieces)].size)
        return bool(shared.sum() >= SAME * both.sum() and smaller >= SAME_BOX * both[box(both)].size)

    def digit(self) -> Tensor:
        """The ink of the pieces, with their soft edges: (H, W) in [0, 1]."""
        soft = max(1, max(self.ink.shape) // 256)
        near = ndimage.maximum_filter(self.pieces, 2 * soft + 1)
        return torch.from_numpy(np.where(near, self.ink, 0))


def box(mask: Mask) -> tuple[slice, slice]:
    """The rows and columns of the box around the true points of (H, W), of which there are some."""
    rows, columns = ndimage.find_objects(mask.astype(np.uint8))[0]
    return rows, columns


def find_ink(picture: Tensor) -> Tensor:
    """The amount of ink at each point of a picture: (C, H, W) in [0, 1] to (H, W) in [0, 1], exactly 0 on paper.

    Dust is left out, and so is what reaches in from the border, like a thumb, unless there is nothing else.

    Raises:
        PhotoError: there is no ink, or the lines of the paper cannot be told from it.
    """
    contrast = _contrast(picture.numpy())
    noise = float(np.quantile(np.abs(contrast), 0.25)) / 0.3186  # a quarter of the absolute values of N(0, 1)
    first = _cut(contrast, noise, CUTS[0])
    if first is None:
        raise PhotoError("There is no ink to be seen in the picture.")
    for width in WIDTHS:
        thick = ndimage.grey_opening(contrast, width)
        lower = None
        for cut in CUTS:
            higher = _cut(thick, noise, cut)
            if lower and higher and lower.is_like(higher):
                return lower.digit()
            is_first = (width, cut) == (WIDTHS[0], CUTS[0])
            lower = higher if higher and (higher.is_inside or is_first) and higher.is_digit(width) else None
    if not first.is_digit(WIDTHS[0]):
        raise PhotoError("The lines of the paper cannot be told from the digit: write it on plain paper.")
    return first.digit()


def _contrast(picture: Values) -> Values:
    """How much each point differs from the paper in the direction of the ink's colour: (C, H, W) to (H, W).

    With r = picture − paper, the ink's direction in colour is that of Σ ‖r‖² r: strokes are few and differ a lot, while
    noise and the remaining light cancel out or hardly count.
    """
    r = picture - np.stack([_paper(channel) for channel in picture])
    direction = (r * np.square(r).sum(0)).sum((1, 2), dtype=np.float64)
    length = max(float(np.linalg.norm(direction)), 1e-12)
    return np.tensordot((direction / length).astype(np.float32), r, 1)


def _paper(channel: Values) -> Values:
    """The paper's shade at every point of one channel: (H, W) to (H, W), the median of a wide neighbourhood.

    The border is extended beyond the picture, so strokes are a minority even if a digit fills the picture. Printed
    lines are a minority in each of the blocks whose medians are taken first.
    """
    h, w = channel.shape
    side = -(-max(h, w) // COARSE)
    whole = np.pad(channel, ((0, -h % side), (0, -w % side)), mode="edge")
    rows, columns = whole.shape[0] // side, whole.shape[1] // side
    blocks = whole.reshape(rows, side, columns, side)
    coarse = Image.fromarray(np.median(blocks, axis=(1, 3)))
    window = min(WINDOW, max(rows, columns) // 2 * 2 - 1) if max(rows, columns) > 3 else 3
    smooth = coarse.filter(ImageFilter.MedianFilter(window))
    return np.asarray(smooth.resize(whole.shape[::-1], Image.Resampling.BILINEAR))[:h, :w]


def _cut(contrast: Values, noise: float, cut: float) -> _Cut | None:
    """What has at least `cut` of the ink's contrast: (H, W) to the pieces that count, or None if there is no ink."""
    sure = contrast[contrast > max(NOISE * noise, (cut + 0.05) * contrast.max(), FAINTEST)]
    if not sure.size:
        return None
    peak = float(np.quantile(sure, 0.75))
    lowest = max(3 * noise, cut * peak, FAINTEST / 2)
    ink = ((contrast - lowest) / (max(0.8 * peak, 1.5 * lowest) - lowest)).clip(0, 1)
    labels, _ = ndimage.label(ink > SOLID, np.ones((3, 3)))
    mass = np.bincount(labels.flat, ink.flat)
    mass[0] = 0
    inside = mass.copy()
    inside[np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])] = 0
    is_inside = bool(inside.max() >= COUNTS * mass.max())
    counted = inside if is_inside else mass
    counts = counted >= COUNTS * counted.max()
    return _Cut(ink, counts[labels], int(counts.sum()), is_inside)
