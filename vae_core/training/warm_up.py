"""Prepares a GPU for its first training run, which would otherwise wait for CUDA to load what it needs."""

from __future__ import annotations

import torch

from ..config import TrainConfig, VAEConfig
from ..data import Dataset
from ..model import VAE
from .loop import train
from .random import BLOCK

STEPS = 4 * BLOCK  # the first step, the rest of its block, then a block run directly, one captured, one replayed
BATCH = 64


def warm_up(device: torch.device) -> None:
    """Trains an MLP and a conv briefly on noise, so that their steps have been recorded once.

    Takes half a second on an H100. Only a GPU needs it.
    """
    if device.type != "cuda":
        return
    images = BLOCK * BATCH  # an epoch of one block
    noise = torch.randint(256, (images, 1, 28, 28), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    labels = torch.zeros(images, dtype=torch.int64)
    dataset = Dataset("noise", noise, labels, noise, labels)
    for architecture in ("mlp", "conv"):
        config = TrainConfig(steps=STEPS, batch_size=BATCH)
        for _ in train(VAE(VAEConfig(architecture=architecture)), dataset, config, device):
            pass
