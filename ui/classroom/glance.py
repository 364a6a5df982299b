"""What the lecturer sees and does of participants' runs."""

from __future__ import annotations

from typing import Any

from vae_core.runs.folder import RunError
from vae_core.runs.states import Command
from vae_core.settings import check_choice

from ..follow import Follower
from ..web.requests import field

POINTS = 30  # of a sparkline
STEERS = (Command.PAUSE, Command.STOP, Command.PLAY)  # each of them can be taken back


class Glance:
    """The runs of participants, for the lecturer.

    Args:
        follower: answers for all browsers what is new in runs, and steers them.
    """

    def __init__(self, follower: Follower) -> None:
        self._follower = follower

    def look(self, browser: str, run: str) -> dict[str, Any]:
        """What is shown of the run that a participant's page follows.

        Returns:
            state: empty if it follows none. is_going; is_own: whether it is the participant's. points: −ELBO, training,
            nats per image, at most about `POINTS` of them over the whole training; steps: of each.
        """
        nothing = {"state": "", "is_going": False, "is_own": False, "steps": [], "points": []}
        runs = self._follower.runs
        if not run or run in runs.recordings:
            return nothing
        try:
            owner = runs.folder(run).read_config().owner
            state = runs.status(run)["state"]
            rows = self._follower.records(run).rows(most=POINTS)
        except RunError:
            return nothing
        line = {"steps": rows["step"], "points": rows["train_elbo"]}
        return {"state": state, "is_going": state.is_going, "is_own": owner == browser} | line

    def steer(self, request: Any) -> dict[str, Any]:
        """Pauses, stops or resumes any run, in the name of whoever owns it.

        Args:
            request: {run, how: pause | stop | play}.

        Returns:
            run: as it was asked.

        Raises:
            RunError: there is no such run, or it cannot do that now.
            ValueError: the request is not one.
        """
        run = field(request, "run")
        how = check_choice("how", field(request, "how"), STEERS)
        owner = self._follower.runs.folder(run).read_config().owner
        return self._follower.steer({"browser": owner, "run": run, "how": how})
