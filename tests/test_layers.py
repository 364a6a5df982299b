"""Dependencies point one way: app → ui → vae_core, and the core needs neither gradio nor plotly."""

import subprocess
import sys

from .conftest import ROOT

PROGRAM = """
import sys
for name in ("gradio", "plotly", "ui", "app"):
    sys.modules[name] = None  # importing it fails
import pkgutil, importlib, vae_core
for module in pkgutil.iter_modules(vae_core.__path__):
    if module.name not in ("figures", "__main__"):
        importlib.import_module(f"vae_core.{module.name}")
from vae_core import VAE, TrainConfig, VAEConfig, load_dataset, train
model = VAE(VAEConfig(latent_dim=2, hidden_dim=8))
print(len(list(train(model, load_dataset("digits", "unused"), TrainConfig(steps=2)))))
"""


def test_the_core_imports_and_trains_without_gradio_and_plotly():
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "2\n"


def test_the_command_line_of_the_core_needs_neither():
    absent = "import sys; sys.modules['gradio'] = sys.modules['plotly'] = None"
    program = f"{absent}; from vae_core.__main__ import main; main(['-h'])"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and "train | evaluate" in done.stdout, done.stderr
