"""Variational autoencoders on 28×28 images: the model, its objective, training, evaluation, and runs as folders."""

import os

# OpenMP's threads spin while they wait, unless told otherwise before torch is loaded. When another process needed a
# core too, training in small batches took 10 times as long; with no spinning at all it takes 15 % longer on a
# quiet machine. A short spin, then sleep, avoids both.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("GOMP_SPINCOUNT", "1000")

# Keeps the streams of a GPU separate: CUDA would otherwise put those of 16 training runs onto 8, and an H100 then took
# at most 18,000 of their steps a second.
os.environ.setdefault("CUDA_DEVICE_MAX_CONNECTIONS", "32")

from .storage.checkpoint import load_checkpoint, save_checkpoint
from .data import Dataset, load_dataset
from .memory import keep_freed_memory
from .model import VAE
from .config import VAEConfig
from .training.loop import Metrics, train
from .config import TrainConfig

__all__ = [
    "VAE",
    "Dataset",
    "Metrics",
    "TrainConfig",
    "VAEConfig",
    "load_checkpoint",
    "load_dataset",
    "save_checkpoint",
    "train",
]

keep_freed_memory()
