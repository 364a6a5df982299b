"""The decoder in JavaScript, run by Chromium, against torch."""

import base64

import pytest
import torch
from torch import nn

from vae_core import VAE, VAEConfig, load_checkpoint
from vae_core.config import ARCHITECTURES, LIKELIHOODS
from vae_core.model import Residual
from vae_core.storage.portable import portable_decoder

from ..conftest import ROOT, seeded

pytestmark = pytest.mark.browser

DECODE = """async ([file, points]) => {
    const { readDecoder } = await import(location.origin + "/live/shared/decoder.js");
    const { base64, bytes } = await import(location.origin + "/live/shared/page.js");
    const decoder = readDecoder(bytes(file).buffer);
    const all = new Float32Array(784 * points.length);
    points.forEach((z, n) => all.set(decoder.decode(Float32Array.from(z)), 784 * n));
    const raw = new Uint8Array(all.buffer);
    let text = "";
    for (let i = 0; i < raw.length; i += 30000) text += base64(raw.subarray(i, i + 30000));
    return text;
}"""


def decoded(page, model, z):
    """E[x|z] as the browser computes it: (N, 784)."""
    file = base64.b64encode(portable_decoder(model)).decode()
    answer = page.evaluate(DECODE, [file, z.tolist()])
    return torch.frombuffer(bytearray(base64.b64decode(answer)), dtype=torch.float32).reshape(-1, 784)


@pytest.fixture(scope="module")
def page(browser, server):
    """A page of the app's origin, with nothing but its modules."""
    page = browser.new_page()
    page.goto(f"{server.url}/live/shared/decoder.js")
    yield page
    page.close()


def rounded(model):
    """The model with the weights that float16 holds."""
    model.load_state_dict({name: weight.half().float() for name, weight in model.state_dict().items()})
    return model


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_every_decoder_gives_what_torch_gives(page, architecture, likelihood):
    config = VAEConfig(architecture=architecture, latent_dim=5, hidden_dim=33, likelihood=likelihood)
    model = rounded(VAE(config, seeded()))
    with torch.no_grad():
        for weight in model.decoder.parameters():
            weight.mul_(2)  # so that the pixels differ, and float16 holds it
    z = torch.randn(20, 5, generator=seeded(1))
    with torch.inference_mode():
        wanted = model.x_hat(z).flatten(1)
    assert wanted.std(0).max() > 0.01
    assert (decoded(page, model, z) - wanted).abs().max() < 2e-5 * max(1.0, float(wanted.abs().max()) / 2)


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv2d(3, 2, 3, padding=1), nn.Conv2d(3, 2, 3), nn.Conv2d(3, 2, 5, stride=2, padding=2),
        nn.Conv2d(3, 2, 3, stride=2, padding=1), nn.ConvTranspose2d(3, 2, 4, stride=2, padding=1),
        nn.ConvTranspose2d(3, 2, 2, stride=2), nn.ConvTranspose2d(3, 2, 3, padding=1),
        nn.ConvTranspose2d(3, 2, 6, stride=2, padding=2), nn.ConvTranspose2d(3, 2, 8, stride=4, padding=2),
        nn.ConvTranspose2d(3, 2, 3, stride=3),
        Residual(nn.SiLU(), nn.Conv2d(3, 3, 1), Residual(nn.ReLU(), nn.Conv2d(3, 3, 3, padding=1))),
    ],
    ids=str,
)  # fmt: skip
def test_every_layer_gives_what_torch_gives(page, layer):
    side = nn.Linear(4, 3 * 7 * 6)
    with torch.no_grad():
        out = layer(torch.zeros(1, 3, 7, 6)).numel()
    model = VAE(VAEConfig(latent_dim=4, likelihood="gaussian"), seeded())
    model.decoder = nn.Sequential(side, nn.Unflatten(1, (3, 7, 6)), layer, nn.Flatten(), nn.Linear(out, 784))
    model._initialize(model.decoder, seeded(3))
    layers = [part for part in model.decoder if not isinstance(part, nn.Flatten)]
    z = torch.randn(5, 4, generator=seeded(1))
    wanted = rounded(model).decode(z).flatten(1).detach()
    model.decoder = nn.Sequential(*layers)  # the browser's arrays are flat already
    assert (decoded(page, model, z) - wanted).abs().max() < 1e-5


@pytest.mark.parametrize("path", sorted((ROOT / "checkpoints").glob("*.safetensors")), ids=lambda path: path.stem)
def test_a_shipped_decoder_is_right_to_a_grey_level(page, path):
    model = load_checkpoint(path)
    config = model.config
    z = config.prior_mean + config.prior_std * torch.randn(1000, config.latent_dim, generator=seeded())
    with torch.inference_mode():
        wanted = model.x_hat(z).flatten(1)
    assert (decoded(page, model, z) - wanted).abs().max() <= 1 / 255
