"""The ELBO tab: −ELBO = reconstruction + KL over the training, and the KL of each latent dimension."""

from __future__ import annotations

import gradio as gr

from .. import live
from ..figures import kl_bars, kl_history, training_curves
from ..vocabulary import ASLEEP

EXPLANATION = """
**−<span data-term="elbo">ELBO</span> = −<span data-term="reconstruction">reconstruction</span> +
<span data-term="kl">KL</span>**, in <span data-term="nat">nats</span> per image, with the KL at weight 1 whatever
<span data-term="beta">β</span> is trained with. *<span data-term="held_out">Held-out</span>* curves are of images that
the run does not train on.

<details><summary>More about these curves</summary>

Held-out images are the test images, or training images that the run holds out. The curves show the ELBO also where the
<span data-term="importance_weighted">importance-weighted bound</span> is trained, which is larger. Held-out curves are
of the <span data-term="average">averaged weights</span> where training averages them; *training* curves are of the
weights of each step. Click a curve's name to hide or show it; drag to zoom, double-click to zoom out, and once more to
see the steep first steps too.

</details>
"""


def build() -> None:
    """Lays out the tab; its charts follow the page's run on their own."""
    live.component("train/recorded", None, elem_id="recorded")
    _text(EXPLANATION)
    live.component("charts/curves", training_curves().to_plotly_json(), elem_id="elbo-curves")
    _text(
        "**<span data-term='kl'>KL</span> per latent dimension** of the training images, newest or at any moment of "
        f"the training: a dimension below {ASLEEP} nats is unused."
    )
    live.component("train/film", None, elem_id="film")
    live.component("charts/bars", kl_bars().to_plotly_json(), elem_id="kl-bars")
    _text(
        "**The same over the whole training**, and above it the <span data-term='used'>active units</span>: dimensions "
        "in which the mean of q(z|x) has a variance of more than 0.01 over the held-out images."
    )
    live.component("charts/heat", kl_history().to_plotly_json(), elem_id="kl-history")


def _text(markdown: str) -> None:
    """A text of the page's own with words of the glossary, whose data-term a cleaned text would lose."""
    gr.Markdown(markdown, sanitize_html=False)
