"""What tests of the cards with a plane share: the numbers and the q on the screen, and what torch makes of them."""

import base64
import json

import torch

from vae_core import load_checkpoint
from vae_core.densities import DiagonalGaussian
from vae_core.evaluation.noise import common_noise
from vae_core.objective import elbo_of

from ..conftest import ROOT

IMAGE = """() => {
    const canvas = document.querySelector("#theory-card .live-in-hand");
    const { data } = canvas.getContext("2d").getImageData(0, 0, 28, 28);
    return Array.from({ length: 784 }, (_, i) => data[4 * i] / 255);
}"""


def shipped(name="mnist-mlp-2d"):
    """A model of the repository."""
    return load_checkpoint(ROOT / "checkpoints" / f"{name}.safetensors")


def shown(me, name):
    """A number of the card that is shown; None as long as it is not known."""
    text = me.page.locator(f"#theory-card [data-value={name}]").first.text_content().replace("−", "-")
    return float(text) if text.strip("–") else None


def known(me, *names):
    """Waits until the card has these numbers."""
    for name in names:
        me.page.wait_for_function(
            "(name) => /\\d/.test(document.querySelector(`#theory-card [data-value=${name}]`)?.textContent)", arg=name
        )


def settled(me, names=("elbo", "gap")):
    """Waits until these numbers have not changed for half a second: the fine rules have answered, too."""
    script = """async (names) => {
        const text = () => names.map((name) => document.querySelector(`#theory-card [data-value=${name}]`).textContent);
        for (let last = "", since = performance.now(); performance.now() - since < 1500; ) {
            if (`${text()}` !== last) [last, since] = [`${text()}`, performance.now()];
            await new Promise(requestAnimationFrame);
        }
    }"""
    me.page.evaluate(script, list(names))


def image(me):
    """The image in hand: (1, 1, 28, 28) in [0, 1]."""
    return torch.tensor(me.page.evaluate(IMAGE), dtype=torch.float32).reshape(1, 1, 28, 28)


def held(me):
    """The q that is shown."""
    q = json.loads(me.page.locator("#theory-card .live-plane[data-q]").get_attribute("data-q"))
    return DiagonalGaussian(torch.tensor([q["mu"]]), 2 * torch.tensor([q["std"]]).log())


def worth(model, x, q, draws=4096):
    """The terms of q from many matched draws: the error of the ELBO is some thousandths of a nat."""
    with torch.inference_mode():
        return elbo_of(model, x, q, common_noise(2, draws, seed=3))


def drag(me, selector, dx, dy, steps=4):
    """Drags a handle by so many pixels."""
    box = me.page.locator(f"#theory-card {selector}").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    me.page.mouse.move(x, y)
    me.page.mouse.down()
    me.page.mouse.move(x + dx, y + dy, steps=steps)
    me.page.mouse.up()


def text_of(image):
    """An image as base64 of its bytes."""
    return base64.b64encode(bytes((255 * image).round().int().flatten().tolist())).decode()
