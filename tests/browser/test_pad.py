"""The pad of the Draw tab in a browser: mouse, pen, fingers and keys, undo and clear, noise and photographs."""

import io

import pytest
from PIL import Image, ImageDraw

from .conftest import Hold
from .test_draw import PIXELS, SEEN, SEVEN, begin, press, rested, values

pytestmark = pytest.mark.browser

AT = """(places) => {
    const canvas = document.querySelector("#draw .live-ink");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return places.map(([x, y]) => data[4 * (Math.round(280 * y) * 280 + Math.round(280 * x)) + 3]);
}"""  # the ink at places in fractions of the pad


def test_undo_erase_and_clear(visit):
    me = visit()
    page = begin(me)
    me.draw(*SEVEN)
    rested(me)
    first, one = values(me), me.ink("#draw .live-ink")
    me.draw((0.2, 0.6), (0.8, 0.6))
    two = me.ink("#draw .live-ink")
    assert two > one
    page.get_by_role("button", name="Erase", exact=True).click()
    me.draw((0.1, 0.25), (0.9, 0.25))
    assert me.ink("#draw .live-ink") < two
    press(me, "Undo")
    assert me.ink("#draw .live-ink") == two
    page.locator("#draw .live-ink").press("Control+z")
    assert me.ink("#draw .live-ink") == one
    page.wait_for_function(
        f"document.querySelector('#draw .live-terms output').textContent.includes('{abs(first['reconstruction'])}')"
    )
    rested(me)
    assert values(me) == first
    page.locator("#draw .live-ink").press("Control+Shift+z")
    assert me.ink("#draw .live-ink") == two
    page.locator("#draw .live-ink").press("Control+z")
    assert me.ink("#draw .live-ink") == one
    rested(me)
    press(me, "Clear")
    assert me.ink("#draw .live-ink") == 0 and page.locator("#draw .live-terms output").first.inner_text() == "–"
    assert page.get_by_role("button", name="Find the best q").is_disabled()
    press(me, "Undo")
    rested(me)
    assert me.ink("#draw .live-ink") == one and values(me) == first


def test_an_answer_that_comes_after_clear_is_not_shown(visit):
    me = visit()
    page = begin(me, 3)
    hold = Hold(page, function="look")
    me.draw(*SEVEN)
    hold.wait()
    press(me, "Clear")
    hold.release()
    me.settled()
    assert page.locator("#draw .live-terms output").first.inner_text() == "–"
    assert "Draw a digit" in page.inner_text("#draw .live-message")


def test_the_keyboard_alone_draws_and_a_pens_pressure_is_the_width(visit):
    me = visit()
    page = begin(me)
    page.locator("#draw .live-ink").focus()
    keys = [
        "ArrowRight",
        *["Shift+ArrowLeft"] * 3,
        "Space",
        *["Shift+ArrowRight"] * 6,
        *["Shift+ArrowDown"] * 9,
        "Space",
    ]
    for key in keys:
        page.keyboard.press(key)
    rested(me)
    drawn = me.ink("#draw .live-ink")
    assert drawn > 500_000
    page.keyboard.press("Shift+ArrowLeft")  # the pen is up
    assert me.ink("#draw .live-ink") == drawn and me.ink("#draw .live-over") > 0
    assert page.evaluate("scrollY") == 0
    page.keyboard.press("Control+z")
    assert me.ink("#draw .live-ink") == 0

    box = page.locator("#draw .live-ink").bounding_box()
    pen = me.context.new_cdp_session(page)
    inks = []
    for height, force in ((0.3, 0.1), (0.7, 1.0)):
        for kind, x in (("mousePressed", 0.2), ("mouseMoved", 0.8), ("mouseReleased", 0.8)):
            place = {"x": box["x"] + x * box["width"], "y": box["y"] + height * box["height"]}
            more = {"button": "left", "buttons": 1, "clickCount": 1, "pointerType": "pen", "force": force}
            pen.send("Input.dispatchMouseEvent", {"type": kind} | place | more)
        inks.append(me.ink("#draw .live-ink"))
    assert inks[0] > 0 and inks[1] - inks[0] > 2 * inks[0]


def test_a_finger_draws_beside_the_reconstruction(visit):
    me = visit(has_touch=True, is_mobile=True, viewport={"width": 390, "height": 844})
    page = begin(me)
    box = page.locator("#draw .live-ink").bounding_box()
    touch = me.context.new_cdp_session(page)
    places = [{"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]} for x, y in SEVEN]
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": places[:1]})
    for place in places[1:]:
        touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [place]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    rested(me)
    assert me.ink("#draw .live-ink") > 100_000 and page.evaluate("scrollY") == 0
    pad, made = (page.locator(it).bounding_box() for it in ("#draw .live-ink", "#draw .live-reconstruction"))
    assert pad["x"] + pad["width"] < made["x"] and made["y"] + made["height"] < pad["y"] + pad["height"] + 20
    assert made["y"] + made["height"] < 844
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_second_finger_draws_nothing(visit):
    me = visit(has_touch=True, is_mobile=True, viewport={"width": 390, "height": 844})
    page = begin(me)
    box = page.locator("#draw .live-ink").bounding_box()
    touch = me.context.new_cdp_session(page)

    def fingers(kind, *places):
        points = [{"id": i, "x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]} for i, x, y in places]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    fingers("touchStart", (0, 0.2, 0.2))
    fingers("touchMove", (0, 0.5, 0.2))
    fingers("touchStart", (0, 0.5, 0.2), (1, 0.2, 0.8))
    fingers("touchMove", (0, 0.6, 0.2), (1, 0.8, 0.8))
    fingers("touchEnd", (0, 0.6, 0.2))
    fingers("touchMove", (0, 0.8, 0.2))
    fingers("touchEnd")
    rested(me)
    places = [(0.2, 0.2), (0.5, 0.2), (0.8, 0.2), (0.2, 0.8), (0.5, 0.5), (0.5, 0.8), (0.8, 0.8)]
    assert page.evaluate(AT, places) == [255, 255, 255, 0, 0, 0, 0]


class Hand:
    """A palm and a pen on the pad; places are in fractions of it."""

    def __init__(self, me):
        self.session = me.context.new_cdp_session(me.page)
        self.box = me.page.locator("#draw .live-ink").bounding_box()

    def at(self, x, y):
        return {"x": self.box["x"] + x * self.box["width"], "y": self.box["y"] + y * self.box["height"]}

    def palm(self, kind, *places):
        points = [self.at(*place) for place in places]
        self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def pen(self, kind, place):
        event = {"type": kind, "button": "left", "buttons": 1, "clickCount": 1, "pointerType": "pen", "force": 0.5}
        self.session.send("Input.dispatchMouseEvent", event | self.at(*place))


def test_a_pen_takes_over_from_a_palm_and_the_palms_trace_goes(visit):
    me = visit(has_touch=True, is_mobile=True, viewport={"width": 390, "height": 844})
    page = begin(me)
    hand = Hand(me)
    hand.palm("touchStart", (0.8, 0.8))
    assert page.evaluate(AT, [(0.8, 0.8)]) == [255]
    hand.pen("mousePressed", (0.2, 0.2))
    hand.pen("mouseMoved", (0.6, 0.2))
    hand.palm("touchMove", (0.7, 0.8))
    hand.pen("mouseMoved", (0.6, 0.5))
    hand.palm("touchEnd")
    hand.pen("mouseReleased", (0.6, 0.5))
    rested(me)
    places = [(0.2, 0.2), (0.4, 0.2), (0.6, 0.4), (0.8, 0.8), (0.7, 0.8)]
    assert page.evaluate(AT, places) == [255, 255, 255, 0, 0]
    press(me, "Undo")
    assert me.ink("#draw .live-ink") == 0


def test_a_palm_that_the_system_takes_back_leaves_no_trace(visit):
    me = visit(has_touch=True, is_mobile=True, viewport={"width": 390, "height": 844})
    page = begin(me)
    me.draw(*SEVEN)
    rested(me)
    drawn = values(me), me.ink("#draw .live-ink")
    hand = Hand(me)
    hand.palm("touchStart", (0.8, 0.8))
    assert page.evaluate(AT, [(0.8, 0.8)]) == [255]
    hand.palm("touchCancel")
    rested(me)
    assert (values(me), me.ink("#draw .live-ink")) == drawn


def erased_dot(me):
    """A dot that is erased again."""
    spot = [(0.12, 0.9), (0.121, 0.9)]
    me.draw(*spot)
    rested(me)
    press(me, "Erase")
    me.draw(*spot)
    press(me, "Draw")
    me.page.wait_for_selector("#draw .live-blank")
    assert me.page.evaluate("sessionStorage.getItem('vae-drawing')") in (None, "null")


def traces(me):
    """What an eraser may leave: ink of 6 of 255."""
    me.page.evaluate("""() => {
        const pen = document.querySelector("#draw .live-ink").getContext("2d");
        pen.save();
        pen.fillStyle = "rgb(255 255 255 / 0.024)";
        pen.fillRect(20, 240, 30, 30);
        pen.restore();
    }""")


@pytest.mark.parametrize("leave", [erased_dot, traces])
def test_what_nobody_can_see_is_no_ink(visit, leave):
    me = visit()
    page = begin(me)
    me.draw(*SEVEN)
    rested(me)
    alone = values(me), page.evaluate(PIXELS, SEEN)
    assert sum(any(alone[1][28 * row : 28 * row + 28]) for row in range(28)) in (19, 20)  # rows of MNIST's digits
    press(me, "Clear")
    leave(me)
    me.draw(*SEVEN)
    rested(me)
    assert (values(me), page.evaluate(PIXELS, SEEN)) == alone


def test_the_pad_needs_no_offscreen_canvas(visit):
    me = visit(script="delete window.OffscreenCanvas")  # as on iPadOS 16.3
    page = begin(me, 3)
    assert page.evaluate("typeof OffscreenCanvas") == "undefined"
    given = me.ink("#draw .live-ink")
    me.draw((0.2, 0.9), (0.8, 0.9))
    rested(me)
    assert given > 0 and me.ink("#draw .live-ink") > given


def test_noise_comes_and_goes(visit):
    me = visit()
    page = begin(me, 1)
    own, clean = values(me), me.ink("#draw .live-ink")
    noise = page.get_by_label("Add noise")
    with me.answered("look", draws=1000):
        for strength in (10, 40):
            noise.evaluate(f"(it) => {{ it.value = {strength}; it.dispatchEvent(new Event('input')); }}")
        noise.dispatch_event("change")
    noisy = values(me)
    assert noisy["elbo"] < own["elbo"] - 50 and me.ink("#draw .live-ink") > 1.5 * clean
    with me.answered("look", draws=1000):
        noise.evaluate(
            "(it) => { it.value = 0; it.dispatchEvent(new Event('input')); it.dispatchEvent(new Event('change')); }"
        )
    assert values(me) == own and me.ink("#draw .live-ink") == clean
    with me.answered("look", draws=1000):
        press(me, "Noise")
    assert values(me)["elbo"] < own["elbo"] - 200
    assert "stranger than 100 %" in page.inner_text(".live-crowd")


def test_a_photograph_is_put_on_the_pad_or_refused_with_a_sentence(visit):
    me = visit()
    page = begin(me)
    paper = Image.new("L", (200, 200), 235)
    ImageDraw.Draw(paper).line([(60, 50), (140, 50), (100, 150)], fill=20, width=12)
    content = io.BytesIO()
    paper.save(content, "PNG")
    chooser = ".live-start input[type=file]"
    page.set_input_files(chooser, {"name": "seven.png", "mimeType": "image/png", "buffer": content.getvalue()})
    rested(me)
    assert 500_000 < me.ink("#draw .live-ink") < 10_000_000 and me.ink("#draw .live-reconstruction") > 5000
    kept = values(me)
    page.set_input_files(chooser, {"name": "a.png", "mimeType": "image/png", "buffer": b"no picture at all"})
    page.wait_for_function("/picture|photograph/.test(document.querySelector('#draw .live-message').textContent)")
    page.wait_for_function("!document.querySelector('#draw .live-message').textContent.includes('Reading')")
    assert values(me) == kept
    heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"
    for kind in ("image/heic", ""):  # not every browser knows the type
        page.set_input_files(chooser, {"name": "IMG_0001.HEIC", "mimeType": kind, "buffer": heic})
        page.wait_for_selector("text=This is a HEIC photograph, as iPhones take them; save it as JPEG")
        page.set_input_files(chooser, {"name": "a.txt", "mimeType": "text/plain", "buffer": b"text"})
        page.wait_for_selector("text=That is not a picture: choose a photograph.")
    assert values(me) == kept
