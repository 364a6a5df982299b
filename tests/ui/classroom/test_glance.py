"""What the lecturer sees and does of participants' runs."""

import pytest

from ui.classroom.glance import POINTS, Glance
from ui.tabs import train as train_tab
from vae_core.runs.folder import RunError

from ...runs.conftest import wait_for
from ..conftest import ANNA, FORM, RUN, finished, session, trained

BERT = "b" * 32


@pytest.fixture
def glance(backend):
    return Glance(backend.follower)


def test_a_run_is_seen_as_its_records_are(backend, glance):
    run = trained(backend, epochs=6)
    seen = glance.look(ANNA, run)
    losses = [-record["train"]["elbo"] for record in backend.runs.folder(run).records()]
    assert (seen["state"], seen["is_going"], seen["is_own"]) == ("finished", False, True)
    assert (seen["steps"][0], seen["steps"][-1]) == (1, 72) and len(seen["steps"]) == len(seen["points"])
    assert seen["points"][0] == pytest.approx(losses[0], abs=1e-3)
    assert seen["points"][-1] == pytest.approx(losses[-1], abs=1e-3) and len(seen["points"]) <= 4 * POINTS
    assert not glance.look(BERT, run)["is_own"]


@pytest.mark.parametrize("run", ["", "odd", RUN, "../" + RUN])
def test_whoever_follows_no_run_has_none(glance, run):
    assert glance.look(ANNA, run) == {"state": "", "is_going": False, "is_own": False, "steps": [], "points": []}


def test_the_lecturer_pauses_stops_and_takes_it_back(backend, glance):
    run = train_tab.start(backend, session(ANNA), FORM | {"epochs": 3000})
    wait_for(lambda: len(backend.runs.folder(run).records()) > 2)
    glance.steer({"run": run, "how": "pause"})
    wait_for(lambda: backend.runs.status(run)["state"] == "paused")
    glance.steer({"run": run, "how": "play"})
    wait_for(lambda: backend.runs.status(run)["state"] == "running")
    glance.steer({"run": run, "how": "stop"})
    finished(backend, run)
    assert backend.runs.status(run)["state"] == "stopped"
    glance.steer({"run": run, "how": "play"})  # the undo of a stop
    wait_for(lambda: backend.runs.status(run)["state"] == "running")
    for request in ({"run": run, "how": "reset"}, {"run": run}, {"how": "stop"}, None):
        with pytest.raises(ValueError):
            glance.steer(request)
    with pytest.raises(RunError):
        glance.steer({"run": RUN, "how": "stop"})


def test_nobody_but_the_lecturer_begins_trainings_while_new_ones_are_stopped(backend):
    running = train_tab.start(backend, session(ANNA), FORM | {"epochs": 3000})
    wait_for(lambda: len(backend.runs.folder(running).records()) > 2)
    backend.room.freeze(True, BERT)
    with pytest.raises(Exception, match=r"The lecturer lets nobody begin a training at the moment\."):
        train_tab.start(backend, session("c" * 32), FORM)
    assert backend.runs.of("c" * 32) == [] and backend.runs.status(running)["state"] == "running"
    finished(backend, train_tab.start(backend, session(BERT), FORM))
    backend.runs.pause(running, ANNA)
    finished(backend, running)
    with pytest.raises(RunError, match="nobody begin a training"):
        backend.runs.play(running, ANNA, backend.loading("digits"))
    backend.room.freeze(False, BERT)
    backend.runs.play(running, ANNA, backend.loading("digits"))
