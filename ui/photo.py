"""Converts a picture or photograph of a handwritten digit for the pad: (56, 56) of ink on empty paper."""

from __future__ import annotations

import io

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageOps
from torch import Tensor

from vae_core.data import FAINTEST

from .ink import PhotoError, box, find_ink
from .vocabulary import PAD_SIDE, PHOTO_TYPES

FORMATS = [kind.removeprefix("image/").upper() for kind in PHOTO_TYPES]  # as Pillow calls them
MAGIC = (b"\x89PNG", b"\xff\xd8\xff", b"RIFF", b"GIF8", b"BM")  # the first bytes of their files
AVIF = (b"avif", b"avis")  # names in the first bytes of an ISO media file
HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
MEGAPIXELS = 50
LONGEST = 20_000  # pixels per side, a second limit: a BMP may skip 255 rows in two bytes, whatever their length
MARGIN = 6  # empty pixels of the pad around the ink
STROKE = 4.4  # pixels of the pad: thinner strokes are thickened to this, as the pad's own pen draws
WORK = 1024  # pixels of the longer side that is analysed


def read_photo(content: bytes) -> Tensor:
    """Returns the ink of a picture, centred on the pad.

    Args:
        content: a PNG, JPEG, WebP, GIF (its first frame) or BMP file.

    Returns:
        (56, 56) uint8, 0 paper and 255 full ink; the ink is 44 pixels long, up to 48 where it was thin.

    Raises:
        PhotoError: it is not such a file, is damaged or too large, or shows no ink that can be told from the paper.
    """
    return _on_pad(find_ink(_visible(_decoded(content))))


def _decoded(content: bytes) -> Image.Image:
    """The picture upright, at most 1024 pixels per side, as RGB, RGBA or F (grey of any depth)."""
    _check_kind(content)
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


def _check_kind(content: bytes) -> None:
    """Raises PhotoError with a way out if the file is of another kind than those that are read.

    HEIC is not read: Pillow cannot, and the libraries that can bring a decoder of their own for each system.
    """
    brands = content[8:64] if content[4:8] == b"ftyp" else b""
    if any(brand in brands for brand in AVIF):
        raise PhotoError("This is an AVIF picture; save it as PNG and take that.")
    if any(brand in brands for brand in HEIC):
        raise PhotoError(
            "This is a HEIC photograph, as iPhones take them; save it as JPEG, or take a screenshot of it."
        )
    if b"<svg" in content[:4096].lower() and content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        raise PhotoError("This is an SVG drawing; save it as PNG and take that.")
    if not content.startswith(MAGIC):
        raise PhotoError("This file is not a picture in PNG, JPEG, WebP, GIF or BMP format.")


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
    if alpha.numel() == 0 or float(alpha.max() - alpha.min()) < FAINTEST:
        return colour.permute(2, 0, 1)
    seen = alpha[..., 0] > 0.5
    if not bool(seen.any()):
        return alpha.permute(2, 0, 1)
    is_sheet = float(seen[box(seen.numpy())].float().mean()) >= 0.5 and float(colour[seen].std(0).max()) > 0.1
    if not is_sheet:
        return F.pad(alpha.permute(2, 0, 1), [max(seen.shape) // 4] * 4)  # strokes may fill the file to its edge
    sheet = colour[seen].median(0).values
    return (alpha * colour + (1 - alpha) * sheet).permute(2, 0, 1)


def _on_pad(ink: Tensor) -> Tensor:
    """The ink's box in the middle of the pad, thin strokes thickened: (H, W) in [0, 1] to (56, 56) uint8.

    The ink is first drawn four times as large as on the pad. A stroke is about 2·area/circumference thick.
    """
    digit = ink[box((ink > FAINTEST).numpy())]
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
