"""Trains the shipped models from nothing, or goes on where that was broken off, and measures them.

    python -m checkpoints.train [NAME ...] [--data-dir D] [--runs-dir R] [--device cpu|cuda|mps|auto]

Each stage of a recipe is one `python -m vae_core train` into a run's folder of its own; a stage that has finished is
not trained again. The last one's model becomes <name>.safetensors, with float16 weights, then `python -m vae_core
evaluate` writes its figures to figures/<name>.json, and `checkpoints.pictures` its picture. `python -m checkpoints.cards`
writes the README from those.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import torch

from vae_core import load_checkpoint, save_checkpoint
from vae_core.checkpoint import read_header
from vae_core.device import describe_device, pick_device
from vae_core.folder import RunFolder

from .pictures import draw
from .recipes import RECIPES, Recipe

HERE = Path(__file__).parent
