"""A GPU made ready for its first training, which would otherwise wait for CUDA to load what it computes with."""

from __future__ import annotations

import torch

from ..config import TrainConfig, VAEConfig
from ..data import Dataset
from ..model import VAE
from .loop import train
from .random import BLOCK

STEPS = 4 * BLOCK  # the first alone, the rest of its block, one as it comes, one recorded, one replayed
BATCH = 64


def warm_up(device: torch.device) -> None:
    """Trains an MLP and a conv for a moment, on noise, so that their steps have been recorded once.

    Half a second on an H100. Elsewhere than on a GPU nothing needs it.
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
