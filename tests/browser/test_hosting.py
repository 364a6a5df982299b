"""The page where something stands between it and the server: a proxy's answers, a prefix, a frame, refused cookies."""

import base64
import re

import pytest

from ..conftest import ROOT
from ..servers import in_front_of, serving
from .conftest import Visitor, free_port, start, stop
from .test_charts import PLOT, lengthen, reload

pytestmark = pytest.mark.browser

PAGE = "<html><body>Refused.</body></html>"
FUNCTIONS = re.compile("component_server")
STATUSES = {
    200: "Something in front of the server answers in its place: reload the page.",
    401: "The server asks for name and password again: reload the page.",
    403: "The server in front refused the request (403).",
    429: "The server in front refused the request, because there were too many (429).",
    502: "The server in front does not reach the app (502).",
    504: "The server in front has waited too long for the app (504).",
}
ICON = (ROOT / "ui" / "favicon.svg").read_bytes()
SEVEN = [(0.3, 0.25), (0.7, 0.25), (0.5, 0.55), (0.42, 0.85)]


@pytest.fixture
def guest(browser, server):
    """A visitor whose console may have errors: the browser itself writes there what was refused."""
    me = Visitor(browser.new_context(viewport={"width": 1440, "height": 900}), server.url)
    yield me
    me.context.close()


def shown_icon(page):
    """The bytes of the icon that the document holds: behind a prefix /favicon.ico is somebody else's."""
    href = page.wait_for_selector("link[rel=icon]", state="attached").get_attribute("href")
    return base64.b64decode(href.removeprefix("data:image/svg+xml;base64,"))


def refuse(page, what, status=413):
    """Has a server in front answer in the app's place."""
    page.route(re.compile(what), lambda route: route.fulfill(status=status, body=PAGE, content_type="text/html"))


def said(me, where, text):
    """Whether a part of the page says it, now or after a moment."""
    me.page.locator(where, has_text=text).first.wait_for()
    return True


@pytest.mark.parametrize(("status", "text"), STATUSES.items())
def test_what_a_status_says_is_said_and_the_page_goes_on(guest, status, text):
    guest.tab("Draw")
    guest.page.wait_for_selector(".live-examples button")
    refuse(guest.page, "component_server", status)
    guest.draw(*SEVEN)
    assert said(guest, "#draw .live-message", text)
    guest.page.unroute_all()
    guest.draw((0.5, 0.4), (0.5, 0.6))
    guest.page.wait_for_function("document.querySelector('#draw .live-terms output')?.textContent.match(/[0-9]/)")
    assert guest.page.inner_text("#draw .live-message") == ""


def test_a_redirect_to_another_site_is_not_silence(guest):
    guest.tab("Draw")
    guest.page.wait_for_selector(".live-examples button")
    away = {"status": 302, "headers": {"Location": "http://login.invalid/"}}
    guest.page.route(re.compile("gradio_api"), lambda route: route.fulfill(**away))
    guest.draw(*SEVEN)
    assert said(guest, "#draw .live-message", STATUSES[200])


def test_files_that_were_refused(guest):
    large = {"name": "digit.png", "mimeType": "image/png", "buffer": bytes(4_000_000)}
    refuse(guest.page, "live/(photo|upload|gif)|/means$")
    guest.tab("Draw")
    guest.page.locator("#draw input[type=file]").set_input_files(large)
    assert said(guest, "#draw .live-message", "The server in front refused a file of 4.0 MB (413).")
    guest.tab("Latents")
    guest.page.wait_for_selector(".live-list input[type=range]")
    guest.page.get_by_role("button", name="Save as GIF").click()
    assert said(
        guest, "#latents .live-message", "The GIF could not be made. The server in front refused a file of 24 kB (413)."
    )
    guest.page.get_by_role("tab", name="Arithmetic", exact=True).click()
    guest.page.get_by_label("Strength").fill("1")
    assert said(guest, "#latents .live-message", re.compile(r"^The server in front refused the request \(413\)\.$"))
    guest.tab("Runs")
    guest.page.set_input_files("#upload", large | {"name": "m.safetensors"})
    assert said(guest, "#runs .live-message", "The server in front refused a file of 4.0 MB (413).")


def test_an_upload_without_a_login_is_not_one_of_the_runs(guest):
    answer = {"status": 401, "json": {"detail": "Log in first."}}
    guest.page.route(re.compile("live/upload"), lambda route: route.fulfill(**answer))
    guest.tab("Runs")
    guest.page.set_input_files("#upload", {"name": "m.safetensors", "mimeType": "", "buffer": b"weights"})
    assert said(guest, "#runs .live-message", STATUSES[401])


def test_a_run_whose_pictures_and_files_are_refused(guest):
    refuse(guest.page, r"live/runs/[^/]+/", 403)
    guest.train(Epochs=1)
    guest.wait_for_state("finished")
    assert said(guest, "#pictures .live-message", STATUSES[403])
    guest.tab("Runs")
    guest.more("Download the metrics (CSV)")
    assert said(guest, "#runs .live-message", f"The download failed. {STATUSES[403]}")
    guest.page.unroute_all()
    with guest.page.expect_download() as download:
        guest.more("Download the metrics (CSV)")
    assert download.value.path().read_text().startswith("step,")


def test_a_download_that_breaks_off_is_said_on_the_page(visit, list_runs):
    def cut(request):
        request.send_response(200)
        request.send_header("Content-Length", "1000")
        request.end_headers()
        request.wfile.write(b"PK")
        request.close_connection = True

    me = visit()
    list_runs(me, {})
    with serving(cut) as url:
        me.page.route(re.compile("archive.zip"), lambda route: route.continue_(url=url))
        me.more("Download all of it (zip)")
        assert said(me, "#runs .live-message", "The download failed. The server broke off in the middle of the file.")
    with me.page.expect_download() as download:
        me.more("Download the metrics (CSV)")
    assert download.value.suggested_filename.endswith(".csv")
    assert download.value.path().read_text().startswith("step,")
    me.page.wait_for_function("document.querySelector('#runs .live-message').textContent === ''")
    forget_refusals(me)


def refuse_function(page, name):
    """Has a server in front answer one of the app's functions, and let all others through."""

    def answer(route):
        if route.request.post_data_json["fn_name"] == name:
            route.fulfill(status=502, body=PAGE, content_type="text/html")
        else:
            route.continue_()

    page.route(FUNCTIONS, answer)


def test_one_question_that_fails_is_said_in_its_place_and_asked_again(visit, server, give):
    me = visit()
    page = me.page
    [run] = give(me, {"epochs": 10, "latent_dim": 3})
    lengthen(server, run, 20_000, lambda step: -200.0 - step % 7)
    refuse_function(page, "window")
    reload(me, 300)
    page.evaluate(f"Plotly.relayout({PLOT}, {{ 'xaxis.range': [4000, 4050] }})")
    assert said(me, "#train-curves", STATUSES[502])
    page.unroute_all()
    page.wait_for_function(f"{PLOT}.data[0].x.filter((x) => x >= 4000 && x <= 4050).length === 51")
    assert STATUSES[502] not in page.inner_text("#train-curves")
    refuse_function(page, "history")
    me.tab("ELBO")
    for chart in ("#kl-history", "#kl-bars"):
        assert said(me, chart, STATUSES[502])
    page.unroute_all()
    page.wait_for_function("document.querySelector('#kl-history .live').data[0].z?.length === 3")
    assert STATUSES[502] not in page.inner_text("#kl-history") + page.inner_text("#kl-bars")
    forget_refusals(me)


def test_a_batch_and_a_picture_that_do_not_come_are_said_and_asked_again(visit):
    me = visit()
    page = me.page
    me.train(Epochs=3000)
    me.wait_for_weights()
    page.click("#pause")
    me.wait_for_state("paused")
    refuse_function(page, "batch")
    refuse(page, r"newest\.jpg", 502)
    page.click("#step")
    assert said(me, "#batch", STATUSES[502])
    assert said(me, "#pictures", STATUSES[502])
    page.unroute_all()
    page.locator("#batch .live-batch-images figure").first.wait_for()
    page.wait_for_selector("#pictures .live:not(.live-waiting) .live-message[hidden]", state="attached")
    assert STATUSES[502] not in page.inner_text("#batch")
    page.route(re.compile(r"newest\.jpg"), lambda route: route.fulfill(body="none", content_type="image/jpeg"))
    page.click("#step")
    assert said(me, "#pictures", "The pictures did not come. Its file is damaged.")
    page.click("#stop")
    me.wait_for_state("stopped")
    forget_refusals(me)


def forget_refusals(me):
    """Drops what the browser itself wrote of requests that the test had refused."""
    me.errors[:] = [error for error in me.errors if "Failed to load resource" not in error]


@pytest.mark.parametrize(
    ("status", "why"), [(403, STATUSES[403]), (200, STATUSES[200]), (None, "The server does not answer.")]
)
def test_without_the_charts_library_every_chart_says_so(browser, server, status, why):
    context = browser.new_context()
    page = context.new_page()
    if status is None:
        page.route(re.compile("plotly"), lambda route: route.abort())
    else:
        refuse(page, "plotly", status)
    page.goto(server.url)
    text = f"The charts' library could not be loaded. {why}"
    charts = {"Train": ["#train-curves"], "ELBO": ["#elbo-curves", "#kl-bars", "#kl-history"]}
    for tab, parts in (charts | {"Latents": ["#latents-plane"]}).items():
        page.get_by_role("tab", name=tab, exact=True).click()
        for part in parts:
            page.locator(part, has_text=text).first.wait_for()
            assert page.locator(f"{part} .main-svg").count() == 0  # and there is no chart beside the words
    context.close()


def test_without_the_charts_library_the_comparison_says_so(visit, list_runs):
    me = visit()
    list_runs(me, {})
    me.page.route(re.compile("plotly"), lambda route: route.abort())
    me.page.goto(f"{me.url}?tab=runs")
    me.page.get_by_label("Compare this run").check()
    assert said(me, "#compare", "The charts' library could not be loaded. The server does not answer.")
    me.page.unroute_all()
    me.errors.clear()


@pytest.mark.parametrize("status", [401, 413, 502, 503])
def test_what_gradio_asks_is_said_in_the_same_words(guest, status):
    guest.choose("Data", "digits")
    refuse(guest.page, "gradio_api/(queue/join|run/)", status)
    guest.page.click("#train")
    text = re.compile(rf"\({status}\)") if status != 401 else STATUSES[401]
    guest.page.locator(".toast-body", has_text=text).first.wait_for()
    assert "JSON" not in guest.page.locator(".toast-body").first.inner_text()


@pytest.mark.parametrize(
    ("what", "why"), [("draw/pad.js", STATUSES[403]), ("live/.*js", "The server answered with status 403.")]
)
def test_a_part_that_cannot_be_loaded_says_why(browser, server, what, why):
    context = browser.new_context()
    page = context.new_page()
    refuse(page, what, 403)
    page.goto(f"{server.url}?tab=draw")
    said_so = page.locator("#draw .live", has_text="This part could not be shown: reload the page.")
    said_so.wait_for(state="attached")
    assert why in said_so.inner_text()
    context.close()


def test_a_proxy_may_take_the_prefix_off(browser, tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_ROOT_PATH", "/vae")
    port = free_port()
    server = start(tmp_path, port=port)
    with serving(in_front_of(port, "/vae")) as url:
        me = Visitor(browser.new_context(), f"{url}/vae/")
        me.page.wait_for_selector("#train-curves .main-svg")
        me.train(Epochs=1)
        me.wait_for_state("finished")
        me.page.wait_for_selector("#pictures .live[data-version]:not(.live-waiting)")
        me.tab("Draw")
        me.page.get_by_label("Start from a 4").click()
        me.page.wait_for_function("document.querySelector('#draw .live-terms output')?.textContent.match(/[0-9]/)")
        me.page.locator("#draw th span[data-term=elbo]").click()
        me.page.wait_for_selector(".live-explained .katex-html")
        assert shown_icon(me.page) == ICON
        assert me.errors == [] and not [u for u in me.requests if not u.startswith((url, "data:", "blob:"))]
        me.context.close()
    stop(server)


@pytest.fixture(scope="module")
def locked(tmp_path_factory):
    """The app, which asks for a name and a password."""
    server = start(tmp_path_factory.mktemp("locked"), "--auth", "class:secret")
    yield server
    stop(server)


def log_in(page):
    page.get_by_label("username").fill("class")
    page.get_by_label("password").fill("secret")
    page.get_by_role("button", name="Login").click()


def test_a_login_that_a_frame_does_not_keep_has_a_way_out(browser, locked):
    inside = locked.url.replace("127.0.0.1", "vae.test").rstrip("/") + "/?tab=draw"  # of another site than its frame

    def course(request):
        request.send_response(200)
        request.end_headers()
        request.wfile.write(f"<iframe src='{inside}' width=900 height=700></iframe>".encode())

    with serving(course) as url:
        context = browser.new_context()
        page = context.new_page()
        page.goto(url)
        frame = page.frame_locator("iframe")
        link = frame.get_by_role("link", name="open the app in a window of its own")
        link.wait_for()
        with page.expect_event("framenavigated"):
            log_in(frame)
        link.wait_for()  # the login is empty again, and has a way out
        with context.expect_page() as opened:
            link.click()
        log_in(opened.value)
        opened.value.wait_for_selector("[role=tab][aria-selected=true]")
        assert opened.value.url == inside
        context.close()


def test_the_page_and_its_login_have_an_icon(guest, browser, locked):
    context = browser.new_context()
    page = context.new_page()
    page.goto(locked.url)
    for shown, url in ((guest.page, guest.url), (page, locked.url)):
        assert shown_icon(shown) == ICON
        answer = context.request.get(f"{url.rstrip('/')}/favicon.ico")
        assert answer.body() == ICON and answer.headers["content-type"].startswith("image/svg+xml")
    context.close()


def test_a_login_where_cookies_are_blocked_says_so(browser, locked):
    context = browser.new_context()
    context.add_init_script("Object.defineProperty(Document.prototype, 'cookie', { get: () => '', set() {} })")
    page = context.new_page()
    page.goto(locked.url)
    page.locator("text=This browser keeps no login: allow cookies for this site.").wait_for()
    assert page.locator(".auth img").count() == 0 and page.get_by_role("button", name="Login").is_visible()
    context.close()


def test_an_ordinary_login_has_no_words_about_cookies_but_about_a_server_in_front(browser, locked):
    context = browser.new_context()
    page = context.new_page()
    with page.expect_response(re.compile("page/login.js")):
        page.goto(locked.url)
    page.wait_for_function("!document.querySelector('.auth img')")
    assert page.inner_text(".auth") == "" and page.evaluate("document.cookie") == ""
    refuse(page, "login$", 502)
    log_in(page)
    page.locator(".auth", has_text=STATUSES[502]).wait_for()
    page.unroute_all()
    page.route(re.compile("login$"), lambda route: route.abort())
    log_in(page)
    page.locator(".auth", has_text="The server does not answer.").wait_for()
    page.unroute_all()
    log_in(page)
    page.wait_for_selector("[role=tab][aria-selected=true]")
    context.close()
