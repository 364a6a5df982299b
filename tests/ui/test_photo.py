"""Digits as people photograph, scan, paint and export them, compared with the same digits in MNIST's format at once."""

import io
import struct
import zlib

import numpy as np
import pytest
import torch
from PIL import Image, ImageFile

from ui.photo import PhotoError, read_photo
from vae_core.data import fit_drawing

DARK, LIGHT = (30, 30, 30), (235, 235, 235)
CHOSEN = (0, 2, 5)  # test images of different digits


def page(image, side=200, margin=0.4, ink=DARK, paper=LIGHT, light=0.0, noise=0.0):
    """A digit (28, 28) on paper as (H, W, 3) uint8: `light` is lost towards a corner, `noise` is a deviation."""
    empty = round(side * margin)
    amount = Image.fromarray(image.numpy()).resize((side, side), Image.Resampling.BICUBIC)
    amount = np.pad(np.asarray(amount, np.float32) / 255, ((empty, empty), (empty, empty * 2)))[..., None]
    colour = np.float32(paper) * (1 - amount) + np.float32(ink) * amount
    down, right = (np.linspace(0.3, 1, n, dtype=np.float32) for n in amount.shape[:2])
    colour *= 1 - light * down[:, None, None] * right[None, :, None]
    return (colour + np.random.default_rng(0).normal(0, noise, colour.shape)).clip(0, 255).astype(np.uint8)


def file(picture, kind="PNG", **options):
    """The bytes of a picture's file."""
    content = io.BytesIO()
    (picture if isinstance(picture, Image.Image) else Image.fromarray(picture)).save(content, kind, **options)
    return content.getvalue()


def likeness(content, image):
    """The correlation with the digit, at the sizes of digits and of MNIST: the smaller one."""
    ink = read_photo(content)
    assert ink.shape == (56, 56) and ink.dtype == torch.uint8 and ink.max() == 255 and ink[:3].max() == 0
    pairs = [torch.stack([fit_drawing(of, size).flatten() for of in (ink, image)]) for size in (20, 28)]
    return min(float(torch.corrcoef(pair)[0, 1]) for pair in pairs)


PAGES = {
    "dark on light": {},
    "light on dark": {"ink": LIGHT, "paper": DARK},
    "as small as MNIST": {"side": 28, "margin": 0.15},
    "large": {"side": 600, "margin": 0.6, "noise": 5.0},
    "small on a large page": {"side": 120, "margin": 4.0, "noise": 5.0},
    "cropped close": {"margin": 0.05},
    "uneven light": {"light": 0.6, "noise": 5.0},
    "light on dark, uneven light": {"ink": LIGHT, "paper": (90, 80, 70), "light": 0.5, "noise": 5.0},
    "pencil": {"ink": (180, 180, 185), "light": 0.3, "noise": 4.0},
    "blue ink": {"ink": (40, 60, 190), "light": 0.3},
    "yellow on white": {"ink": (250, 220, 60), "paper": (250, 250, 250)},
    "red on green of the same grey": {"ink": (200, 40, 40), "paper": (40, 120, 40), "noise": 3.0},
}


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("name", PAGES)
def test_a_digit_is_read_from_paper(digits, name, kind):
    for index in CHOSEN[: 1 if "large" in name else None]:
        image = digits.test[index, 0]
        assert likeness(file(page(image, **PAGES[name]), kind), image) > 0.8


FORMATS = {
    "WebP": lambda p: file(p, "WEBP"),
    "BMP": lambda p: file(p, "BMP"),
    "grey": lambda p: file(Image.fromarray(p).convert("L")),
    "palette GIF": lambda p: file(Image.fromarray(p).quantize(8), "GIF"),
    "GIF of two frames": lambda p: file(
        Image.fromarray(p), "GIF", save_all=True, append_images=[Image.new("RGB", p.shape[1::-1], "red")]
    ),
    "1 bit": lambda p: file(Image.fromarray(p).convert("1", dither=Image.Dither.NONE)),
    "16 bits": lambda p: file(Image.fromarray(p[..., 0].astype(np.uint16) * 257)),
    "12 of 16 bits": lambda p: file(Image.fromarray(p[..., 0].astype(np.uint16) * 16)),
    "CMYK JPEG": lambda p: file(Image.fromarray(p).convert("CMYK"), "JPEG"),
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_read(digits, name):
    for index in CHOSEN:
        image = digits.test[index, 0]
        assert likeness(FORMATS[name](page(image)), image) > 0.8


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_camera_that_was_turned_is_turned_back(digits, kind, orientation):
    image, T = digits.test[CHOSEN[1], 0], Image.Transpose  # noqa: N806
    turn_back = [None, T.FLIP_LEFT_RIGHT, T.ROTATE_180, T.FLIP_TOP_BOTTOM, T.TRANSPOSE, T.ROTATE_90, T.TRANSVERSE]
    turn = [*turn_back, T.ROTATE_270][orientation - 1]  # what makes of the upright picture the one that is stored
    upright, exif = Image.fromarray(page(image)), Image.Exif()
    exif[0x0112] = orientation
    stored = upright if turn is None else upright.transpose(turn)
    assert likeness(file(stored, kind, exif=exif), image) > 0.8


@pytest.mark.parametrize("ink", [(0, 0, 0), (255, 255, 255), (220, 30, 30)])
@pytest.mark.parametrize("below", [0, 255])
def test_strokes_on_nothing_are_ink_whatever_their_colour(digits, ink, below):
    for index in CHOSEN:
        image = digits.test[index, 0]
        alpha = np.asarray(Image.fromarray(image.numpy()).resize((200, 200), Image.Resampling.BICUBIC))
        colour = np.where(alpha[..., None] > 0, np.uint8(ink), np.uint8(below))
        assert likeness(file(np.dstack([colour, alpha])), image) > 0.8


def test_a_sheet_with_clear_corners_is_read_by_its_colours(digits):
    for index in CHOSEN:
        image = digits.test[index, 0]
        colour = page(image, ink=LIGHT, paper=(60, 60, 160))
        y, x = np.ogrid[: colour.shape[0], : colour.shape[1]]
        inside = ((2 * y / len(y) - 1) ** 4 + (2 * x / x.size - 1) ** 4 < 1).astype(np.uint8) * 255
        assert likeness(file(np.dstack([colour, inside])), image) > 0.8


def test_opacity_that_is_the_same_everywhere_says_nothing(digits):
    image = digits.test[0, 0]
    for opacity in (0, 128, 255):
        colour = page(image)
        assert likeness(file(np.dstack([colour, np.full(colour.shape[:2], opacity, np.uint8)])), image) > 0.8


def test_a_thin_stroke_of_a_large_photo_is_as_thick_as_the_pads_pen():
    colour = np.full((2400, 1800, 3), 230, np.uint8)
    colour[400:2000, 898:902] = 40
    ink = read_photo(file(colour, "JPEG"))
    assert ink.max() == 255 and (ink > 128).any(1).sum() in range(42, 50)
    assert 3 <= (ink[28] > 128).sum() <= 6


def test_a_thumb_at_the_edge_and_dust_are_no_ink(digits):
    image = digits.test[0, 0]
    colour = page(image, margin=1.0)
    colour[280:360, -60:] = 20
    colour[100:103, 100:103] = 20
    assert likeness(file(colour), image) > 0.8


def png(width, height, rows=b""):
    """A PNG whose header claims a size."""

    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + data + chunk(b"IEND", b"")


NONE, DAMAGED = "This file is not a picture in", "The picture is damaged, cut off or has no pixels."
LARGE, NO_INK = "The picture has more than 50 megapixels", "There is no ink to be seen in the picture."
GREY = np.full((80, 60, 3), 200, np.uint8)
REFUSED = {
    "nothing": (b"", NONE),
    "text": (b"Hello!", NONE),
    "TIFF": (file(GREY, "TIFF"), NONE),
    "SVG": (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "This is an SVG drawing;"),
    "cut off": (file(np.random.default_rng(0).integers(0, 255, (80, 60, 3), np.uint8))[:5000], DAMAGED),
    "only a header": (b"\xff\xd8\xff\xe0", DAMAGED),
    "no pixels": (png(0, 0), DAMAGED),
    "a bomb": (png(60_000, 60_000), LARGE),
    "between Pillow's limit and ours": (png(8_000, 6_251), LARGE),
    "where Pillow warns": (png(10_000, 10_000), LARGE),
    "long": (png(20_001, 10), "The picture is more than 20000 pixels long"),
    "white": (np.full((80, 60, 3), 255, np.uint8), NO_INK),
    "black": (np.zeros((80, 60, 3), np.uint8), NO_INK),
    "one pixel": (GREY[:1, :1], NO_INK),
    "only noise": (np.random.default_rng(0).normal(128, 12, (300, 200, 3)).clip(0, 255).astype(np.uint8), NO_INK),
    "only light": (np.linspace(60, 250, 200).astype(np.uint8)[None].repeat(150, 0), NO_INK),
    "clear": (np.zeros((80, 60, 4), np.uint8), NO_INK),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_what_is_no_digit_is_refused_in_one_sentence(name):
    content, message = REFUSED[name]
    with pytest.raises(PhotoError) as refusal:
        read_photo(content if isinstance(content, bytes) else file(content))
    assert str(refusal.value).startswith(message) and str(refusal.value).endswith(".")


def test_a_pictures_size_is_read_before_its_pixels(monkeypatch):
    content = png(10_000, 5_001, bytes(10_001 * 5_001))  # a whole picture, of more than 50 megapixels by 10,000
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda image: pytest.fail("its pixels were read"))
    with pytest.raises(PhotoError, match="megapixels"):
        read_photo(content)


def test_damage_is_never_more_than_a_refusal(digits):
    random, colour = np.random.default_rng(0), page(digits.test[0, 0], side=40)
    exif = Image.Exif()
    exif[0x0112] = 6
    files = [file(colour, kind, exif=exif) for kind in ("PNG", "JPEG", "WEBP")]
    files += [file(colour, "GIF"), file(colour, "BMP"), file(Image.fromarray(colour).quantize(8), transparency=0)]
    damaged = [b"", *(random.bytes(n) for n in range(1, 60))]
    for content in files:
        damaged += [content[: random.integers(len(content))] for _ in range(15)]
        damaged += [content[:8] + random.bytes(40)]
        for _ in range(25):
            changed = bytearray(content)
            for at in random.integers(0, min(len(content), 400), 3):
                changed[at] = random.integers(256)
            damaged.append(bytes(changed))
    refused = 0
    for content in damaged:
        try:
            assert read_photo(content).shape == (56, 56)
        except PhotoError:
            refused += 1
    assert refused > 150
