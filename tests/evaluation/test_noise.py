"""The common draws have the moments of what they are drawn from."""

import pytest
import torch
from torch.testing import assert_close

from vae_core.evaluation.noise import DRAWS, common_noise, fitting_noise


@pytest.mark.parametrize("dims", [1, 4, 50, 60])
def test_the_common_draws_have_mean_0_and_covariance_1_exactly(dims):
    eps = common_noise(dims)[:, 0].double()
    assert eps.shape == (DRAWS, dims)
    if dims <= 50:  # more dimensions leave too little room
        assert_close(eps.mean(0), torch.zeros(dims).double(), atol=1e-6, rtol=0)
        assert_close(eps.T @ eps / DRAWS, torch.eye(dims).double(), atol=1e-5, rtol=0)
    assert torch.equal(common_noise(dims), common_noise(dims))
    assert not torch.equal(common_noise(dims, seed=1)[:, 0], eps)


@pytest.mark.parametrize("dims", [2, 100, 512])
def test_the_draws_that_a_q_is_fitted_to_do_so_in_any_dimension(dims):
    eps = fitting_noise(dims)[:, 0].double()
    assert_close(eps.mean(0), torch.zeros(dims).double(), atol=1e-6, rtol=0)
    assert_close(eps.T @ eps / len(eps), torch.eye(dims).double(), atol=1e-4, rtol=0)
    assert not torch.equal(fitting_noise(2)[:DRAWS], common_noise(2))  # it is judged by others
