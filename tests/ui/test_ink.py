"""Digits on squared, lined and dotted paper: without what is printed there, or refused in a sentence."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from ui.photo import PhotoError, read_photo

from .test_photo import CHOSEN, DARK, file, likeness, page

BLUE, FAINT = (90, 115, 180), (175, 195, 225)


def printed(picture, line=BLUE, spacing=22, width=2, rows=True, columns=True, margin=False, dots=False):
    """The paper of a picture (H, W, 3) with lines of that colour under the ink, which is darker or as dark."""
    height, across = picture.shape[:2]
    sheet = Image.new("RGB", (across, height), (255, 255, 255))
    pen = ImageDraw.Draw(sheet)
    ys, xs = range(spacing // 3, height, spacing), range(spacing // 2, across, spacing)
    for y in ys if rows else ():
        pen.line([(0, y), (across, y)], fill=line, width=width)
    for x in xs if columns else [across // 9] if margin else ():
        pen.line([(x, 0), (x, height)], fill=line, width=width)
    for x, y in ((x, y) for x in xs for y in ys) if dots else ():
        pen.ellipse([x - width, y - width, x + width, y + width], fill=line)
    return np.minimum(picture, np.asarray(sheet))


def photographed(picture, angle=4.0, light=0.3, noise=4.0):
    """A picture as a hand photographs it: turned, lit from one side, noisy, and as a JPEG file."""
    height, across = picture.shape[:2]
    turned = Image.fromarray(picture).rotate(angle, Image.Resampling.BICUBIC)
    inside = turned.crop((across // 10, height // 10, across - across // 10, height - height // 10))
    colour = np.asarray(inside, np.float32) * (1 - light * np.linspace(0, 1, inside.width, dtype=np.float32)[:, None])
    colour += np.random.default_rng(0).normal(0, noise, colour.shape)
    return file(colour.clip(0, 255).astype(np.uint8), "JPEG", quality=85)


PAPERS = {
    "squares": {},
    "faint squares": {"line": FAINT},
    "squares as dark as the ink": {"line": DARK, "width": 1},
    "large squares": {"spacing": 90, "width": 3},
    "graph paper": {"line": FAINT, "spacing": 9, "width": 1},
    "lines": {"columns": False},
    "lines as dark as the ink": {"line": DARK, "columns": False},
    "lines and a margin": {"columns": False, "margin": True},
    "dots": {"line": DARK, "rows": False, "columns": False, "dots": True},
}


@pytest.mark.parametrize("as_file", [file, photographed])
@pytest.mark.parametrize("paper", PAPERS)
def test_the_digit_is_read_without_what_is_printed_on_the_paper(digits, paper, as_file):
    for index in CHOSEN:
        image = digits.test[index, 0]
        written = printed(page(image, side=300, margin=0.5), **PAPERS[paper])
        upright = as_file is photographed and Image.open(io.BytesIO(as_file(page(image, side=300, margin=0.5))))
        assert likeness(as_file(written), read_photo(file(upright)) if upright else image) > 0.8


WITHOUT = {
    "squares without a digit": {},
    "squares that are as wide as their lines": {"line": DARK, "spacing": 8, "width": 4},
    "dots without a digit": {"rows": False, "columns": False, "dots": True},
}


@pytest.mark.parametrize("paper", WITHOUT)
def test_lines_that_cannot_be_told_from_a_digit_are_named(paper):
    empty = np.full((400, 300, 3), 235, np.uint8)
    with pytest.raises(PhotoError, match=r"^The lines of the paper cannot be told from the digit: .*\.$"):
        read_photo(file(printed(empty, **WITHOUT[paper])))


def test_a_thin_pen_on_lines_of_its_own_colour_and_width_is_refused(digits):
    written = Image.fromarray(printed(np.full((400, 400, 3), 235, np.uint8), line=DARK, width=3))
    ImageDraw.Draw(written).line([(120, 90), (280, 110), (190, 310)], fill=DARK, width=3)
    with pytest.raises(PhotoError, match="lines of the paper"):
        read_photo(file(written))


def test_the_grain_of_chalk_is_not_taken_for_squares(digits):
    image = digits.test[2, 0]
    picture = page(image, side=400, ink=(240, 240, 235), paper=(40, 60, 50))
    grain = np.random.default_rng(0).random((picture.shape[0] // 5 + 1, picture.shape[1] // 5 + 1)) < 0.3
    holes = np.kron(grain, np.ones((5, 5), bool))[: picture.shape[0], : picture.shape[1]]
    picture[holes] = (40, 60, 50)
    assert likeness(file(picture), image) > 0.8
