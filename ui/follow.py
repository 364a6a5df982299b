"""What is new in a run since a browser last asked, the commands to a run, and its last single batch."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from vae_core.config import CHANGEABLE
from vae_core.runs.records import Records
from vae_core.runs.server import Runs
from vae_core.runs.states import Command, State
from vae_core.runs.workers import Load
from vae_core.settings import check_choice, check_float, check_int
from vae_core.training.one_batch import LOOKED_AT, OneBatch

from . import labels
from .web.pace import Pace
from .web.requests import browser_of, field, finite, pixels, rounded

RESTING = 3000  # ms between two requests about a run that has ended: another window may resume it
BEGINNING = 500  # ms between two requests about one that has no record yet, however many watch: that is soon over


class Follower:
    """Answers the requests of all browsers that follow runs. Each method takes what the browser sends.

    Args:
        runs: the runs of this server.
        loading: returns how a run that is asked for now loads the dataset with a given name.
        model_of: returns the id of the model that a run makes, empty if there is none.
    """

    def __init__(self, runs: Runs, loading: Callable[[str], Load], model_of: Callable[[str], str]) -> None:
        self.runs = runs
        self._loading = loading
        self._model_of = model_of
        self._records = lru_cache(maxsize=64)(lambda run: Records(runs.folder(run).path / "metrics.jsonl"))
        self._totals: dict[str, int] = {}
        self._pace = Pace()

    def follow(self, request: Any) -> dict[str, Any]:
        """What is new in a run since the browser last asked.

        Args:
            request: {run, since, mark, changes, frames}: the numbers of records, changes and frames it has; mark: from
                the answer with the last of these records, since the records may have been replaced by now.

        Returns:
            state, message. about: what the run is, at first and after a change. progress: at its newest record.
            from, to: the records that columns covers, thinned if there are many; from is 0 if it covers all of them.
            mark: of the last one.
            kl_per_dim: the newest. changes: [{step, setting: value}]. frames: [step]. newest, batch: versions of the
            newest weights and of the last single batch, empty before there are any. wait: ms until the next request.
        """
        run, since, mark = (field(request, name) for name in ("run", "since", "mark"))
        changes, frames = (field(request, name) for name in ("changes", "frames"))
        for name, count in (("since", since), ("changes", changes), ("frames", frames)):
            check_int(name, count, 0, 10**9)
        status = self.runs.status(run)
        folder = self.runs.folder(run)
        records = self.records(run)
        steps = folder.frame_steps()
        count = len(records)
        last = records.last  # another request may read on meanwhile
        changed = [change for change in folder.changes() if last and change.step <= last["step"]]  # not future ones
        if not 0 < since <= count or mark != records.mark(since) or changes > len(changed) or frames > len(steps):
            since = changes = frames = 0  # the first request, or the run went back: send all of it
        return status | {
            "about": None if since and changes == len(changed) else self._about(run),
            "progress": _progress(last, self._total_steps(run), self.runs.queue.left(run)),
            "from": since,
            "to": count,
            "mark": records.mark(count),
            "columns": records.rows(since, count),
            "kl_per_dim": [round(kl, 4) for kl in last["kl_per_dim"]] if last else [],
            "changes": [{"step": change.step} | change.settings for change in changed[changes:]],
            "frames": steps[frames:],
            "newest": _version(folder.model_file),
            "batch": _version(folder.path / "batch.safetensors"),
            "wait": self._wait(status["state"], bool(last)),
        }

    def records(self, run: str) -> Records:
        """The records of a run as they are now; read once for all who ask."""
        return self._records(run).read()

    def _wait(self, state: State, has_record: bool) -> int:
        """The ms until a browser should ask again."""
        if state.has_ended:
            return RESTING
        return self._pace.wait() if has_record else BEGINNING

    def window(self, request: Any) -> dict[str, Any]:
        """The records of a range of steps at full resolution, or as near to it as a chart can show.

        Args:
            request: {run, low, high}: steps.

        Returns:
            columns: as in `follow`.
        """
        run, low, high = (field(request, name) for name in ("run", "low", "high"))
        for name, value in (("low", low), ("high", high)):
            check_float(name, value, -1e12, 1e12)
        self.runs.folder(run)
        return {"columns": self.records(run).between(low, high)}

    def history(self, request: Any) -> dict[str, Any]:
        """KL per latent dimension over the training: every stride-th record, at most 512 of them.

        Args:
            request: {run, stride, have}: what the browser has, 0 and 0 at first.

        Returns:
            stride; from: the first row returned; steps; kl: nats, a list of D numbers per row.
        """
        run, stride, have = (field(request, name) for name in ("run", "stride", "have"))
        check_int("have", have, 0, 10**6)
        self.runs.folder(run)
        stride, first, steps, kl = self.records(run).kept_history(stride, have)
        return {"stride": stride, "from": first, "steps": steps, "kl": kl}

    def batch(self, request: Any) -> dict[str, Any]:
        """The last batch that a run took as a single step: its first images, and what became of them.

        Args:
            request: {run}.

        Returns:
            step, images (in the whole batch), objective, gradient (a name of `config.GRADIENTS`), beta, free_bits,
            counted_kl, loss, gradient_norm (before clipping to clip_norm), elbo, reconstruction_term, kl: means over
            the batch, nats per image. For the first eight images: x: base64 of 28×28 bytes each; mu, std: lists of D
            numbers; reconstructions, of all L draws (samples), and kls. For each draw, up to 32 of them, and each of
            these images: draws, z, and eps, the noise that it was made of: lists of D numbers; terms: log p(x|z);
            x_hat: base64 of 28×28 bytes. dims: the dimensions, the one of largest KL over the batch first.
        """
        batch = OneBatch.load(self.runs.folder(field(request, "run")).path / "batch.safetensors")
        some = slice(0, LOOKED_AT)
        reconstruction = batch.reconstruction
        kl = batch.kl
        mu, std = batch.mu[some], torch.exp(0.5 * batch.logvar[some])
        return {
            "step": batch.step,
            "images": len(batch.x),
            "beta": batch.beta,
            "loss": batch.loss,
            "gradient_norm": batch.gradient_norm,
            "objective": batch.objective,
            "clip_norm": batch.clip_norm,
            "gradient": batch.gradient,
            "free_bits": batch.free_bits,
            "counted_kl": batch.counted_kl,
            "elbo": finite((reconstruction - kl).mean()),
            "reconstruction_term": finite(reconstruction.mean()),
            "kl": finite(kl.mean()),
            "x": pixels(batch.x[some]),
            "x_hat": pixels(batch.x_hat),
            "mu": rounded(mu),
            "std": rounded(std),
            "samples": batch.samples,
            "draws": rounded(batch.draws),
            "eps": rounded((batch.draws - mu) / std),
            "terms": rounded(batch.log_px_draws),
            "reconstructions": rounded(reconstruction[some]),
            "kls": rounded(kl[some]),
            "dims": batch.kl_per_dim.argsort(descending=True).tolist(),
        }

    def steer(self, request: Any) -> dict[str, Any]:
        """Pauses, resumes, steps or stops a run, or starts it over with the settings that it began with.

        Args:
            request: {browser, run, how: pause | play | step | stop | reset}.

        Returns:
            run: the run to follow now; a different one after reset.
        """
        browser = browser_of(request)
        run = field(request, "run")
        how = check_choice("how", field(request, "how"), tuple(Command))
        if how == Command.PAUSE:
            self.runs.pause(run, browser)
        elif how == Command.STOP:
            self.runs.stop(run, browser)
        else:
            if how == Command.RESET:
                run = self.runs.start_over(run, browser)
            load = self._loading(self.runs.folder(run).read_config().data)
            self.runs.play(run, browser, load, one_batch=how == Command.STEP)
        return {"run": run}

    def _about(self, run: str) -> dict[str, Any]:
        """The description of a run for the page."""
        folder = self.runs.folder(run)
        config = folder.read_config()
        return {
            "name": folder.name(),
            "title": folder.name() or labels.title(config.data, config.model, config.training.objective),
            "is_recorded": run in self.runs.recordings,
            "model": self._model_of(run),
            "data": config.data,
            "why_data": config.why_data,
            "settings": labels.settings_line(config.data, folder.settings(), len(folder.changes())),
            "started": {name: getattr(config.training, name) for name in CHANGEABLE} | {"sigma": config.model.sigma},
            "likelihood": config.model.likelihood,
            "binarization": config.model.binarization,
            "latent_dim": config.model.latent_dim,
            "is_averaged": config.training.average > 0,
            "steps_per_epoch": config.training.steps_per_epoch(config.train_images) if config.train_images else 0,
            "total_steps": config.total_steps,
            "train_images": config.train_images,
        }

    def _total_steps(self, run: str) -> int:
        """Total steps of a run, which never change once they are known."""
        if not self._totals.get(run):
            self._totals[run] = self.runs.folder(run).read_config().total_steps
        return self._totals[run]


def _version(path: Path) -> str:
    """Changes whenever the file does; empty if there is none. It is text: JavaScript's numbers have too few digits."""
    try:
        return str(path.stat().st_mtime_ns)
    except OSError:
        return ""


def _progress(last: dict[str, Any] | None, total_steps: int, left: float | None) -> dict[str, Any] | None:
    """The progress of a run, null before its first record; left: seconds; None: estimated from the speed so far."""
    if last is None:
        return None
    if left is None:
        left = (total_steps - last["step"]) * last["seconds"] / last["step"]
    return {name: last[name] for name in ("step", "epoch", "seconds", "images_per_second", "learning_rate")} | {
        "sigma": last.get("sigma"),
        "total_steps": total_steps,
        "left": max(0.0, left),
    }
