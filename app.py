"""The command line of the app: reads the options, builds the page, serves it."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import socket
import sys
import tempfile
import urllib.request
from pathlib import Path
from urllib.parse import quote

# Before gradio is imported: no analytics, no hub, no outside connection.
os.environ |= {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}

import gradio as gr
import torch

import ui
from ui import files, live, models
from ui.backend import Backend
from ui.classroom import routes as classroom
from ui.classroom.glance import Glance
from ui.classroom.key import Key
from ui.tabs import latents
from ui.web import login
from vae_core.device import DEVICES, describe_devices, free_memory, pick_devices
from vae_core.files import print_in_any_locale
from vae_core.runs.allowance.limits import Limits
from vae_core.runs.server import IN_MEMORY, Runs
from vae_core.settings import settings_of

HERE = Path(__file__).parent
CSS = HERE / "ui" / "page.css"
MEMORY_OF_A_TRAINING = 4 * 2**30  # bytes of a GPU: data, weights, a large batch, and CUDA's own
MEMORY_BETWEEN_TURNS = {"cuda": 2**30, "cpu": 2**27}  # bytes of a training that waits for its turn, at most as a rule
BUNDLED = gr.themes.LocalFont("IBM Plex Sans", weights=(400, 700))
FONTS: list[gr.themes.Font | str] = [BUNDLED, "system-ui", "sans-serif"]


def main(arguments: list[str] | None = None) -> int:
    """Serves the app until Ctrl-C; what is wrong with the options or the start becomes one line and exit status 2."""
    print_in_any_locale()
    options = _parser().parse_args(arguments)
    host = options.host.strip("[]")  # an IPv6 address may come as it is written in a browser
    try:
        devices = pick_devices(options.device)
        _check_port(host, options.port)
        _check_folders(options.data_dir, options.runs_dir)
        auth = _auth(options.auth)
        trainings = [_trainings(options.max_trainings, device) for device in devices]
        in_memory = [_in_memory(device) for device in devices]
        key = Key(options.lecturer_key) if options.lecturer_key else Key.kept_in(options.runs_dir / "lecturer-key")
        limits = Limits(**{name: getattr(options, name) for name in settings_of(Limits)})
        recorded = HERE / "checkpoints" / "recorded"
        runs = Runs(options.runs_dir, devices, trainings, in_memory, recorded, limits=limits)
    except (ValueError, OSError) as error:
        return _refused(error)
    if devices[0].type == "cpu":
        torch.set_num_threads(
            max(1, torch.get_num_threads() // trainings[0])
        )  # so that they do not fight for the cores
    runs.warm_up()
    backend = Backend(options.data_dir, HERE / "checkpoints", runs, key)
    for fault in backend.faults():
        print(f"warning: {fault}", file=sys.stderr)
    page = ui.build(backend)
    signal.signal(
        signal.SIGTERM, signal.default_int_handler
    )  # a stopped service ends its runs gracefully, as Ctrl-C does
    print(f"Computing on {describe_devices(devices)}; runs are kept in {options.runs_dir}.", flush=True)
    _go_round_proxies(host)
    with contextlib.closing(runs), contextlib.closing(backend.durations):
        try:
            _launch(page, backend, host, options, auth)
            print(f"The lecturer's link: {page.local_url}live/class/enter?key={quote(key.text)}", flush=True)
            backend.durations.begin()
        except Exception as error:  # Gradio raises of every kind here, Exception itself too
            return _refused(f"the server could not start: {error}")
        page.block_thread()
    return 0


def _launch(
    page: gr.Blocks, backend: Backend, host: str, options: argparse.Namespace, auth: tuple[str, str] | None
) -> None:
    """Starts to serve the page, and returns."""
    glance = Glance(backend.follower)
    page.launch(
        server_name=f"[{host}]" if ":" in host else host,
        server_port=options.port,
        share=options.share,
        auth=auth,
        auth_message=login.NOTICE + live.icon(),
        favicon_path=live.ICON,
        theme=_theme(),
        css_paths=[CSS, *live.CSS],
        head=live.head(),
        app_kwargs={
            "routes": [
                *(r for part in (files, models, latents) for r in part.routes(backend)),
                *classroom.routes(backend.room, backend.lecturer_key, glance.look, glance.steer),
                *live.routes(),
            ]
        },
        footer_links=[],
        enable_monitoring=False,
        max_file_size="20mb",
        ssr_mode=False,
        prevent_thread_lock=True,
    )


def _theme() -> gr.themes.Base:
    """Gradio's theme with text of 16 px, nothing below 14, and one accent: the first colour of the terms."""
    sizes = {"xxs": "14px", "xs": "14px", "sm": "14px", "md": "16px", "lg": "18px", "xl": "22px", "xxl": "28px"}
    accent = gr.themes.Color(
        "#eef6fb", "#d9ebf6", "#b3d7ed", "#7dbce0", "#3f9bd0", "#0072b2", "#00669f", "#005586", "#00446b", "#003656",
        "#002942", name="accent",
    )  # fmt: skip
    theme = gr.themes.Default(primary_hue=accent, secondary_hue=accent, font=FONTS, text_size=gr.themes.Size(**sizes))
    return theme.set(
        block_border_width="0px",
        block_padding="0px",
        block_label_text_size="14px",
        block_title_text_size="14px",
        block_info_text_size="14px",
        body_text_color="#1b1f24",
        body_text_color_dark="#f1f3f5",
        body_text_color_subdued="#5b636d",
        body_text_color_subdued_dark="#a9b1bb",
        border_color_primary="#e3e6ea",
        border_color_primary_dark="#343a42",
        button_secondary_background_fill="#f6f7f9",
        button_secondary_background_fill_dark="#23282f",
        button_secondary_background_fill_hover="#e9ecef",
        button_secondary_background_fill_hover_dark="#2f353d",
        button_primary_background_fill="#0072b2",
        button_primary_background_fill_dark="#0072b2",
        button_primary_background_fill_hover="#00669f",
        button_primary_background_fill_hover_dark="#00669f",
    )


def _refused(why: object) -> int:
    """Prints in one line why the app does not start, and returns the exit status."""
    print("error:", " ".join(str(why).split()), file=sys.stderr)
    return 2


def _go_round_proxies(host: str) -> None:
    """Keeps the environment's or the system's proxies for downloads, but not for what the server asks of itself.

    Gradio asks its own address at the start. It also fails wherever a SOCKS proxy is named, which downloads cannot use.
    """
    proxies = urllib.request.getproxies()
    direct = proxies.pop("no", "")
    for kind, address in proxies.items():
        os.environ[f"{kind}_proxy"] = "" if address.startswith("socks") else address
    if proxies and direct != "*":
        os.environ["no_proxy"] = ",".join(filter(None, (direct, "localhost", "127.0.0.1", "::1", host)))


def _check_port(host: str, port: int) -> None:
    """Raises ValueError where the address cannot be listened on."""
    if not 1 <= port <= 65535:
        raise ValueError(f"port is {port}; it must be a whole number from 1 to 65535.")
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        reason = error.strerror or error
        raise ValueError(f"port {port} on {host} cannot be used: {reason}; choose another one with --port.") from error


def _check_folders(data_dir: Path, runs_dir: Path) -> None:
    """Raises ValueError where a folder cannot be written."""
    for option, folder in (("--data-dir", data_dir), ("--runs-dir", runs_dir)):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as error:
            raise ValueError(f"{option} {folder} cannot be written: {error.strerror or error}.") from error


def _auth(text: str | None) -> tuple[str, str] | None:
    """USER:PASSWORD as a pair."""
    if text is None:
        return None
    user, colon, password = text.partition(":")
    if not (user and colon and password):
        raise ValueError("--auth must be USER:PASSWORD.")
    return user, password


def _trainings(wanted: int | None, device: torch.device) -> int:
    """How many run at once on a device, if nobody says: by a GPU's free memory, or one for each four cores of a CPU."""
    if wanted is not None:
        return wanted
    if device.type == "cuda":
        return max(1, min(16, free_memory(device) // MEMORY_OF_A_TRAINING))
    return 1 if device.type == "mps" else max(1, (os.cpu_count() or 1) // 4)


def _in_memory(device: torch.device) -> int:
    """How many trainings take turns in a device's memory, of which they may have half."""
    if device.type not in MEMORY_BETWEEN_TURNS:
        return 1
    return max(1, min(IN_MEMORY, free_memory(device) // 2 // MEMORY_BETWEEN_TURNS[device.type]))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python app.py", description="Train and explore variational autoencoders in a browser."
    )
    parser.add_argument("--host", default="127.0.0.1", help="0.0.0.0 to serve a network")
    parser.add_argument("--port", type=int, default=7860)
    parser.add_argument("--data-dir", type=Path, default=HERE / "data", help="where datasets are and are downloaded to")
    parser.add_argument("--runs-dir", type=Path, default=HERE / "runs", help="where trainings are kept")
    parser.add_argument("--device", default="auto", metavar="|".join(DEVICES), help="cuda: all GPUs; cuda:0,2: these")
    parser.add_argument("--max-trainings", type=int, help="how many run at once on each device, in turns")
    parser.add_argument("--share", action="store_true", help="also open Gradio's public tunnel")
    parser.add_argument("--lecturer-key", help="the secret in the lecturer's link; one is made if none is given")
    parser.add_argument("--auth", metavar="USER:PASSWORD", help="ask visitors for these")
    of_limits = parser.add_argument_group("limits", "0: no limit")
    for name, setting in settings_of(Limits).items():
        default = getattr(Limits, name)
        about = f"{setting.help}; default: {default:,}".removesuffix(".0")
        option = f"--{name.replace('_', '-')}"
        of_limits.add_argument(option, type=setting.kind, default=default, metavar="N", help=about)
    return parser


if __name__ == "__main__":
    sys.exit(main())
