"""Figures name the columns that they are to be filled with."""

import pytest

from ui.figures import comparison, kl_bars, kl_history, rate_distortion, training_curves, training_terms
from vae_core.runs.records import COLUMNS


@pytest.mark.parametrize("quantities", [("elbo",), ("elbo", "reconstruction", "kl")])
def test_every_curve_names_a_column_of_the_records(quantities):
    figure = training_curves(quantities)
    names = [trace.meta for trace in figure.data]
    watched = ["watched_log_px", "watched_elbo", "watched_exact"]
    assert names == [f"{part}_{name}" for name in quantities for part in ("train", "test")] + watched
    assert set(names) <= set(COLUMNS)
    assert len({trace.name for trace in figure.data}) == len(names)


@pytest.mark.parametrize("figure", [training_curves(), training_terms()])
def test_the_gap_is_the_area_between_log_px_and_the_elbo_of_the_same_images(figure):
    at = [trace.meta for trace in figure.data].index("watched_elbo")
    assert figure.data[at].fill == "tonexty" and figure.data[at - 1].meta == "watched_log_px"
    assert figure.data[at].fillcolor == "rgba(213,94,0,0.25)" and "100 held-out" in figure.data[at - 1].name


def test_figures_leave_light_and_dark_to_the_page():
    for figure in (training_curves(), kl_bars(), kl_history(), comparison(), rate_distortion()):
        assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == "rgba(0,0,0,0)"
        assert figure.layout.font.color is None
