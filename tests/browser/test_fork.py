"""A run by its own link: Anna trains, Bert follows her run, cannot steer it, and begins his own from it."""

import pytest

from .conftest import RECORDED, until
from .test_links import CLIPBOARD, copied
from .test_page import wait_for_records

pytestmark = pytest.mark.browser
GONE = "The run that the link names is not on this server any more."
LOST = "This run is not on this server any more."
STEERING = "#progress :is(#pause, #stop, #step, #reset)"


def content(server, run):
    """Every file of a run, byte for byte."""
    folder = server.runs / run
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def followed(visitor):
    """Waits until a run is shown as another browser's."""
    visitor.page.locator("#progress .live-origin", has_text="Shared with you: ").wait_for()


def buttons(visitor):
    """The texts of the buttons in sight beside the state of the run."""
    script = """() => [...document.querySelectorAll("#progress button")].filter((it) => it.offsetParent)
        .map((it) => it.textContent)"""
    return visitor.page.evaluate(script)


def owner(visitor):
    """The run of another browser that the address names."""
    return visitor.page.evaluate("new URLSearchParams(location.search).get('run')")


def field(visitor, label, value):
    """Waits until a field of the form holds a value."""
    visitor.page.locator(f"[aria-label='{label}']").wait_for()
    script = "([label, value]) => document.querySelector(`[aria-label='${label}']`).value === value"
    visitor.page.wait_for_function(script, arg=[label, value])


def test_a_run_is_followed_live_by_its_link_and_cannot_be_steered(visit):
    anna = visit(**CLIPBOARD)
    anna.set("Dimensions D", 3)
    anna.set("β", 4)
    anna.train(Epochs=5000)
    wait_for_records(anna, 2)
    link = copied(anna, "Copy link to this run")
    assert link.startswith("/?tab=train&run=")
    run = link.split("run=")[1]
    assert owner(anna) is None  # it is her own
    bert = visit(link.removeprefix("/"))
    followed(bert)
    assert bert.page.inner_text("#progress .live-origin") == "Shared with you: digits · 3 dimensions"
    assert bert.page.inner_text("#progress strong") == "Training" and bert.browser() != anna.browser()
    # Her curve grows before his eyes, on ELBO too, and nothing there steers it.
    wait_for_records(bert, 2)
    wait_for_records(bert, len(bert.curves()["train_elbo"][0]) + 2)
    bert.page.locator("#progress", has=bert.page.get_by_role("button", name="Continue from its weights")).wait_for()
    assert buttons(bert) == ["Use these settings", "Continue from its weights", "Copy link to this run"]
    assert bert.page.locator(STEERING).evaluate_all("(them) => them.every((it) => it.hidden)")
    field(bert, "β", "4")
    assert bert.page.locator("#train").is_enabled() and bert.page.get_by_label("β", exact=True).is_enabled()
    assert bert.page.locator("#presets").is_visible()
    bert.tab("ELBO")
    wait_for_records(bert, 2, "elbo-curves")
    bert.page.locator("#recorded .live", has_text="Shared with you: digits · 3 dimensions").wait_for()
    assert owner(bert) == run
    bert.tab("Train")
    # What he sets in the form is of his next run, and a reload shows hers again.
    bert.set("β", 2)
    bert.page.keyboard.press("Enter")
    bert.page.wait_for_function("location.search.includes('beta=2')")
    bert.reload()
    followed(bert)
    field(bert, "β", "2")
    assert owner(bert) == run
    # She stops it, and he sees that; it was never changed.
    anna.page.click("#stop")
    for visitor in (anna, bert):
        visitor.wait_for_state("stopped")
    assert "changed" not in anna.page.inner_text("#progress")
    assert bert.page.locator(STEERING).evaluate_all("(them) => them.every((it) => it.hidden)")


def test_a_run_with_its_settings_but_one_is_the_visitors(visit, server, give):
    anna = visit()
    (run,) = give(anna, {"latent_dim": 4, "beta": 2})
    before = content(server, run)
    bert = visit(f"?tab=train&run={run}&beta=9")
    followed(bert)
    field(bert, "β", "9")
    bert.wait_for_state("finished")
    bert.page.get_by_role("button", name="Use these settings").click()
    bert.page.locator("#progress .live-fork [role=status]", has_text="change one, and press Train").wait_for()
    field(bert, "β", "2")
    assert "beta=" not in bert.page.url and owner(bert) == run
    bert.set("β", "0.5")
    bert.set("Epochs", 1)
    bert.page.click("#train")
    bert.page.wait_for_function("!document.querySelector('#progress .live-origin').textContent")
    bert.wait_for_state("finished")
    line = bert.page.inner_text("#progress")
    assert "D = 4" in line and "β = 0.5," in line
    bert.page.wait_for_function("!location.search.includes('run=')")
    assert "Start over" in buttons(bert) and "Use these settings" not in buttons(bert)
    bert.reload()
    bert.wait_for_state("finished")
    assert "β = 0.5," in bert.page.inner_text("#progress") and owner(bert) is None
    assert content(server, run) == before


def test_a_run_continued_from_its_weights_is_the_visitors(visit, server, give):
    anna = visit()
    (run,) = give(anna, {"latent_dim": 4, "beta": 2})
    before = content(server, run)
    bert = visit(f"?tab=train&run={run}")
    followed(bert)
    field(bert, "β", "2")
    bert.set("β", "0.5")
    bert.set("Epochs", 1)
    bert.set("Dimensions D", 7)
    bert.page.get_by_role("button", name="Continue from its weights").click()
    dialog = bert.page.locator("#progress dialog[open]")
    assert dialog.locator("h2").inner_text() == "Continue “digits · 4 dimensions”"
    rows = [row.locator("td").all_inner_texts() for row in dialog.locator("tr").all()[1:]]
    assert rows[:2] == [["Epochs", "2", "1"], ["β", "2", "0.5"]]
    assert "Dimensions D 4" in dialog.locator(".live-stays").inner_text()
    dialog.get_by_role("button", name="Start").click()
    bert.page.wait_for_function("!document.querySelector('#progress .live-origin').textContent")
    bert.wait_for_state("finished")
    line = bert.page.inner_text("#progress")
    assert "D = 4" in line and "β = 0.5," in line and run in line
    bert.page.wait_for_function("!location.search.includes('run=')")
    bert.tab("Runs")
    bert.page.locator("#runs .live-name", has_text="digits · 4 dimensions continued").wait_for()
    assert content(server, run) == before


def test_a_shared_run_that_is_deleted_is_said_and_nothing_is_lost(visit, list_runs):
    anna = visit()
    (run,) = list_runs(anna, {"beta": 2})
    bert = visit(f"?tab=train&run={run}")
    followed(bert)
    field(bert, "β", "2")
    bert.set("β", "0.5")
    # The server says so to whoever presses before the page has heard of it.
    bert.page.evaluate("Object.defineProperty(document, 'hidden', { value: true, configurable: true })")
    bert.settled()
    anna.more("Delete")
    anna.page.get_by_role("button", name="Delete it").click()
    anna.page.wait_for_function("document.querySelectorAll('#runs tbody tr').length === 0")
    for name in ("Continue from its weights", "Use these settings"):
        bert.page.get_by_role("button", name=name).click()
        bert.page.locator("#progress .live-fork .live-refused", has_text=LOST).wait_for()
    assert bert.page.locator("dialog[open]").count() == 0
    field(bert, "β", "0.5")
    bert.page.evaluate("delete document.hidden")
    bert.page.evaluate("window.dispatchEvent(new Event('focus'))")
    bert.page.locator("#progress strong", has_text="Gone").wait_for()
    assert buttons(bert) == []
    # He trains his own with what the form held.
    bert.choose("Data", "digits")
    bert.set("Epochs", 1)
    bert.page.click("#train")
    bert.wait_for_state("finished")
    assert "β = 0.5," in bert.page.inner_text("#progress")


@pytest.mark.parametrize("run", ["20200101-000000-0123456789abcdef", "x", "../x", "%00", "a" * 300])
def test_an_odd_id_is_said_and_the_page_opens_as_without_it(visit, run):
    me = visit(f"?tab=elbo&run={run}")
    said = me.page.locator(".page-note", has_text=GONE)
    said.wait_for()
    assert said.is_visible() and said.inner_text() == GONE
    me.page.wait_for_function("!location.search.includes('run=')")
    me.page.locator("#recorded .live", has_text="Recorded").wait_for()
    me.tab("Train")
    me.train(Epochs=1)
    me.wait_for_state("finished")
    assert said.count() == 0


def test_a_recording_by_its_link_is_a_recording(visit):
    me = visit(f"?tab=train&run={RECORDED}")
    me.wait_for_state("recorded")
    me.page.locator("#progress strong", has_text="Recorded").wait_for()
    assert me.page.inner_text("#progress .live-origin") == "" and "Step" in buttons(me)
    assert "Copy link to this run" not in buttons(me)


def test_ones_own_run_opens_by_the_link_of_the_runs_tab(visit, list_runs):
    me = visit(**CLIPBOARD)
    _, newest = list_runs(me, {"beta": 2}, {})
    me.more("Copy link to this run", 1)
    message = me.page.locator("#runs .live-message", has_text="The link to this run is copied.")
    message.wait_for()
    link = me.page.evaluate("navigator.clipboard.readText()").removeprefix(me.url)
    assert newest not in link
    me.page.goto(me.url + link)
    me.wait_for_state("finished")
    until(me.page, lambda: "β = 2," in me.page.inner_text("#progress"))
    me.page.wait_for_function("!location.search.includes('run=')")
    assert me.page.inner_text("#progress .live-origin") == "" and "Start over" in buttons(me)


def test_where_the_browser_copies_nothing_the_link_is_there_to_read(visit, list_runs):
    me = visit(script="Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    (run,) = list_runs(me, {})
    me.more("Copy link to this run")
    me.page.locator("#runs .live-message", has_text=f"?tab=train&run={run}").wait_for()
    me.page.get_by_role("button", name="Open", exact=True).click()
    me.page.get_by_role("button", name="Copy link to this run").click()
    told = me.page.locator("#progress .live-fork [role=status]", has_text=f"?tab=train&run={run}")
    told.wait_for()
    assert told.inner_text().startswith(me.url)


def test_a_set_up_that_is_handed_out_leaves_the_shared_run_behind(visit, give):
    anna = visit()
    (run,) = give(anna, {"beta": 2})
    bert = visit(f"?tab=train&run={run}")
    followed(bert)
    bert.form_is_ready()
    bert.page.get_by_role("button", name="Copy link to this set-up").click()
    link = bert.page.locator("#setup dialog input[type=text]").input_value()
    assert "beta=2" in link and "run=" not in link and owner(bert) == run
