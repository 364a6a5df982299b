"""Servers with data as people bring them: many labels, damaged files, and a mirror that says nothing."""

import socket
import time
from contextlib import contextmanager

import pytest
import torch

from ..mnist import CONTENT, grey, idx, labels, put
from .conftest import Visitor, start, stop

pytestmark = pytest.mark.browser

POINT = 'async () => [...(await import(location.origin + "/live/space/point.js")).point.z]'
PLOT = "document.querySelector('.live-map-plot')"


@pytest.fixture
def visiting(browser, tmp_path):
    """Starts a server whose data folder has these files, for one visitor, who may meet no error."""

    @contextmanager
    def visit(content, link=""):
        put(tmp_path / "data", content)
        server = start(tmp_path)
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        me = Visitor(context, server.url, link)
        yield me
        context.close()
        stop(server)
        assert me.errors == [] and "Traceback" not in "".join(server.lines)

    return visit


def header(me):
    return me.page.inner_text(".page-footer")


def test_62_labels_have_colours_a_legend_means_and_neighbours(visiting):
    kaggle = {name.replace("-idx", ".idx"): content for name, content in CONTENT.items()}
    sorted_labels = labels(620, kinds=62).sort().values
    test = {"t10k-images.idx3-ubyte": idx(grey(620)), "t10k-labels.idx1-ubyte": idx(sorted_labels)}
    with visiting(kaggle | test, "?tab=latents") as me:
        assert "trains on MNIST, found on this server" in header(me)
        me.page.wait_for_function(f"{PLOT}?.data?.length === 62", timeout=60_000)
        traces = me.page.evaluate(f"{PLOT}.data.map((it) => [it.name, it.x.length, it.marker.color])")
        assert [name for name, _, _ in traces] == [str(label) for label in range(62)]
        assert {count for _, count, _ in traces} == {10} and len({colour for *_, colour in traces}) == 62
        assert me.page.locator(".live-map-plot .legend .traces").count() == 62
        height, whole = me.page.evaluate(f"[{PLOT}._fullLayout.yaxis._length, {PLOT}.clientHeight]")
        assert height > 0.6 * whole  # the legend leaves room for the plane
        before = torch.tensor(me.page.evaluate(POINT))
        me.page.get_by_role("tab", name="Arithmetic", exact=True).click()
        me.page.get_by_label("Plus", exact=True).select_option("61")
        me.page.get_by_label("Minus", exact=True).select_option("10")
        me.page.get_by_label("Strength").fill("1")
        moved = "async (before) => (await import('/live/space/point.js')).point.z.some((z, j) => z !== before[j])"
        me.page.wait_for_function(moved, arg=before.tolist())
        me.page.get_by_role("tab", name="Prior", exact=True).click()
        me.page.get_by_label("nearest training images").check()
        me.page.wait_for_selector(".live-grid[data-labels]")
        assert len(me.page.locator(".live-grid[data-labels]").get_attribute("data-labels").split()) == 64
        me.tab("Draw")
        me.page.wait_for_function("document.querySelectorAll('.live-examples button').length === 62")
        me.page.locator(".live-examples button").last.click()
        me.page.wait_for_function("document.querySelector('#draw .live-terms output')?.textContent.match(/[0-9]/)")


def test_shipped_models_go_on_where_mnist_is_damaged_and_the_header_names_the_file(visiting):
    with visiting(CONTENT | {"t10k-images-idx3-ubyte": idx(grey(10, side=32))}, "?tab=latents") as me:
        assert (
            "trains on the digits of scikit-learn: MNIST cannot be used: t10k-images-idx3-ubyte holds uint8 of "
            "10×32×32; uint8 of N×28×28 is wanted" in header(me)
        )
        me.page.wait_for_selector("text=297 test images of digits at the mean", timeout=60_000)
        me.tab("Draw")
        me.page.wait_for_selector("text=Or start from a test digit (digits)")
        me.draw((0.3, 0.25), (0.7, 0.25), (0.5, 0.55), (0.42, 0.85))
        me.page.wait_for_function("document.querySelector('#draw .live-terms output')?.textContent.match(/[0-9]/)")
        me.tab("Train")
        me.choose("Data", "MNIST")
        me.page.click("#train")
        me.page.wait_for_selector("text=MNIST cannot be used: t10k-images-idx3-ubyte holds uint8 of 10×32×32")


def test_stop_frees_the_form_within_three_seconds_though_the_mirror_is_silent(visiting, monkeypatch):
    with socket.socket() as mute:  # connections come about, and then nothing comes
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{mute.getsockname()[1]}")
        with visiting({}) as me:
            me.choose("Data", "MNIST")
            me.page.click("#train")
            me.wait_for_state("loading")
            me.page.wait_for_selector("#train[disabled]", state="attached")
            begun = time.monotonic()
            me.page.click("#stop")
            me.page.wait_for_selector("#train:not([disabled])")
            assert time.monotonic() - begun < 3
            me.train(Epochs=1)
            me.wait_for_state("finished")
