"""The ELBO tab: −ELBO = reconstruction + KL over the training, and the KL of each latent dimension."""

from __future__ import annotations

import gradio as gr

from .. import live
from ..figures import kl_bars, kl_history, training_curves
from ..vocabulary import ASLEEP

EXPLANATION = """
**−ELBO = −reconstruction + KL**, in nats per image, with the KL at weight 1 whatever β is trained with.
*Held-out* curves are of images that the run does not train on: the test images, or training images that it holds out.
They show the ELBO also where the importance-weighted bound is trained, which is larger, and are of the averaged weights
where training averages them; the *training* curves are of the weights of each step. Click a curve's name to hide or
show it; drag to zoom, double-click to zoom out, and once more to see the steep first steps too.
"""


def build() -> None:
    """Lays out the tab; its charts follow the page's run on their own."""
    gr.Markdown(EXPLANATION)
    live.component("charts/curves", training_curves().to_plotly_json(), elem_id="elbo-curves")
    gr.Markdown(
        "**KL per latent dimension** of the training images, newest or at any moment of the training: "
        f"a dimension below {ASLEEP} nats is asleep, it carries nothing."
    )
    live.component("train/film", None, elem_id="film")
    live.component("charts/bars", kl_bars().to_plotly_json(), elem_id="kl-bars")
    gr.Markdown(
        "**The same over the whole training**, and above it the active units: dimensions in which the mean of "
        "q(z|x) has a variance of more than 0.01 over the held-out images."
    )
    live.component("charts/heat", kl_history().to_plotly_json(), elem_id="kl-history")
