"""Variational autoencoders on 28×28 images: the model, its objective, training, evaluation, and runs as folders."""

from .checkpoint import load_checkpoint, save_checkpoint
from .data import Dataset, load_dataset
from .model import VAE, VAEConfig
from .train import Metrics, TrainConfig, train

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
