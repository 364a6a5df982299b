"""A link hands out what is set up: the form, what of it is hidden, a drawing with its q, and the map's zoom."""

import re

import pytest

from .conftest import until
from .test_latents import opened, ready

pytestmark = pytest.mark.browser

CLIPBOARD = {"permissions": ["clipboard-read", "clipboard-write"]}
FIELDS = """() => Object.fromEntries([...document.querySelectorAll(".train-settings input[aria-label]")]
    .map((it) => [it.ariaLabel, it.value]))"""
TERMS = """[...document.querySelectorAll("#draw .live-terms output")].map((it) => it.textContent)"""


def copied(me, button):
    """Presses a button that copies, and gives the link without the server's address."""
    me.page.get_by_role("button", name=button, exact=True).click()
    me.page.get_by_role("button", name="Copied").wait_for()
    return me.page.evaluate("navigator.clipboard.readText()").removeprefix(me.url)


def form(me):
    """What the fields of the open form hold."""
    me.page.locator("[aria-label='Batch size']").wait_for()
    return me.page.evaluate(FIELDS)


def set_up(me):
    """A set-up that is not the default, and the part of the form open that it stands in."""
    me.form_is_ready()
    me.choose("Data", "digits")
    me.choose("Likelihood p(x|z)", "Gaussian")
    me.set("β", "0.5")
    me.set("Dimensions D", 3)
    me.unfold_training_details()
    me.set("Seed", 7)
    me.page.wait_for_function("location.search.includes('seed=7')")


def test_a_set_up_is_kept_over_a_reload_and_opens_elsewhere(visit):
    me = visit(**CLIPBOARD)
    set_up(me)
    mine = form(me)
    me.page.get_by_role("button", name="Copy link to this set-up").click()
    link = copied(me, "Copy")
    assert {"data=digits", "likelihood=gaussian", "beta=0.5", "latent_dim=3", "seed=7"} <= {*link[1:].split("&")}
    assert "hide" not in link and "epochs" not in link
    me.page.get_by_role("button", name="Close").click()
    me.reload()
    me.unfold_training_details()
    assert form(me) == mine
    other = visit(link)
    other.unfold_training_details()
    assert form(other) == mine


def test_what_a_link_hides_keeps_its_values(visit):
    me = visit(**CLIPBOARD)
    set_up(me)
    me.set("Epochs", 1)
    me.page.get_by_role("button", name="Copy link to this set-up").click()
    dialog = me.page.locator("#setup dialog")
    for part in ("Set-ups to start from", "β", "Training details"):
        dialog.get_by_label(part, exact=True).check()
    link = copied(me, "Copy")
    assert "hide=presets,beta,training" in link and "hide" not in me.page.url  # the lecturer's own form is whole
    other = visit(link)
    page = other.page
    for _ in range(2):
        page.locator("[aria-label='Dimensions D']").wait_for()
        page.wait_for_function("!document.querySelector('#presets').offsetParent")
        assert not page.locator("#number-beta").is_visible() and not page.locator("#fold-training").is_visible()
        assert page.locator("#number-epochs").is_visible() and page.locator("#fold-model").is_visible()
        other.reload()
    page.click("#train")
    other.wait_for_state("finished")
    line = page.inner_text("#progress")
    assert "D = 3, Gaussian likelihood" in line and "β = 0.5," in line and "seed 7" in line


def test_a_preset_leaves_alone_what_a_link_has_hidden(visit):
    me = visit("?beta=3&seed=5&epochs=9&hide=beta,details")
    me.page.locator("[aria-label='Epochs']").wait_for()
    me.page.get_by_role("button", name="First look").click()
    me.page.wait_for_function("document.querySelector('[aria-label=Epochs]').value === '3'")
    me.set("Batch size", 64)
    me.page.wait_for_function("location.search.includes('batch_size=64')")
    address = me.page.evaluate("location.search")
    assert "beta=3" in address and "seed=5" in address and "hide=beta,details" in address
    assert me.page.evaluate(FIELDS)["β"] == "3"
    assert not me.page.locator("#fold-model, #fold-training").first.is_visible()


def test_what_is_wrong_with_a_hidden_field_is_said_above_the_form(visit):
    me = visit("?data=digits&batch_size=1501&hide=batch_size")
    me.page.locator("[aria-label='Dimensions D']").wait_for()
    me.page.click("#train")
    said = "Batch size is 1501; the training set has 1500 images, so take at most that."
    fault = me.page.locator(".train-settings > .live-fault", has_text=said)
    fault.wait_for()
    assert fault.inner_text() == said and not me.page.locator("#number-batch_size").is_visible()


def test_what_cannot_be_used_of_a_link_is_said_and_the_rest_holds(visit):
    me = visit("?beta=lots&batch_size=64&epochs=1,000&hide=seed,colour")
    note = me.page.locator(".prose.train-note", has_text="The link has a setting that cannot be used.")
    note.wait_for()
    assert note.inner_text().split("used. ")[1].split(". ") == [
        "Epochs is '1,000', which can mean two numbers: write 1000 or 1.000",
        "β is 'lots'; it must be a number from 0 to 1000",
        "hide names 'colour', which is not part of the form.",
    ]
    assert form(me)["Batch size"] == "64" and form(me)["β"] == "1"


def drawn(me):
    """Waits until the drawing is weighed, and gives it, its terms, and q in the hand."""
    me.page.wait_for_selector("#draw .live-ink", state="visible")
    me.quiet("look")
    me.quiet("judge")
    me.page.locator("#draw .live-terms output", has_text=re.compile(r"\d")).first.wait_for()
    asked = me.asked("look")[-1]
    return asked.get("ink") or asked["image"], me.page.evaluate(TERMS)


def test_a_drawing_opens_elsewhere_with_the_q_in_the_hand(visit):
    me = visit(fresh=True, **CLIPBOARD)
    me.tab("Draw")
    drawn(me)
    me.page.get_by_role("button", name="Clear").click()
    me.draw((0.3, 0.25), (0.7, 0.25), (0.45, 0.85))
    mine = drawn(me)
    link = copied(me, "Copy link to this drawing")
    assert "#drawing=" in link and "&q=" not in link and len(link) < 1500
    for other in (me, visit(link)):
        if other is me:
            other.reload()
        assert drawn(other) == mine
    grabbed = grab(me)
    assert "drawing=" not in me.page.url  # the address does not tell of a state that is gone
    link = copied(me, "Copy link to this drawing")
    other = visit(link)
    until(other.page, lambda: drawn(other) == grabbed)  # the encoder's q is there before that of the link
    assert "&q=" in link and grabbed[0] == mine[0] and grabbed[1] != mine[1]
    other.draw((0.4, 0.4), (0.5, 0.5))
    other.page.wait_for_function("!location.hash.includes('drawing')")


def grab(me):
    """Changes σ of the dimension that is in the hand, by keyboard."""
    slider = me.page.get_by_label("σ of the chosen dimension")
    slider.focus()
    with me.answered("judge"):
        me.page.keyboard.press("PageDown")
    return drawn(me)


@pytest.mark.parametrize(
    ("fragment", "sentence"),
    [
        ("#drawing=%21%21", "The link's drawing cannot be read."),
        ("#drawing=AAAA", "The link's drawing cannot be read."),
        ("{drawing}&q=1,2;3", "The link's q cannot be read."),
        ("{drawing}&q=1,2,1,1", "The link's q has 2 dimensions, and this model 20."),
    ],
)
def test_a_drawing_or_q_that_cannot_be_read_is_said(visit, fragment, sentence):
    me = visit("?tab=draw&model=mnist-mlp-20d", fresh=True, **CLIPBOARD)
    mine = drawn(me)
    link = copied(me, "Copy link to this drawing")
    other = visit(f"?tab=draw&model=mnist-mlp-20d{fragment.format(drawing=link[link.index('#') :])}", fresh=True)
    other.page.locator("#draw .live-message", has_text=sentence).wait_for()
    assert drawn(other)[0] == mine[0]  # of the link, or the digit that the tab opens with


def ranges(me):
    return me.page.evaluate("""(({ xaxis, yaxis }) => [...xaxis.range, ...yaxis.range].map(Number))(
        document.querySelector(".live-map-plot .js-plotly-plot, .live-map-plot")._fullLayout)""")


def test_the_zoom_of_the_map_is_in_the_address(visit):
    me = opened(visit)
    ready(me)
    whole = ranges(me)
    assert "zoom=" not in me.page.url
    me.page.get_by_role("button", name="Zoom in").click()
    me.page.wait_for_function("location.search.includes('zoom=')")
    zoomed = ranges(me)
    assert zoomed != whole
    other = visit(me.page.evaluate("location.search"))
    other.page.wait_for_selector(".live-map-plot")
    ready(other)
    assert ranges(other) == pytest.approx(zoomed, abs=6e-4)
    other.page.get_by_role("button", name="See all").click()
    other.page.wait_for_function("!location.search.includes('zoom=')")
    assert ranges(other) == pytest.approx(whole)


@pytest.mark.parametrize("part", ["zoom=1,2,3", "zoom=2,1,0,1", "plane=x", "scale=round"])
def test_a_view_of_the_map_that_cannot_be_is_said(visit, part):
    me = opened(visit, f"&{part}")
    said = me.page.locator(".live-hand", has_text=f"The link's {part.split('=')[0]} cannot be used.")
    said.wait_for()
    ready(me)
    assert said.is_visible()  # and the map is there
