"""What the latent variable knows about the image: the KL split into information and the misfit of the marginal."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from ..densities import gaussian_log_prob
from ..model import VAE
from .evaluate import Proposal, check_images

DRAWS_AT_ONCE = 256


class Information(NamedTuple):
    """E_x KL(q(z|x)‖p(z)) = I(x; z) + KL(q(z)‖p(z)), nats, with q(z) the average of q(z|x) over these images.

    mutual_information: I(x; z), at most log N. marginal_kl: KL(q(z)‖p(z)).
    """

    mutual_information: float
    marginal_kl: float


@torch.inference_mode()
def information(model: VAE, x: Tensor, *, draws: int = 1, generator: torch.Generator | None = None) -> Information:
    """The decomposition of the KL over a set of images, with q(z) over all of them rather than over minibatches.

    Args:
        model: the VAE.
        x: (N, 1, 28, 28) in [0, 1]. The work grows with N²; I(x; z) cannot exceed log N.
        draws: of z for each image.
        generator: source of the draws.

    Source: Hoffman & Johnson (2016), "ELBO surgery".
    """
    check_images(x)
    q = Proposal.posterior(model, x)
    eps = torch.randn((draws, *q.mean.shape), generator=generator, dtype=x.dtype, device=x.device)
    z, log_qz_x = q.draw(eps).flatten(0, 1), q.log_prob(eps).flatten()  # (draws·N, D), (draws·N,)
    logvar = 2 * q.scale.log()
    parts = z.split(DRAWS_AT_ONCE)
    log_pairs = [gaussian_log_prob(part.unsqueeze(1), q.mean, logvar).sum(-1).logsumexp(1) for part in parts]
    log_qz = torch.cat(log_pairs) - math.log(len(x))
    return Information(_mean(log_qz_x - log_qz), _mean(log_qz - model.prior.log_prob(z)))


def _mean(values: Tensor) -> float:
    return float(values.cpu().double().mean())
