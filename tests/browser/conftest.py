"""The app in a process of its own and a real Chromium, which is required where VAE_REQUIRE_BROWSER is set."""

import functools
import math
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, sync_playwright

from vae_core import TrainConfig, save_checkpoint
from vae_core.cli import main
from vae_core.runs.config import RunConfig
from vae_core.runs.folder import RunFolder

from ..conftest import ROOT

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP vae.test 127.0.0.1",  # a second site, which is the same machine
]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def script(name: str) -> str:
    """The text of a script in this folder, to be run in the page."""
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


QUESTIONS = script("questions.js")

RECORDED = "20000101-000000-0000000000000001"  # the id of the recorded training
MODEL = "mnist-mlp-20d"  # of a visitor who names no other one

# As if the drawing had been cleared; nothing where nothing can be stored.
CLEARED = """try {
    sessionStorage.getItem("vae-drawing") ?? sessionStorage.setItem("vae-drawing", "null");
} catch {}"""

# The exact posteriors of images by a decoder's file, and the ms that they and the worker's preparation take.
EXACT = script("exact.js")


@dataclass
class Server:
    """The app as a process: its address, and what it printed."""

    process: subprocess.Popen
    runs: Path
    url: str = ""
    lines: list[str] = field(default_factory=list)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(folder: Path, *options: str, port: int = 0) -> Server:
    """Starts the app on that port, or a free one, with folders of the test's own, and waits until it serves."""
    port = port or free_port()
    command = [sys.executable, "app.py", "--port", port, "--device", "cpu", "--data-dir", folder / "data"]
    process = subprocess.Popen(
        [*map(str, command), "--runs-dir", str(folder / "runs"), *options],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    server = Server(process, folder / "runs")
    for line in process.stdout:
        server.lines.append(line)
        if found := re.search(r"http://\S+", line):
            server.url = found[0]
            break
    assert server.url, "".join(server.lines)
    threading.Thread(target=lambda: server.lines.extend(process.stdout), daemon=True).start()
    return server


def stop(server: Server) -> None:
    """Ends the app, as a server is shut down."""
    server.process.terminate()
    assert server.process.wait(30) is not None


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One app for all browser tests, without MNIST; it must print no traceback."""
    server = start(tmp_path_factory.mktemp("app"), "--max-trainings", "2")
    yield server
    stop(server)
    assert "Traceback" not in "".join(server.lines), "".join(server.lines)


@pytest.fixture(scope="session")
def run_of(server: Server):
    """Puts a model among the server's runs, and gives the run's id."""

    def put(model, kl, number):
        run = f"20260101-00000{number}-{secrets.token_hex(8)}"
        folder = RunFolder(server.runs / run)
        folder.create()
        folder.write_config(RunConfig(model.config, TrainConfig(), "digits", owner="somebody"))
        save_checkpoint(model, folder.model_file, {"data": "digits", "kl_per_dim": kl})
        folder.write_status("finished")
        return run

    return put


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        assert not os.environ.get("VAE_REQUIRE_BROWSER"), "VAE_REQUIRE_BROWSER is set, but there is no Chromium"
        pytest.skip("needs Chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


def until(page: Page, condition: Callable[[], object], seconds: float = 30) -> None:
    """Waits until a condition of the test's own holds; the page goes on meanwhile."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        page.wait_for_timeout(10)  # only here, between two looks: tests wait for what they can watch


class Hold:
    """Keeps requests of a page back until they are released; those that come later are not kept.

    Args:
        page: whose requests.
        address: a pattern of their addresses.
        function: the server's function that is asked; any if empty.
        most: requests that are kept; more of them go through.
    """

    def __init__(
        self, page: Page, address: str = "component_server", *, function: str = "", most: float = math.inf
    ) -> None:
        self.page, self.function, self.most = page, function, most
        self.routes: list[Route] = []
        self.is_over = False
        page.route(re.compile(address), self._take)

    def _take(self, route: Route) -> None:
        other = self.function and route.request.post_data_json["fn_name"] != self.function
        if self.is_over or other or len(self.routes) == self.most:
            route.continue_()
        else:
            self.routes.append(route)

    def wait(self) -> None:
        """Waits until there is one."""
        until(self.page, lambda: self.routes)

    def release(self) -> None:
        """Lets all of them go."""
        self.is_over = True
        for route in self.routes:
            route.continue_()


def _whole(link: str) -> str:
    """The link with a tab and a model, unless it is the bare address."""
    if link == "/":
        return link
    missing = [f"{name}={value}" for name, value in (("tab", "train"), ("model", MODEL)) if f"{name}=" not in link]
    return "&".join([link or "?", *missing]).replace("?&", "?")


class Visitor:
    """One person's browser: a context of its own, and what a person does and sees on the page."""

    def __init__(self, context: BrowserContext, url: str, link: str = "") -> None:
        """Opens a link; where it names no tab or model, Train and the model MODEL. The bare address if it is "/"."""
        self.context, self.url = context, url
        self.requests: list[str] = []
        self.errors: list[str] = []
        self.page = self.new_tab(link)

    def new_tab(self, link: str = "") -> Page:
        page = self.context.new_page()
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda message: message.type == "error" and self.errors.append(message.text))
        page.goto(self.url + _whole(link))
        page.wait_for_selector("[role=tab][aria-selected=true]")
        if "tab=" not in link and link != "/":
            page.wait_for_function("document.querySelector('#progress strong')?.textContent")
        return page

    def reload(self) -> None:
        """Reloads the page, and waits until it is on the tab that its address names."""
        self.page.reload()
        self.page.wait_for_function(
            "document.querySelector('[role=tab][aria-selected=true]')?.dataset.tabId"
            " === (new URLSearchParams(location.search).get('tab') ?? 'theory')"
        )

    def tab(self, name: str) -> None:
        self.page.get_by_role("tab", name=name, exact=True).click()

    def choose(self, label: str, option: str) -> None:
        self.page.get_by_label(label, exact=True).click()
        self.page.get_by_role("option", name=option, exact=True).first.click()

    def set(self, label: str, value: object) -> None:
        self.page.get_by_label(label, exact=True).fill(str(value))

    def form_is_ready(self) -> None:
        """Waits until the form keeps in the address what is set in it, and nothing else is on its way to it."""
        self.page.get_by_role("button", name="Copy link to this set-up").wait_for()
        self.settled()

    def unfold_training_details(self) -> None:
        """Opens this part of the form, and waits until its fields take what is typed."""
        self.form_is_ready()
        self.page.get_by_text("Training details", exact=True).click()
        self.page.locator("[aria-label='Seed']").wait_for()
        self.settled()

    def train(self, **settings: object) -> None:
        """Fills the form and presses Train: of digits, in batches of 128, of which an epoch has twelve."""
        self.choose("Data", "digits")
        for label, value in ({"Batch size": 128} | settings).items():
            self.set(label.replace("_", " "), value)
        self.page.click("#train")

    def curves(self, chart: str = "train-curves") -> dict[str, list[list[float]]]:
        """x and y of every curve as the chart itself holds them at one moment, by the column that it shows."""
        script = "(id) => document.querySelector(`#${id} .live-plot`).data.map((t) => [t.meta, [[...t.x], [...t.y]]])"
        return dict(self.page.evaluate(script, chart))

    def state(self) -> str:
        return self.page.locator("#progress .live").get_attribute("data-state")

    def wait_for_state(self, state: str, seconds: float = 60) -> None:
        self.page.wait_for_selector(f'#progress .live[data-state="{state}"]', timeout=seconds * 1000)

    def browser(self) -> str:
        """The id of this person's browser, which owns its runs."""
        return self.page.wait_for_function("window.session?.browser").json_value()

    def asked(self, name: str) -> list[dict]:
        """What the page has asked of a function of the server, the oldest first."""
        return self.page.evaluate("(name) => questions.filter((it) => it.fn_name === name).map((it) => it.data)", name)

    @contextmanager
    def answered(self, name: str, **data: object) -> Iterator[None]:
        """Waits until the page has dealt with the answer to a question that it asks within the block or later.

        Args:
            name: the function that is asked.
            data: what the question must hold.
        """
        before = self.page.evaluate("questions.length")
        yield
        script = """([before, name, data]) => {
            const holds = (it) => Object.entries(data).every(([key, value]) => it.data[key] === value);
            return questions.slice(before).some((it) => it.fn_name === name && !it.isOpen && holds(it));
        }"""
        self.page.wait_for_function(script, arg=[before, name, data])

    def frames(self, count: int = 2) -> None:
        """Waits for so many frames of the page: what an event sets off at once is done and drawn by then."""
        script = """async (count) => {
            for (let n = 0; n < count; n += 1) await new Promise(requestAnimationFrame);
        }"""
        self.page.evaluate(script, count)

    def settled(self) -> None:
        """Waits until the server owes the page no answer, and what came of the last one is drawn."""
        self.page.wait_for_function("questions.every((it) => !it.isOpen)")
        self.frames()

    def quiet(self, name: str) -> None:
        """Waits until the page asks a function nothing more: not even by a timer, the longest of which takes 250 ms.

        Timers fire in the order in which they are due, however slow the machine is: one of 300 ms that is set now comes
        after all of those.
        """
        script = """async (name) => {
            const ours = () => questions.filter((it) => it.fn_name === name);
            for (let count = -1; count !== ours().length || ours().some((it) => it.isOpen); ) {
                count = ours().length;
                await new Promise((done) => setTimeout(done, 300));
            }
        }"""
        self.page.evaluate(script, name)

    def fitted(self) -> None:
        """Waits until every chart in sight is as wide as its place."""
        self.page.wait_for_function("""[...document.querySelectorAll(".js-plotly-plot")].every((plot) =>
            !plot.offsetParent || Math.abs(plot._fullLayout.width - plot.clientWidth) <= 1)""")

    def wait_for_weights(self) -> None:
        """Waits, on the Train tab, until a run, which is no recording, has a model, and pictures of it."""
        recorded = f"[data-run='{RECORDED}']"
        self.page.wait_for_selector(f"#pictures .live[data-version][data-run]:not({recorded}):not(.live-waiting)")

    def more(self, item: str, row: int = 0) -> None:
        """Chooses from the menu of a row of the Runs tab."""
        line = self.page.locator("#runs tbody tr").nth(row)
        line.get_by_role("button", name="More for this run").click()
        line.get_by_role("menuitem", name=item, exact=True).click()

    def ink(self, selector: str) -> int:
        """The sum of the grey values of a canvas."""
        script = """(selector) => {
            const canvas = document.querySelector(selector);
            const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            return data.reduce((sum, value, i) => sum + (i % 4 === 0 ? value : 0), 0);
        }"""
        return self.page.evaluate(script, selector)

    def draw(self, *points: tuple[float, float]) -> None:
        """A stroke of the mouse through points in fractions of the pad."""
        box = self.page.locator("#draw .live-ink").bounding_box()
        places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
        self.page.mouse.move(*places[0])
        self.page.mouse.down()
        for place in places[1:]:
            self.page.mouse.move(*place, steps=6)
        self.page.mouse.up()

    def number(self, term: str) -> float:
        """A term of the Draw tab's table, in nats."""
        row = self.page.locator(f"#draw .live-terms tr[data-term={term}] output")
        return float(row.inner_text().replace("−", "-"))


@pytest.fixture
def visit(browser: Browser, server: Server):
    """Makes visitors; at the end none may have met an error, nor asked anybody but this server.

    A visitor's script runs in each of their documents before the page's own: it makes another browser of this one. The
    pad is empty, as if it had been cleared, unless a visitor is fresh.
    """
    visitors = []

    def new(link: str = "", *, script: str = "", fresh: bool = False, **options: object) -> Visitor:
        context = browser.new_context(**{"viewport": {"width": 1440, "height": 900}} | options)
        context.add_init_script(QUESTIONS)
        if not fresh:
            context.add_init_script(CLEARED)
        context.add_init_script(script)
        visitors.append(Visitor(context, server.url, link))
        return visitors[-1]

    yield new
    for visitor in visitors:
        visitor.context.close()
        assert visitor.errors == []
        foreign = [url for url in visitor.requests if not url.startswith((server.url, "data:", "blob:"))]
        assert foreign == []


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory):
    """Gives the folder of a finished training of digits with some settings; those of the same settings are one."""

    @functools.cache
    def train(**settings: object) -> Path:
        folder = tmp_path_factory.mktemp("trained") / "run"
        usual = {"data": "digits", "data_dir": "none", "device": "cpu", "batch_size": 128, "epochs": 2, "out": folder}
        options = [f"--{name.replace('_', '-')}={value}" for name, value in (usual | settings).items()]
        assert main(["train", *options]) == 0
        return folder

    return train


@pytest.fixture
def give(server: Server, trained):
    """Gives finished runs to a visitor's browser, the oldest first, and returns their ids.

    They are as if it had trained them; the page learns of them as of the runs of another window.
    """

    def put(visitor: Visitor, *settings: dict[str, object]) -> list[str]:
        begun = time.strftime("%Y%m%d-%H%M%S")
        runs = [f"{begun}-{n:04x}{secrets.token_hex(6)}" for n in range(len(settings))]
        for run, of_it in zip(runs, settings, strict=True):
            folder = RunFolder(server.runs / f"{run}.copied")
            shutil.copytree(trained(**of_it), folder.path)
            folder.write_config(replace(folder.read_config(), owner=visitor.browser()))
            folder.path.rename(server.runs / run)
        return runs

    return put


@pytest.fixture
def list_runs(give):
    """Gives runs to a visitor, and shows them in the Runs tab."""

    def show(visitor: Visitor, *settings: dict[str, object]) -> list[str]:
        runs = give(visitor, *settings)
        visitor.tab("Runs")
        rows = "document.querySelectorAll('#runs tbody tr')"
        visitor.page.wait_for_function(f"{rows}.length === {len(runs)}")
        return runs

    return show
