"""Converts a picture or photograph of a handwritten digit for the pad: (56, 56) of ink on empty paper.

Ink is what differs from the paper around it. The paper is the median of a wide neighbourhood, which follows uneven
light and contains no trace of strokes. The few points that differ most give the direction of the ink's colour, so dark
on light, light on dark and yellow on white are one case. What differs by no more than the noise is paper.
"""

from __future__ import annotations

import io

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageFilter, ImageOps
from torch import Tensor

from .vocabulary import PAD_SIDE

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
MAGIC = (b"\x89PNG", b"\xff\xd8\xff", b"RIFF", b"GIF8", b"BM")  # the first bytes of their files
MEGAPIXELS = 50
LONGEST = 20_000  # pixels per side, a second limit: a BMP may skip 255 rows in two bytes, whatever their length
MARGIN = 6  # empty pixels of the pad around the ink
STROKE = 4.4  # pixels of the pad: thinner strokes are thickened to this, as the pad's own pen draws
WORK = 1024  # pixels of the longer side that is analysed
COARSE = 48  # pixels of the longer side when the medians of the paper are taken
WINDOW = 33  # of those pixels: wide, so that strokes are a minority in it even if a digit fills the picture
PIECES = 128  # pixels of the longer side when connected pieces are separated
FAINTEST = 0.04  # of the whole range of grey: contrast below this is not ink
NOISE = 6.0  # standard deviations of the paper; none of a million normal draws is that far out


class PhotoError(ValueError):
    """The file is not a readable picture, or shows no ink. One sentence for the user."""


def read_photo(content: bytes) -> Tensor:
    """Returns the ink of a picture, centred on the pad.

    Args:
        content: a PNG, JPEG, WebP, GIF (its first frame) or BMP file.

    Returns:
        (56, 56) uint8, 0 paper and 255 full ink; the ink is 44 pixels long, up to 48 where it was thin.

    Raises:
        PhotoError: it is not such a file, is damaged or too large, or shows no ink.
    """
    ink = _largest_pieces(_ink(_visible(_decoded(content))))
    return _on_pad(ink)


def _decoded(content: bytes) -> Image.Image:
    """The picture upright, at most 1024 pixels per side, as RGB, RGBA or F (grey of any depth)."""
    if b"<svg" in content[:4096].lower() and content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        raise PhotoError("This is an SVG drawing; save it as PNG and take that.")
    if not content.startswith(MAGIC):
        raise PhotoError("This file is not a picture in PNG, JPEG, WebP, GIF or BMP format.")
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            _check_size(*image.size)
            image.draft("RGB", (WORK, WORK))  # a JPEG is decoded at a half, a quarter or an eighth of its size
            image.load()
            small = _plain(image)
            small.thumbnail((WORK, WORK), Image.Resampling.HAMMING)
            return ImageOps.exif_transpose(small)
    except PhotoError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PhotoError(f"The picture has more than {MEGAPIXELS} megapixels; make it smaller.") from None
    except Exception as error:  # damage makes Pillow raise OSError, SyntaxError, struct.error, IndexError, …
        raise PhotoError("The picture is damaged, cut off or has no pixels.") from error


def _check_size(width: int, height: int) -> None:
    if width * height > MEGAPIXELS * 10**6:
        raise PhotoError(f"The picture has more than {MEGAPIXELS} megapixels; make it smaller.")
    if max(width, height) > LONGEST:
        raise PhotoError(f"The picture is more than {LONGEST} pixels long; make it smaller.")


def _plain(image: Image.Image) -> Image.Image:
    """The same picture in one of the three modes used here."""
    if image.mode.startswith(("I", "F")):  # 16 bits
        return image.convert("I").convert("F")
    clear = "transparency" in image.info or image.mode in ("RGBA", "LA", "PA", "RGBa", "La")
    return image.convert("RGBA" if clear else "RGB")


def _visible(image: Image.Image) -> Tensor:
    """The visible part of a picture: (C, H, W) in [0, 1], with one or three channels.

    The background of a transparent picture is unknown: dark strokes would vanish on black, light ones on white. So if
    the visible parts have one colour, or cover less than half of the box around them as strokes do, their opacity is
    the ink, whatever its colour. Otherwise they are a sheet with something on it, like a screenshot with round corners;
    it is laid on a sheet of its own median colour. Opacity that is the same everywhere says nothing.
    """
    values = torch.from_numpy(np.array(image, dtype=np.float32))
    if values.ndim == 2:
        return values[None] / values.max().clamp(min=1)
    colour = values[..., :3] / 255
    alpha = values[..., 3:] / 255
    if alpha.numel() == 0 or bool((alpha == alpha[0, 0]).all()):
        return colour.permute(2, 0, 1)
    seen = alpha[..., 0] > 0.5
    if not bool(seen.any()):
        return alpha.permute(2, 0, 1)
    top, bottom, left, right = _box(seen)
    is_sheet = float(seen[top:bottom, left:right].float().mean()) >= 0.5 and float(colour[seen].std(0).max()) > 0.1
    if not is_sheet:
        return F.pad(alpha.permute(2, 0, 1), [max(seen.shape) // 4] * 4)  # strokes may fill the file to its edge
    sheet = colour[seen].median(0).values
    return (alpha * colour + (1 - alpha) * sheet).permute(2, 0, 1)


def _ink(picture: Tensor) -> Tensor:
    """The amount of ink at each point: (C, H, W) in [0, 1] to (H, W) in [0, 1], exactly 0 on paper.

    With r = picture − paper, the ink's direction in colour is that of Σ ‖r‖² r: strokes are few and differ a lot, while
    noise and the remaining light cancel out or hardly count.
    """
    r = picture - torch.stack([_paper(channel) for channel in picture])
    direction = (r * r.square().sum(0)).double().sum((1, 2)).float()
    contrast = (r * F.normalize(direction, dim=0)[:, None, None]).sum(0)
    sigma = float(contrast.abs().flatten().kthvalue(contrast.numel() // 4 + 1).values) / 0.3186  # a quarter of N(0, 1)
    strongest = float(contrast.max())
    sure = contrast[contrast > max(NOISE * sigma, strongest / 4, FAINTEST)]
    if len(sure) == 0:
        raise PhotoError("There is no ink to be seen in the picture.")
    peak = float(sure.quantile(0.75)) if len(sure) < 10**6 else strongest
    lowest = max(3 * sigma, 0.2 * peak, FAINTEST / 2)
    return ((contrast - lowest) / (max(0.8 * peak, 1.5 * lowest) - lowest)).clamp(0, 1)


def _paper(channel: Tensor) -> Tensor:
    """The paper's shade at every point of one channel: (H, W) to (H, W), the median of a wide neighbourhood.

    The border is extended beyond the picture, so strokes are a minority even if a digit fills the picture.
    """
    h, w = channel.shape
    scale = min(1.0, COARSE / max(h, w))
    size = (max(1, round(w * scale)), max(1, round(h * scale)))
    coarse = Image.fromarray(channel.numpy()).resize(size, Image.Resampling.BOX)
    window = min(WINDOW, max(size) // 2 * 2 - 1) if max(size) > 3 else 3
    paper = coarse.filter(ImageFilter.MedianFilter(window)).resize((w, h), Image.Resampling.BILINEAR)
    return torch.from_numpy(np.array(paper))


def _largest_pieces(ink: Tensor) -> Tensor:
    """The ink without dust, and without what reaches in from the border, like a thumb: (H, W) to (H, W).

    A piece counts if it has a twentieth of the largest one's ink. Pieces at the border stay if no others count.
    """
    scale = min(1.0, PIECES / max(ink.shape))
    h, w = (max(1, round(side * scale)) for side in ink.shape)
    small = F.adaptive_avg_pool2d(ink[None, None], (h, w))[0, 0]
    labels = _pieces(small > 0.02)
    border = torch.cat([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    mass = torch.zeros(labels.numel() + 1).index_add(0, labels.flatten(), small.flatten())
    mass[0] = 0
    inside = mass.clone()
    inside[border] = 0
    if float(inside.max()) >= float(mass.max()) / 20:
        mass = inside
    kept = (mass >= mass.max() / 20) & (mass > 0)
    mask = F.max_pool2d(kept[labels].float()[None, None], 3, 1, 1)
    return ink * F.interpolate(mask, size=ink.shape, mode="nearest")[0, 0]


def _pieces(mask: Tensor) -> Tensor:
    """(H, W) bool to (H, W) int64: 0 outside; inside, one number per connected piece, diagonals included."""
    labels = torch.arange(1.0, mask.numel() + 1).view(mask.shape) * mask
    while True:
        spread = F.max_pool2d(labels[None], 3, 1, 1)[0] * mask
        if torch.equal(spread, labels):
            return labels.long()
        labels = spread


def _on_pad(ink: Tensor) -> Tensor:
    """The ink's box in the middle of the pad, thin strokes thickened: (H, W) in [0, 1] to (56, 56) uint8.

    The ink is first drawn four times as large as on the pad. A stroke is about 2·area/circumference thick.
    """
    top, bottom, left, right = _box(ink > 0)
    digit = ink[top:bottom, left:right]
    scale = 4 * (PAD_SIDE - 2 * MARGIN) / max(digit.shape)
    h, w = (4 * max(1, round(side * scale / 4)) for side in digit.shape)
    drawn = Image.fromarray(digit.numpy()).resize((w, h), Image.Resampling.HAMMING)
    large = F.pad(torch.from_numpy(np.array(drawn)), [4 * MARGIN] * 4)
    large = (large / large.flatten().topk(max(1, int(large.count_nonzero()) // 20)).values[-1]).clamp(0, 1)
    solid = (large > 0.5).float()[None]
    edge = solid - (-F.max_pool2d(-solid, 3, 1, 1))
    missing = 4 * STROKE - 2 * float(solid.sum() / edge.sum())
    if (radius := round(missing / 2)) > 0:
        large = F.max_pool2d(large[None], 2 * radius + 1, 1, radius)[0]
    small = F.avg_pool2d(large[None], 4)[0]
    small = torch.where(small < FAINTEST, 0, small / small.max())
    h, w = small.shape
    pad = torch.zeros(PAD_SIDE, PAD_SIDE, dtype=torch.uint8)
    top, left = (PAD_SIDE - h) // 2, (PAD_SIDE - w) // 2
    pad[top : top + h, left : left + w] = (small * 255).round().to(torch.uint8)
    return pad


def _box(mask: Tensor) -> tuple[int, int, int, int]:
    """The box around the true points of (H, W), of which there are some: top, bottom, left, right, ends excluded."""
    rows, columns = mask.any(1).nonzero().flatten(), mask.any(0).nonzero().flatten()
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
