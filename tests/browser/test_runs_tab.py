"""The Runs tab: every run of a browser, and nobody else's."""

import io
import json
import re
import zipfile

import pytest

from vae_core import VAE, VAEConfig, load_checkpoint, save_checkpoint

pytestmark = pytest.mark.browser
ROWS = "#runs tbody tr"


def message(visitor, part):
    """Waits for a sentence above the table."""
    visitor.page.wait_for_function(
        "(part) => document.querySelector('#runs .live-message').textContent.includes(part)", arg=part
    )


def column(visitor, number):
    return visitor.page.locator(f"{ROWS} td:nth-child({number})").all_inner_texts()


def rename(visitor, row, name):
    line = visitor.page.locator(ROWS).nth(row)
    if not line.get_by_label("New name").count():
        line.locator(".live-name").click()
    line.get_by_label("New name").fill(name)
    visitor.page.keyboard.press("Enter")


def test_names_good_and_bad(visit, list_runs):
    me = visit()
    list_runs(me, {}, {})
    rename(me, 0, "the good one")
    me.page.wait_for_function(f"document.querySelector('{ROWS} .live-name')?.textContent === 'the good one'")
    for bad, said in [
        ("  ", "must not be empty"),
        ("../x", "must not hold slashes"),
        ("n" * 300, "has 300 characters"),
        ("the good one", "Another run of yours is called the good one already"),
    ]:
        rename(me, 1, bad)
        message(me, said)
    me.page.keyboard.press("Escape")
    assert column(me, 2) == ["the good one", "digits · 20 dimensions"]

    def asks(request):
        return '"rename"' in (request.post_data or "")

    me.page.route(re.compile("component_server"), lambda route: None if asks(route.request) else route.continue_())
    with me.page.expect_request(asks):
        rename(me, 1, "  ")
    me.page.keyboard.press("Escape")  # while the server is asked
    assert column(me, 2) == ["the good one", "digits · 20 dimensions"]
    me.page.unroute(re.compile("component_server"))
    me.reload()
    me.tab("Runs")
    me.page.wait_for_function(f"document.querySelector('{ROWS} .live-name')?.textContent === 'the good one'")


def test_deleting_asks_first(visit, list_runs):
    me = visit()
    list_runs(me, {}, {})
    me.more("Delete")
    me.page.get_by_text("Keep it").click()
    assert me.page.locator(ROWS).count() == 2
    me.more("Delete")
    assert "gone for good" in me.page.inner_text("#runs dialog[open]")
    me.page.get_by_role("button", name="Delete it").click()
    me.page.wait_for_function(f"document.querySelectorAll('{ROWS}').length === 1")


def test_where_the_model_in_use_is_deleted_the_shipped_one_takes_its_place(visit, list_runs):
    me = visit()
    list_runs(me, {})
    me.page.get_by_role("button", name="Draw with it").click()
    me.page.wait_for_function("document.querySelector('#model input').value.startsWith('my run')")
    me.page.wait_for_function("location.search.includes('tab=draw&model=20')")
    me.tab("Runs")
    me.more("Delete")
    me.page.get_by_role("button", name="Delete it").click()
    me.page.wait_for_selector("text=The model that was in use is gone: this one takes its place.")
    assert me.page.input_value("#model input") == "MNIST · 2 dimensions · ready-made"
    me.page.wait_for_function("location.search.includes('model=mnist-mlp-2d')")


def test_sort_and_filter(visit, list_runs):
    me = visit()
    list_runs(me, {"latent_dim": 2}, {"latent_dim": 12})
    assert column(me, 2) == ["digits · 12 dimensions", "digits · 2 dimensions"]  # the newest first
    me.page.get_by_role("button", name="−ELBO, held-out").click()
    found = [float(text) for text in column(me, 6)]
    assert found == sorted(found, reverse=True)
    me.page.get_by_role("button", name="−ELBO, held-out").click()
    assert [float(text) for text in column(me, 6)] == sorted(found)
    assert me.page.locator("#runs th").nth(5).get_attribute("aria-sort") == "ascending"
    me.page.get_by_label("Filter the runs").fill("12,")
    assert len(column(me, 2)) == 1
    with me.answered("mine"):  # the table asks again, and keeps both
        pass
    assert len(column(me, 2)) == 1


@pytest.mark.parametrize("width", [390, 820, 1280, 1440])
def test_what_can_be_done_with_a_run_is_in_sight_at_any_width_and_with_any_name(visit, list_runs, width):
    me = visit(viewport={"width": width, "height": 900})
    list_runs(me, {})
    rename(me, 0, "x" * 80)
    me.page.wait_for_function(f"document.querySelector('{ROWS} .live-name')?.textContent === '{'x' * 80}'")
    for name in ("Open", "Draw with it", "More for this run"):
        box = me.page.get_by_role("button", name=name, exact=True).bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= width, name
    inside, wide = me.page.evaluate(
        "[(it) => it.clientWidth, (it) => it.scrollWidth].map((of) => of(document.querySelector('.live-wide')))"
    )
    assert wide <= inside


def test_a_refused_name_says_so_beside_its_field(visit, list_runs):
    me = visit()
    list_runs(me, {})
    rename(me, 0, "x" * 81)
    me.page.wait_for_function(f"document.querySelector('{ROWS} td:nth-child(2)').innerText.includes('80')")
    assert me.page.get_by_label("New name").input_value() == "x" * 81  # nothing of it is lost


def test_downloads(visit, list_runs, tmp_path):
    me = visit()
    list_runs(me, {})
    rename(me, 0, "mine & only")
    me.page.wait_for_function(f"document.querySelector('{ROWS} .live-name')?.textContent === 'mine & only'")
    names = {}
    for what, item in {
        "archive.zip": "Download all of it (zip)",
        "metrics.csv": "Download the metrics (CSV)",
        "model.safetensors": "Download the model",
        "tensorboard.zip": "Download TensorBoard events",
    }.items():
        with me.page.expect_download() as waiting:
            me.more(item)
        names[what] = waiting.value.suggested_filename
        waiting.value.save_as(tmp_path / what)
    assert names["archive.zip"] == "mine & only.zip" and names["metrics.csv"] == "mine & only.csv"
    with zipfile.ZipFile(tmp_path / "archive.zip") as archive:
        records = archive.read("mine & only/metrics.jsonl").splitlines()
        assert json.loads(archive.read("mine & only/config.json"))["training"]["epochs"] == 2
    assert len((tmp_path / "metrics.csv").read_text().splitlines()) == len(records) + 1
    assert load_checkpoint(tmp_path / "model.safetensors").config.latent_dim == 20
    with zipfile.ZipFile(io.BytesIO((tmp_path / "tensorboard.zip").read_bytes())) as archive:
        (name,) = archive.namelist()
        assert name.startswith("mine & only/events.out.tfevents.")


def test_uploads_good_and_bad(visit, tmp_path):
    me = visit()
    me.tab("Runs")
    good, foreign, large = (tmp_path / f"{name}.safetensors" for name in ("good", "foreign", "large"))
    save_checkpoint(VAE(VAEConfig(latent_dim=3, hidden_dim=16)), good, {"data": "digits"})
    foreign.write_text("no weights at all")
    with large.open("wb") as file:
        file.truncate(257 * 2**20)
    wrong = tmp_path / "wrong.safetensors"
    content = good.read_bytes()
    wrong.write_bytes(content.replace(b'\\"latent_dim\\": 3', b'\\"latent_dim\\": 4'))
    assert wrong.read_bytes() != content
    for path, said in [
        (foreign, "The file cannot be read as a checkpoint"),
        (wrong, "does not fit its configuration"),
        (large, "over the limit of 256 MB"),
    ]:
        me.page.set_input_files("#upload", path)
        message(me, said)
        assert str(tmp_path) not in me.page.inner_text("#runs") and me.page.locator(ROWS).count() == 0
    me.page.set_input_files("#upload", good)
    message(me, "good.safetensors is one of your runs now")
    me.page.wait_for_function(f"document.querySelector('{ROWS} .live-name')?.textContent === 'good'")
    me.page.get_by_role("button", name="Draw with it").click()
    me.tab("Latents")
    me.page.wait_for_function("document.querySelectorAll('.live-list input[type=range]').length === 3")
    # It is trained on from there: the new run has the upload's three dimensions.
    me.tab("Train")
    me.choose("Data", "digits")
    me.set("Epochs", 1)
    me.tab("Runs")
    me.more("Continue with new settings")
    dialog = me.page.locator("#runs dialog[open]")
    assert "Dimensions D 3" in dialog.locator(".live-stays").inner_text()  # the form says 20
    dialog.get_by_role("button", name="Start").click()
    me.wait_for_state("finished")
    assert "D = 3" in me.page.inner_text("#progress")


def test_a_run_that_goes_on_from_another_is_shown_and_asked_about_before_it_starts(visit, list_runs):
    me = visit()
    page = me.page
    (old,) = list_runs(me, {"latent_dim": 4, "beta": 2})
    me.tab("Train")
    me.choose("Data", "digits")
    for label, value in {"Epochs": 1, "β": "0,5", "Batch size": 128, "Dimensions D": 7}.items():
        me.set(label, value)
    me.tab("Runs")
    me.more("Continue with new settings")
    dialog = page.locator("#runs dialog[open]")
    assert dialog.locator("h2").inner_text() == "Continue “digits · 4 dimensions”"
    assert "“digits · 4 dimensions continued”, begins with the weights of step 24" in dialog.inner_text()
    rows = [row.locator("td").all_inner_texts() for row in dialog.locator("tr").all()[1:]]
    assert rows[:2] == [["Epochs", "2", "1"], ["β", "2", "0.5"]]
    assert [title for title, *_ in rows[2:]] in ([], ["Number format"])  # the quickest may be another one here
    assert "whatever Train says: Dimensions D 4." in dialog.locator(".live-stays").inner_text()
    dialog.get_by_role("button", name="Cancel").click()
    me.settled()
    assert page.locator(ROWS).count() == 1 and not dialog.is_visible()
    me.more("Continue with new settings")  # and the same is asked once more
    dialog.get_by_role("button", name="Start").click()
    me.wait_for_state("finished")
    me.tab("Runs")
    page.wait_for_function(f"document.querySelectorAll('{ROWS}').length === 2")
    assert page.locator(f"{ROWS}:not([data-run='{old}']) .live-name").inner_text() == "digits · 4 dimensions continued"


def test_bad_settings_keep_a_run_from_going_on_and_lead_to_their_fields(visit, list_runs):
    me = visit()
    list_runs(me, {})
    me.tab("Train")
    me.set("β", "-1")
    me.set("Batch size", "many")
    me.tab("Runs")
    me.more("Continue with new settings")
    dialog = me.page.locator("#runs dialog[open]")
    dialog.locator("li").first.wait_for()
    assert dialog.locator("li").all_inner_texts() == [
        "Batch size is 'many'; it must be a whole number from 1 to 100000.",
        "β is -1; it must be a number from 0 to 1000.",
    ]
    dialog.get_by_role("button", name="Go to the settings").click()
    me.page.wait_for_function("document.activeElement.ariaLabel === 'Batch size'")
    assert me.page.locator(".train-settings [aria-invalid=true]").count() == 2


def test_watch_and_resume_from_the_table(visit):
    me = visit()
    me.train(Epochs=3000)
    me.wait_for_state("running")
    me.page.click("#stop")
    me.wait_for_state("stopped")
    me.page.wait_for_function("!document.querySelector('#train').disabled")
    me.train(Epochs=1)
    me.wait_for_state("finished")
    me.tab("Runs")
    me.page.locator(ROWS, has_text="stopped").get_by_role("button", name="Resume").click()
    me.page.wait_for_selector("#pause", state="visible")
    me.wait_for_state("running")
    assert "of 36,000" in me.page.inner_text("#progress")
    me.page.click("#stop")
    me.wait_for_state("stopped")


def test_another_visitors_run_is_neither_listed_nor_steered(visit, list_runs):
    anna, bert = visit(), visit()
    [run] = list_runs(anna, {})
    bert.tab("Runs")
    bert.page.wait_for_function("document.querySelector('#runs .live-none')?.hidden === false")
    assert bert.page.locator(ROWS).count() == 0
    mine = bert.page.evaluate("questions.find((it) => it.fn_name === 'mine')")
    for name, data in [
        ("remove", {}),
        ("annotate", {"note": "stolen"}),
        ("rename", {"name": "stolen"}),
        ("steer", {"how": "play"}),
    ]:
        body = mine | {"fn_name": name, "data": {"browser": mine["data"]["browser"], "run": run} | data}
        answer = bert.page.request.post(f"{bert.url}/gradio_api/component_server", data=body).json()
        assert answer == {"error": "That run belongs to another browser."}
    assert column(anna, 2) == ["digits · 20 dimensions"]


def test_without_a_run_the_tab_says_what_will_stand_there_and_leads_to_train(visit):
    me = visit()
    me.tab("Runs")
    me.page.wait_for_selector("#runs .live-none:not([hidden]) >> text=No runs yet.")
    assert not me.page.locator("#compare").is_visible()
    me.page.get_by_role("button", name="Train a first model").click()
    me.page.wait_for_selector("#train", state="visible")


def test_what_is_rarely_needed_is_behind_a_menu_that_keys_open(visit, list_runs):
    me = visit()
    list_runs(me, {})
    line = me.page.locator(ROWS)
    button = line.get_by_role("button", name="More for this run")
    assert button.get_attribute("aria-haspopup") == "menu" and button.get_attribute("aria-expanded") == "false"
    assert not line.get_by_text("Delete").is_visible()
    focused = "document.activeElement.textContent"
    button.focus()
    me.page.keyboard.press("Enter")
    me.page.wait_for_function(f"{focused} === 'Continue with new settings'")
    assert button.get_attribute("aria-expanded") == "true"
    me.page.keyboard.press("ArrowUp")  # round to the last
    assert me.page.evaluate(focused) == "Delete"
    me.page.keyboard.press("Home")
    me.page.keyboard.press("ArrowDown")
    assert me.page.evaluate(focused) == "Copy link to this run"
    me.page.keyboard.press("Escape")
    me.page.wait_for_function(f"{focused} === '⋯'")
    me.page.keyboard.press("ArrowDown")
    me.page.wait_for_function(f"{focused} === 'Continue with new settings'")
    me.page.keyboard.press("End")
    me.page.keyboard.press("Enter")
    me.page.get_by_role("button", name="Keep it").click()
    assert not line.get_by_text("Delete").is_visible() and me.page.locator(ROWS).count() == 1


def test_a_note_is_edited_where_it_stands_and_is_nothing_but_text(visit, list_runs):
    me = visit()
    (run,) = list_runs(me, {})
    line = me.page.locator(ROWS)
    note = "<img src=x onerror=alert(1)>\nall 4s are 9s"
    line.get_by_role("button", name="Add a note").click()
    line.get_by_label("Note").fill("<img src=x onerror=alert(1)>")
    me.page.keyboard.press("Shift+Enter")
    me.page.keyboard.type("all 4s are 9s")
    with me.answered("annotate", run=run, note=note):
        me.page.keyboard.press("Enter")
    me.page.wait_for_function("(text) => document.querySelector('.live-note-text')?.textContent === text", arg=note)
    assert line.locator("img").count() == 0
    line.locator(".live-note-text").click()
    line.get_by_label("Note").fill("dropped")
    me.page.keyboard.press("Escape")
    assert line.locator(".live-note-text").inner_text() == note
    line.locator(".live-note-text").click()
    line.get_by_label("Note").fill("left")
    me.page.get_by_label("Filter the runs").focus()  # which keeps it: nothing is lost
    me.page.wait_for_function("document.querySelector('.live-note-text')?.textContent === 'left'")
    me.reload()
    me.page.wait_for_function("document.querySelector('.live-note-text')?.textContent === 'left'")


def test_a_note_that_the_server_refuses_stays_in_its_field(visit, list_runs):
    me = visit()
    list_runs(me, {})
    line = me.page.locator(ROWS)
    line.get_by_role("button", name="Add a note").click()
    field = line.get_by_label("Note")
    assert field.get_attribute("maxlength") == "1000"
    field.evaluate("(it) => it.removeAttribute('maxlength')")
    field.fill("x" * 1001)
    me.page.keyboard.press("Enter")
    me.page.wait_for_selector(f"{ROWS} >> text=That note has 1,001 characters; a note has at most 1,000.")
    assert field.input_value() == "x" * 1001
