"""Plotly figures. Colours of text and grid are left to the page, which knows whether it is light or dark."""

from __future__ import annotations

import plotly.graph_objects as go

from vae_core.training.loop import WATCHED, WATCHED_DRAWS

from .vocabulary import COLOURS, TITLES, WATCHED_COLOURS

SMALLEST = 14  # px, of a text


def training_curves(quantities: tuple[str, ...] = ("elbo", "reconstruction", "kl")) -> go.Figure:
    """Empty curves over the steps, to be extended: for each quantity, one on training and one on held-out images.

    The traces are in the order train, test, train, test, ..., and meta names the column that each one shows.
    """
    figure = go.Figure()
    for quantity in quantities:
        title = TITLES[quantity]
        colour = COLOURS[quantity]
        figure.add_scatter(
            x=[], y=[], name=f"{title}, training", mode="lines", meta=f"train_{quantity}",
            line={"color": colour, "width": 1.5}, opacity=0.75, hovertemplate="%{y:.2f}",
        )  # fmt: skip
        figure.add_scatter(
            x=[], y=[], name=f"{title}, held-out", mode="lines+markers", meta=f"test_{quantity}",
            line={"color": colour, "width": 2}, marker={"size": 6}, hovertemplate="%{y:.2f}",
        )  # fmt: skip
    _add_watched(figure)
    figure.update_layout(
        hovermode="x unified", showlegend=True, legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"}
    )
    figure.update_xaxes(title="step", rangemode="tozero")
    figure.update_yaxes(title="nats per image", rangemode="tozero" if "kl" in quantities else "normal")
    return _plain(figure)


def _add_watched(figure: go.Figure) -> None:
    """The watched images' −log p(x), and above it the gap up to their −ELBO, as an area (T14)."""
    gap, evidence = WATCHED_COLOURS["gap"], WATCHED_COLOURS["evidence"]
    images = f"{WATCHED} held-out images"
    figure.add_scatter(
        x=[], y=[], name=f"−log p(x) ≤, {images}, K = {WATCHED_DRAWS}", mode="lines+markers", meta="watched_log_px",
        showlegend=False,
        line={"color": evidence, "width": 2}, marker={"size": 6}, hovertemplate="%{y:.2f}",
    )  # fmt: skip
    figure.add_scatter(
        x=[], y=[], name="gap to their −ELBO", mode="lines", meta="watched_elbo", fill="tonexty", showlegend=False,
        fillcolor=_faint(gap), line={"color": gap, "width": 1, "dash": "dot"}, hovertemplate="%{y:.2f}",
    )  # fmt: skip
    figure.add_scatter(
        x=[], y=[], name="−log p(x), exact", mode="markers", meta="watched_exact", showlegend=False,
        marker={"size": 9, "symbol": "diamond", "color": evidence}, line={"color": evidence},
        hovertemplate="%{y:.2f}",
    )  # fmt: skip


def _faint(colour: str) -> str:
    """A colour such as #d55e00, of which a quarter shows."""
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return f"rgba({red},{green},{blue},0.25)"


def training_terms() -> go.Figure:
    """−reconstruction and KL as areas that add up to −ELBO on training images, and −ELBO on both sets of images."""
    figure = go.Figure()
    for quantity in ("reconstruction", "kl"):
        figure.add_scatter(
            x=[], y=[], name=TITLES[quantity], mode="lines", meta=f"train_{quantity}", stackgroup="loss",
            line={"color": COLOURS[quantity], "width": 1.5}, hovertemplate="%{y:.2f}",
        )  # fmt: skip
    figure.add_scatter(
        x=[], y=[], name=f"= {TITLES['elbo']}, training", mode="lines", meta="train_elbo",
        line={"color": COLOURS["elbo"], "width": 1}, hovertemplate="%{y:.2f}",
    )  # fmt: skip
    figure.add_scatter(
        x=[], y=[], name=f"{TITLES['elbo']}, held-out", mode="lines+markers", meta="test_elbo",
        line={"color": COLOURS["elbo"], "width": 2}, marker={"size": 8}, hovertemplate="%{y:.2f}",
    )  # fmt: skip
    _add_watched(figure)
    figure.update_layout(
        hovermode="x unified", showlegend=True, legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"}
    )
    figure.update_xaxes(title="step", rangemode="tozero")
    figure.update_yaxes(title="loss, nats per image")
    return _plain(figure)


BAR = "z%{x}: %{y:.3f} nats<extra></extra>"


def kl_bars() -> go.Figure:
    """An empty bar chart of KL per latent dimension, to be filled."""
    figure = go.Figure(go.Bar(x=[], y=[], marker={"color": COLOURS["kl"]}, hovertemplate=BAR))
    figure.update_layout(bargap=0.25, showlegend=False, hovermode="x", dragmode=False)  # a press leads to its slider
    figure.update_xaxes(title="latent dimension", type="category", showgrid=False, zeroline=False, tickangle=0)
    figure.update_yaxes(title="nats per image", rangemode="tozero")
    figure.update_xaxes(fixedrange=True).update_yaxes(fixedrange=True)
    return _plain(figure)


def comparison() -> go.Figure:
    """An empty chart with one curve per run, to be filled."""
    figure = go.Figure()
    legend = {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "maxheight": 0.9}
    figure.update_layout(hovermode="x", showlegend=True, legend=legend, font={"size": SMALLEST})
    figure.update_xaxes(title="step", rangemode="nonnegative")
    figure.update_yaxes(title="nats per image")
    return _plain(figure)


def rate_distortion() -> go.Figure:
    """An empty rate–distortion plane, one point per run at (KL, −reconstruction); lines of equal ELBO are added there.

    Source: Alemi et al. (2018), "Fixing a broken ELBO".
    """
    figure = go.Figure()
    figure.update_layout(showlegend=False, hovermode="closest", font={"size": SMALLEST})
    figure.update_xaxes(title="rate: KL, nats per image", rangemode="tozero")
    figure.update_yaxes(title="distortion: −reconstruction, nats per image")
    return _plain(figure)


def kl_history() -> go.Figure:
    """An empty heat map of every latent dimension's KL over the steps, with the number of active units above it."""
    figure = go.Figure()
    figure.add_heatmap(
        x=[], y=[], z=[], colorscale="Viridis", zmin=0,
        hovertemplate="step %{x}, z%{y}: %{z:.3f} nats<extra></extra>",
        colorbar={"title": {"text": "nats"}, "thickness": 12, "len": 0.74, "y": 0, "yanchor": "bottom"},
    )  # fmt: skip
    figure.add_scatter(
        x=[], y=[], yaxis="y2", mode="lines", line={"color": COLOURS["elbo"], "width": 2, "shape": "hv"},
        name="active units", hovertemplate="%{y} active units<extra></extra>",
    )  # fmt: skip
    figure.update_layout(
        showlegend=False,
        yaxis={"domain": [0, 0.74], "title": "latent dimension", "autorange": "reversed"},
        yaxis2={"domain": [0.84, 1], "title": "active", "anchor": "x", "fixedrange": True, "zeroline": False},
    )
    figure.update_xaxes(title="step", showgrid=False)
    return _plain(figure)


def _plain(figure: go.Figure) -> go.Figure:
    """Removes plotly's template and background, which are up to the page."""
    figure.update_xaxes(separatethousands=True, exponentformat="none")
    figure.update_yaxes(separatethousands=True, exponentformat="none", automargin=True, title_standoff=8)
    return figure.update_layout(
        template="none", paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)",
        margin={"l": 56, "r": 12, "t": 16, "b": 44}, uirevision="kept", hoverlabel={"namelength": -1},
    )  # fmt: skip
