"""Figures name the columns that they are to be filled with."""

import pytest

from ui.backend import _columns
from vae_core.figures import kl_bars, training_curves


@pytest.mark.parametrize("quantities", [("elbo",), ("elbo", "reconstruction", "kl")])
def test_every_curve_names_a_column_of_the_records(quantities):
    figure = training_curves(quantities)
    names = [trace.meta for trace in figure.data]
    assert names == [f"{part}_{name}" for name in quantities for part in ("train", "test")]
    assert set(names) <= set(_columns([]))
    assert len({trace.name for trace in figure.data}) == len(names)


def test_figures_leave_light_and_dark_to_the_page():
    for figure in (training_curves(), kl_bars()):
        assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == "rgba(0,0,0,0)"
        assert figure.layout.font.color is None
