"""The command line: python -m vae_core train | evaluate."""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import torch
from tqdm import tqdm

from .config import BINARIZATIONS, CHANGEABLE, TrainConfig, VAEConfig, usual_learning_rate
from .data import DATASETS, TITLES, DataError, Dataset, binarized_for_evaluation, load_dataset
from .device import DEVICES, is_out_of_memory, pick_device
from .evaluation.report import as_text, measure
from .files import print_in_any_locale
from .model import VAE
from .precision import resolve
from .runs.config import RunConfig, beginning_with
from .runs.folder import RunError, RunFolder
from .runs.run import Steering, reason, train_into
from .runs.states import State
from .settings import FaultsError, Setting, check_int, gathered, settings_of, typed
from .storage.checkpoint import CheckpointError, load_checkpoint, read_header
from .training.divergence import DivergedError
from .training.loop import Metrics, TrainState, batches
from .training.processes import Processes, join

LENGTHS = ("epochs", "steps", "patience", "record_every")  # settings that a resumed run takes from the command line
# The training settings that cannot change after a run's first step.
FIXED = [name for name in settings_of(TrainConfig) if name not in (*LENGTHS, *CHANGEABLE)]


def main(arguments: list[str] | None = None) -> int:
    """Runs a command; a user error becomes one line on stderr and exit status 2."""
    print_in_any_locale()
    options = parser().parse_args(arguments)
    try:
        return options.command(options)
    except DataError as error:
        where = f"The data folder is {options.data_dir}; --data-dir names another one."
        print(f"error: {error} {where}", file=sys.stderr)
    except CheckpointError as error:
        print(f"error: {error.with_path}", file=sys.stderr)
    except (ValueError, RunError, DivergedError) as error:
        print(f"error: {error}", file=sys.stderr)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        print(f"error: {reason(error)}", file=sys.stderr)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except OSError as error:
        print(f"error: {error.filename or 'a file'}: {error.strerror or error}", file=sys.stderr)
    return 2


def run_train(options: argparse.Namespace) -> int:
    """Trains into a run folder, or resumes the run in it; under torchrun, together with the other processes."""
    processes, device = join(pick_device(options.device))
    try:
        return _lead(options, device, processes) if processes.rank == 0 else _follow(options, device, processes)
    finally:
        processes.leave()


def _lead(options: argparse.Namespace, device: torch.device, processes: Processes) -> int:
    """Trains, as the only process or the first one."""
    given = vars(options)
    folder = RunFolder(options.out)
    if "start" in given and options.start.is_dir():
        given["start"] = options.start / "model.safetensors"
    if options.resume:
        config = _resumed_config(folder, given)
    else:
        if options.data is None:
            raise ValueError(f"--data is missing; it must be one of {', '.join(DATASETS)}.")
        config = new_config(given, str(device))
    dataset = _load(config.data, options.data_dir).holding_out(config.hold_out)
    config.training.check_images(len(dataset.train), processes.count)
    if not options.resume:
        folder.create()
        if "start" in given:
            folder.start_from(options.start)
    model = VAE(config.model, torch.Generator().manual_seed(config.training.seed), mean=dataset.mean_image())
    folder.acquire()
    try:
        _train(folder, model, dataset, config, device, given, processes)
    finally:
        folder.release()
    status = folder.read_status()
    print(f"{status['state']}: {status['message']} The run is in {folder.path}.")
    return 130 if status["state"] is State.STOPPED else 0


def new_config(given: dict[str, Any], device: str) -> RunConfig:
    """The configuration of a new run, from the options of `train` as `parser` returns them.

    Raises:
        ValueError: an option is out of bounds, or cannot be combined with --start.
        CheckpointError: there is no checkpoint to start from.
    """
    faults: dict[str, str] = {}
    model = VAEConfig()
    training = TrainConfig()
    with gathered(faults):
        model = _model_config(given)
    with gathered(faults):
        usual = {"learning_rate": usual_learning_rate(model)}
        training = TrainConfig(**usual | {name: given[name] for name in settings_of(TrainConfig) if name in given})
    if faults:
        raise FaultsError(faults)
    precision = resolve(training.precision, torch.device(device))  # the same wherever the run is resumed
    training = dataclasses.replace(training, precision=precision)
    why = "chosen on the command line."
    config = RunConfig(model, training, given["data"], device, why, hold_out=given.get("hold_out", 0))
    return beginning_with(config, given["start"]) if "start" in given else config


def _model_config(given: dict[str, Any]) -> VAEConfig:
    """The model configuration from the options; that of a checkpoint to start from replaces it."""
    fields = {name: given[name] for name in settings_of(VAEConfig) if name in given}
    if "start" not in given or not fields:
        if "hidden_layers" in given and given.get("architecture", "mlp") != "mlp":
            raise ValueError(f"hidden_layers is {given['hidden_layers']}, but only an mlp has that choice.")
        if "hidden_dim" in given and given.get("architecture") == "linear":
            raise ValueError(f"hidden_dim is {given['hidden_dim']}, but a linear model has no hidden layer.")
        for name in ("sigma", "sigma_mode"):
            if name in given and given.get("likelihood") != "gaussian":
                raise ValueError(f"{name} is {given[name]}, but only a Gaussian likelihood has one.")
        return VAEConfig(**fields)
    raise ValueError(
        f"{next(iter(fields))} is that of the model in {given['start']}; it cannot be chosen beside --start."
    )


def _train(
    folder: RunFolder,
    model: VAE,
    dataset: Dataset,
    config: RunConfig,
    device: torch.device,
    given: dict[str, Any],
    processes: Processes,
) -> None:
    """Begins or resumes the run, and shows its records as they arrive."""
    state = TrainState.start(model.to(device))
    steering = Steering()
    total = config.training.total_steps(len(dataset.train))
    if given["resume"] or "start" in given:
        state = folder.resume(model, device)
        if config.training.patience and given["resume"] and not folder.read_config().training.patience:
            state.best = -math.inf  # the best model so far was not kept
            state.epochs_since_best = 0
        if total < state.step:
            raise ValueError(f"the run in {folder.path} has done {state.step} steps; take more epochs or steps.")
        if given["resume"]:
            steering.change({name: given[name] for name in CHANGEABLE if name in given})
    folder.write_config(dataclasses.replace(config, train_images=len(dataset.train)))
    _stop_on_interrupt(steering)
    adam = {name: tensor.cpu() for name, tensor in state.adam.state().items()}
    processes.of_first(None if state.is_over(config.training, total) else (config, state.step, adam))
    with tqdm(total=total, initial=state.step, unit="step", disable=None) as bar:
        for metrics in train_into(folder, model, dataset, config.training, device, state, steering, processes):
            _show(bar, metrics)


def _follow(options: argparse.Namespace, device: torch.device, processes: Processes) -> int:
    """Trains along with the first process, from that one's first step until it ends, with weights that come from it."""
    for which in (signal.SIGINT, signal.SIGTERM):
        signal.signal(which, signal.SIG_IGN)  # the first process stops cleanly, and this one with it
    begins = processes.of_first(None)
    if begins is None:  # all steps are done
        return 0
    config, step, adam = begins
    dataset = load_dataset(config.data, options.data_dir).holding_out(config.hold_out)
    model = VAE(config.model)
    state = TrainState.start(model.to(device))
    state.step = step
    state.adam.restore(adam)
    for _ in batches(model, dataset, config.training, device, state, processes):
        pass
    return 0


def run_evaluate(options: argparse.Namespace) -> int:
    """Prints the held-out figures of a checkpoint."""
    path = options.checkpoint / "model.safetensors" if options.checkpoint.is_dir() else options.checkpoint
    device = pick_device(options.device)
    header = read_header(path)
    model = load_checkpoint(path)
    check_int("samples", options.samples, 1, 1_000_000)
    check_int("subset", options.subset, 1, 1000)
    check_int("seed", options.seed, 0, 2**32 - 1)
    data = options.data or header.about.get("data")
    if data is None:
        raise ValueError(f"{path} does not say what it was trained on; name it with --data.")
    dataset = _load(data, options.data_dir)
    images = getattr(dataset, options.split)
    check_int("images", options.images if options.images is not None else len(images), 1, len(images))
    binarization = options.binarization or model.config.binarization
    x = binarized_for_evaluation(images, binarization, device)[: options.images]
    report = {
        "checkpoint": str(options.checkpoint),
        "data": data,
        "split": options.split,
        "binarization": binarization,
        "likelihood": model.config.likelihood,
        "images": len(x),
        "samples": options.samples,
        "seed": options.seed,
        "device": str(device),
    }
    with tqdm(total=len(x) * options.samples, unit="image", unit_scale=True, disable=None) as bar:
        settings = options.samples, options.seed, options.subset
        report |= measure(model.to(device), x, *settings, bar.update, options.keep)
    print(json.dumps(report) if options.json else as_text(report))
    return 0


def _resumed_config(folder: RunFolder, given: dict[str, Any]) -> RunConfig:
    """The run's own configuration with the training options given now; model and data must stay the same."""
    config = folder.read_config()
    training = config.training
    if "start" in given:
        raise ValueError("--start begins a run and --resume goes on with one: take one of them.")
    if folder.read_status()["state"] is State.FINISHED and not folder.saved_step():
        raise ValueError(f"the run in {folder.path} is an uploaded model; begin another one with --start.")
    if given.get("precision") == "auto":  # the run already has one
        del given["precision"]
    kept = dataclasses.asdict(config.model)
    kept |= {"data": config.data, "hold_out": config.hold_out} | {name: getattr(training, name) for name in FIXED}
    for name, value in kept.items():
        if given.get(name) is not None and given[name] != value:
            raise ValueError(
                f"{name} is {given[name]!r}, but the run in {folder.path} has {value!r}; that cannot change."
            )
    dataclasses.replace(
        training, **{name: given[name] for name in settings_of(TrainConfig) if name in given}
    )  # checks all of them
    lengths = {name: given[name] for name in LENGTHS if name in given}
    if "epochs" in given:
        lengths["steps"] = None  # which would take precedence
    return dataclasses.replace(config, training=dataclasses.replace(training, **lengths))


def _load(name: str, data_dir: Path) -> Dataset:
    """Loads the dataset, with a progress bar for its download."""
    with tqdm(unit="B", unit_scale=True, desc=f"downloading {TITLES.get(name)}", disable=None, leave=False) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total or None
            bar.update(done - bar.n)

        return load_dataset(name, data_dir, progress=progress)


def _stop_on_interrupt(steering: Steering) -> None:
    """The first Ctrl-C or SIGTERM stops the run gracefully; a second one interrupts it at once."""

    def on_interrupt(signum: int, frame: object) -> None:
        signal.signal(signum, signal.default_int_handler)
        steering.stop()

    for which in (signal.SIGINT, signal.SIGTERM):
        signal.signal(which, on_interrupt)


def _show(bar: tqdm, metrics: Metrics) -> None:
    """Shows a record on the terminal's progress bar; without a terminal, prints a line per evaluation."""
    terms = metrics.test or metrics.train
    line = f"−ELBO {-terms.elbo:.2f} = −reconstruction {-terms.reconstruction:.2f} + KL {terms.kl:.2f}".replace(
        "-", "−"
    )
    bar.update(metrics.step - bar.n)
    if metrics.test:
        bar.set_postfix_str(f"held-out {line}", refresh=False)
    if bar.disable and metrics.test:
        print(
            f"step {metrics.step}  epoch {metrics.epoch:.2f}  held-out {line}  "
            f"active {metrics.active_units}  {metrics.images_per_second:,.0f} images/s",
            flush=True,
        )


def _add_option(group: argparse._ActionsContainer, name: str, setting: Setting) -> None:
    """Adds a setting as an option."""
    argument = "|".join(setting.choices) or setting.argument
    kind = str if setting.kind is str else _number(name)
    group.add_argument(f"--{name.replace('_', '-')}", type=kind, metavar=argument, help=setting.help)


def _number(name: str) -> Callable[[str], Any]:
    """Reads a number as the page does; what is none goes on as text, and the check says what is wanted."""

    def read(text: str) -> Any:
        try:
            number = typed(name, text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error
        return text if number is None else number

    return read


class _Parser(argparse.ArgumentParser):
    """Says in one line what is wrong, as `main` does."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {message}\n")


def parser() -> argparse.ArgumentParser:
    """The parser for all options; model and training options that are not given are absent from its result."""
    whole = _Parser("python -m vae_core", description="Train and evaluate variational autoencoders.")
    commands = whole.add_subparsers(required=True, metavar="train | evaluate")

    t = commands.add_parser("train", help="train into a run folder", argument_default=argparse.SUPPRESS)
    t.set_defaults(command=run_train)
    t.add_argument("--data", default=None, metavar="DATASET", help=" | ".join(DATASETS))
    t.add_argument("--data-dir", type=Path, default=Path("data"))
    _add_option(t, "hold_out", settings_of(RunConfig)["hold_out"])
    t.add_argument("--out", type=Path, required=True, metavar="RUN", help="the run's folder")
    t.add_argument("--start", type=Path, metavar="CHECKPOINT", help="begin with the weights of that model")
    t.add_argument("--resume", action="store_true", default=False, help="go on with the run in --out")
    t.add_argument("--device", default="auto", metavar="|".join(DEVICES))
    of_model = t.add_argument_group("model")
    of_training = t.add_argument_group("training")
    length = of_training.add_mutually_exclusive_group()
    for name, setting in settings_of(VAEConfig).items():
        _add_option(of_model, name, setting)
    for name, setting in settings_of(TrainConfig).items():
        _add_option(length if name in ("epochs", "steps") else of_training, name, setting)

    e = commands.add_parser("evaluate", help="held-out figures of a checkpoint")
    e.set_defaults(command=run_evaluate)
    e.add_argument("checkpoint", type=Path, help="a .safetensors file or a run's folder")
    e.add_argument("--data", default=None, metavar="DATASET", help="default: what it was trained on")
    e.add_argument("--data-dir", type=Path, default=Path("data"))
    e.add_argument("--split", choices=("test", "train"), default="test")
    e.add_argument("--images", type=_number("images"), metavar="N", help="only the first N")
    e.add_argument("--samples", type=_number("samples"), default=50, metavar="K", help="draws per image for log p(x)")
    e.add_argument(
        "--subset", type=_number("subset"), default=100, metavar="N", help="images that the costly measures take"
    )
    e.add_argument("--binarization", choices=BINARIZATIONS, default=None, help="default: the model's own")
    e.add_argument("--seed", type=_number("seed"), default=0)
    e.add_argument("--device", default="auto", metavar="|".join(DEVICES))
    e.add_argument("--keep", type=Path, metavar="FILE", help="where estimates are kept: broken off, it goes on there")
    e.add_argument("--json", action="store_true", help="print one JSON object")
    return whole
