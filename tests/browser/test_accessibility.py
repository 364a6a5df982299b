"""For everybody's eyes and ears: axe finds nothing on any tab, no text is small or faint, a training is told calmly."""

import os

import pytest

from ui import TABS

from ..conftest import ROOT
from .conftest import script

pytestmark = pytest.mark.browser

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
TEXTS = script("texts.js")
BOX = ".live-explained:popover-open"
MODES = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "forced": {"forced_colors": "active"},
}
# When a tab shows what it has to show.
THERE = {
    "theory": "#theory-card .live-machine",
    "train": "#pictures .live[data-version]:not(.live-waiting)",
    "elbo": "#kl-history .main-svg",
    "draw": ".live-examples button",
    "latents": ".live-map-plot .main-svg image",
    "runs": "#runs tbody tr:visible, #runs p:visible",
}
FINDINGS = """async () => {
    const { violations } = await axe.run(document, { resultTypes: ["violations"] });
    const severe = violations.filter(({ impact }) => ["serious", "critical"].includes(impact));
    return severe.flatMap(({ id, nodes }) => nodes.map(({ target, html }) => `${id}: ${target} ${html.slice(0, 200)}`));
}"""
# Keeps every sentence of a live region and the ms of the page's clock at which it came.
LISTEN = """() => {
    const live = "[role=status], [role=alert], [role=log], output, [aria-live]";
    window.told = [];
    new MutationObserver((changes) => {
        const nodes = new Set(changes.map(({ target }) =>
            (target.nodeType === Node.TEXT_NODE ? target.parentElement : target)?.closest(live)));
        for (const node of nodes) {
            if (!node || node.ariaLive === "off" || !node.checkVisibility()) continue;
            window.told.push([node.textContent, performance.now()]);
        }
    }).observe(document.body, { childList: true, characterData: true, subtree: true });
}"""


@pytest.fixture(scope="module")
def axe():
    """The script of axe-core, which `npm ci` installs."""
    if not AXE.exists():
        assert not os.environ.get("VAE_REQUIRE_BROWSER"), "VAE_REQUIRE_BROWSER is set, but there is no axe-core: npm ci"
        pytest.skip("needs axe-core: npm ci")
    return AXE.read_text(encoding="utf-8")


def go(me, tab):
    """Shows a tab, found by its id, and waits until what it shows is there."""
    me.page.locator(f"[role=tab][data-tab-id={tab}]").click()
    if tab in THERE:
        me.page.wait_for_selector(THERE[tab])
    me.settled()


def texts(me, selector="body *"):
    return me.page.evaluate("(selector) => textsOf(selector)", selector)


def small(me, least):
    """The visible texts under a size in px."""
    return sorted({f"{text['text']} {text['size']:.1f}" for text in texts(me) if text["size"] < least - 0.01})


def faint(me):
    """Texts of charts and tabs below WCAG's AA: axe leaves them out, since something transparent lies over them."""
    found = texts(me, "svg text, [role=tab]")
    return sorted({f"{text['text']} {text['contrast']:.2f}" for text in found if text["contrast"] < 4.5})


def follow_a_run(me, give):
    """Gives the visitor two finished runs, the second with a change in its middle, which the page then follows."""
    me.page.wait_for_function("location.search.includes('model=')")
    run = give(me, {"latent_dim": 2}, {"latent_dim": 6, "epochs": 3})
    me.page.goto(f"{me.url}?tab=train&model={run[0]}")
    me.page.wait_for_selector('#progress .live[data-state="finished"]')


def weighed(me):
    """Waits, on the Draw tab, until the model has answered to the drawing."""
    me.page.wait_for_selector("#meter tr[data-term=evidence] small:text-matches('draws|exact')")


@pytest.mark.parametrize("mode", MODES)
def test_axe_finds_nothing_and_every_text_can_be_read(visit, give, axe, mode):
    me = visit(fresh=True, script=f"{axe}\n{TEXTS}", **MODES[mode])
    found = []

    def look(where):
        me.frames()
        found.extend(f"{where}: {finding}" for finding in me.page.evaluate(FINDINGS))
        found.extend(f"{where}: under 14 px: {text}" for text in small(me, 14))
        if mode != "forced":  # there the colours are the system's
            found.extend(f"{where}: faint: {text}" for text in faint(me))

    me.page.wait_for_selector(THERE["train"])
    look("the recording")
    follow_a_run(me, give)
    for tab in TABS:
        go(me, tab)
        if tab == "train":
            for fold in ("model", "training"):
                me.page.click(f"#fold-{fold} > button")
        if tab == "draw":
            weighed(me)
        if tab == "runs":
            for box in me.page.locator("#runs tbody input[type=checkbox]").all():
                box.check()
            me.page.wait_for_function("document.querySelectorAll('#compare .legendtext').length === 2")
        look(tab)
    me.more("Delete")
    look("the question whether to delete")
    me.page.keyboard.press("Escape")
    me.page.get_by_role("button", name="Help").click()
    look("Help")
    me.page.keyboard.press("Escape")
    go(me, "elbo")
    me.page.locator("span[data-term='elbo']:visible").first.click()
    me.page.wait_for_selector(f"{BOX} .katex")
    look("an explained word")
    assert not found, "\n".join(found)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_axe_finds_nothing_in_a_step_and_every_text_can_be_read(visit, axe, mode):
    me = visit(script=f"{axe}\n{TEXTS}", **MODES[mode])
    me.choose("Data", "digits")
    with me.answered("batch"):
        me.page.click("#step")
        me.wait_for_state("paused")
    me.page.mouse.move(5, 5)  # or the chart below it shows its buttons
    me.settled()
    assert me.page.evaluate(FINDINGS) == [] and small(me, 14) == [] and faint(me) == []


def test_for_a_projector_no_text_is_under_16_px(visit, give):
    me = visit(fresh=True, script=TEXTS)
    follow_a_run(me, give)
    me.page.get_by_role("button", name="Present").click()
    found = []
    for tab in TABS:
        go(me, tab)
        found.extend(f"{tab}: {text}" for text in small(me, 16))
        if tab == "elbo":
            me.page.locator("span[data-term='elbo']:visible").first.click()
            me.page.wait_for_selector(f"{BOX} .katex")
            found.extend(f"an explained word: {text}" for text in small(me, 16))
            me.page.keyboard.press("Escape")
    assert not found, "\n".join(found)


def test_a_training_is_told_by_at_most_three_sentences_in_ten_seconds(visit):
    me = visit()
    me.page.evaluate(LISTEN)
    me.train(Epochs=200)
    said = "told.some(([text]) => text.includes('{}'))"
    me.page.wait_for_function(said.format(" %"), timeout=60_000)
    me.page.click("#stop")
    me.page.wait_for_function(said.format("Stopped"))
    me.train(Epochs=1)
    me.page.wait_for_function(said.format("Done: "), timeout=60_000)
    told = me.page.evaluate("told")
    assert told[0][0].startswith(("Waiting", "Loading", "Training")), told
    times = [at for _, at in told]
    crowded = [told[i : i + 4] for i in range(len(told) - 3) if times[i + 3] - times[i] < 10_000]
    assert crowded == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_a_station_of_the_machine_says_stands_out(visit, scheme):
    me = visit("?tab=theory&model=mnist-mlp-2d", fresh=True, script=TEXTS, color_scheme=scheme)
    me.page.wait_for_selector("#theory-card .live-station-x .live-shape:not(:empty)", state="attached")
    me.page.locator("#theory-card .live-station-x").hover()
    (said,) = texts(me, "#theory-card .live-station-x .live-shape")
    assert said["contrast"] >= 4.5


def test_escape_leaves_present_but_first_what_is_open(visit):
    me = visit("?tab=theory", fresh=True)
    present = me.page.get_by_role("button", name="Present")
    present.click()
    me.page.get_by_role("button", name="Help").click()
    me.page.keyboard.press("Escape")
    assert not me.page.locator("dialog[open]").count()
    assert present.get_attribute("aria-pressed") == "true"
    me.page.keyboard.press("Escape")
    assert present.get_attribute("aria-pressed") == "false"
    me.reload()
    assert present.get_attribute("aria-pressed") == "false"
