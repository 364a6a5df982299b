"""The model: shapes, gradients, expected pixels, and the bounds of its configuration."""

import pytest
import torch
from torch.distributions import ContinuousBernoulli
from torch.testing import assert_close

from vae_core import VAE, VAEConfig
from vae_core.objective import elbo
from vae_core.runs.film import map_points

from ..conftest import seeded

ARCHITECTURES = ["mlp", "conv", "residual", "linear"]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_shapes(architecture):
    model = VAE(VAEConfig(architecture=architecture, latent_dim=5, hidden_dim=32), seeded())
    x = torch.rand(3, 1, 28, 28, generator=seeded(1))
    mu, logvar = model.encode(x)
    assert mu.shape == logvar.shape == (3, 5)
    assert model.decode(torch.zeros(2, 4, 3, 5)).shape == (2, 4, 3, 1, 28, 28)
    assert model.log_px_z(x, torch.zeros(4, 3, 5)).shape == (4, 3)
    assert model.sample_prior(7, seeded()).shape == (7, 5)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian", "continuous_bernoulli"])
def test_every_parameter_gets_a_gradient(architecture, likelihood):
    model = VAE(VAEConfig(architecture=architecture, latent_dim=3, hidden_dim=16, likelihood=likelihood), seeded())
    x = torch.rand(8, 1, 28, 28, generator=seeded(1))
    (-elbo(model, x, 2, generator=seeded(2)).elbo.mean()).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and bool((parameter.grad != 0).any()), name


def test_decoding_draws_at_once_equals_decoding_them_one_by_one(small_model):
    z = torch.randn(6, 2, 3, generator=seeded(), dtype=torch.float64)
    assert_close(small_model.decode(z), torch.stack([small_model.decode(draw) for draw in z]))


def test_weights_come_from_the_generator_alone():
    torch.manual_seed(0)
    one = VAE(VAEConfig(latent_dim=2, hidden_dim=8), seeded(4))
    torch.manual_seed(1)
    two = VAE(VAEConfig(latent_dim=2, hidden_dim=8), seeded(4))
    other = VAE(VAEConfig(latent_dim=2, hidden_dim=8), seeded(5))
    for name, weight in one.state_dict().items():
        assert torch.equal(weight, two.state_dict()[name]), name
        assert not torch.equal(weight, other.state_dict()[name]), name


def test_samples_from_the_prior_have_its_moments():
    model = VAE(VAEConfig(latent_dim=2, hidden_dim=4, prior_mean=3.0, prior_std=0.5))
    z = model.sample_prior(100_000, seeded())
    assert_close(z.mean(0), torch.full((2,), 3.0), rtol=0, atol=0.01)
    assert_close(z.std(0), torch.full((2,), 0.5), rtol=0, atol=0.01)


def test_an_mlp_has_the_layers_that_it_is_to_have():
    model = VAE(VAEConfig(latent_dim=2, hidden_dim=8, hidden_layers=3))
    for part, first, last in ((model.encoder, 784, 4), (model.decoder, 2, 784)):
        layers = [layer for layer in part if isinstance(layer, torch.nn.Linear)]
        sizes = [(layer.in_features, layer.out_features) for layer in layers]
        assert sizes == [(first, 8), (8, 8), (8, 8), (8, last)]
        assert sum(isinstance(layer, torch.nn.ReLU) for layer in part) == 3


def test_x_hat_is_the_expected_pixel():
    z = torch.randn(4, 3, generator=seeded())
    for likelihood in ("bernoulli", "gaussian", "continuous_bernoulli"):
        model = VAE(VAEConfig(latent_dim=3, hidden_dim=8, likelihood=likelihood), seeded(2))
        params = model.decode(z)
        expected = {
            "bernoulli": params.sigmoid(),
            "gaussian": params,
            "continuous_bernoulli": ContinuousBernoulli(logits=params.double()).mean.float(),
        }[likelihood]
        assert_close(model.x_hat(z), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("latent_dim", 0),
        ("latent_dim", 10**9),
        ("latent_dim", 2.0),
        ("latent_dim", True),
        ("latent_dim", None),
        ("hidden_dim", 0),
        ("hidden_layers", 0),
        ("hidden_layers", 9),
        ("architecture", "transformer"),
        ("likelihood", None),
        ("binarization", "grau"),
        ("prior_std", 0.0),
        ("prior_std", -1.0),
        ("prior_mean", float("inf")),
        ("sigma", 0.0),
        ("sigma", float("nan")),
        ("sigma", "wide"),
        ("sigma_mode", "free"),
    ],
)
def test_configuration_names_field_value_and_bounds(field, value):
    with pytest.raises(ValueError, match=f"^{field} is .*; it must be ") as caught:
        VAEConfig(**{field: value})
    assert (repr(value) if value is not None else "empty") in str(caught.value)


def test_an_mlp_has_a_bounded_number_of_weights():
    most = VAEConfig(hidden_dim=2400, hidden_layers=5)
    with torch.device("meta"):
        weights = sum(weight.numel() for name, weight in VAE(most).state_dict().items() if name.endswith("weight"))
    assert weights == 2400 * (2 * 784 + 3 * 20) + 8 * 2400**2 <= 50_000_000
    with pytest.raises(ValueError, match=r"^hidden_dim is 2400; with 6 such layers .* 61,507,200 weights"):
        VAEConfig(hidden_dim=2400, hidden_layers=6)
    for architecture in ("conv", "residual", "linear"):
        with torch.device("meta"):
            largest = VAE(VAEConfig(architecture=architecture, hidden_dim=8192, hidden_layers=8, latent_dim=512))
        assert sum(weight.numel() for weight in largest.parameters()) < 50_000_000


def test_pixels_are_binarized_only_under_a_bernoulli_likelihood_by_default():
    assert VAEConfig().binarization == "dynamic"
    assert VAEConfig(likelihood="gaussian").binarization == "grey"
    assert VAEConfig(likelihood="bernoulli", binarization="grey").binarization == "grey"


def test_wrong_shapes_are_named(small_model):
    with pytest.raises(ValueError, match=r"x has the shape \(2, 784\)"):
        small_model.encode(torch.zeros(2, 784))
    with pytest.raises(ValueError, match=r"last dimension must be 3"):
        small_model.decode(torch.zeros(2, 4))


def test_whole_numbers_are_floats_where_floats_are_meant():
    config = VAEConfig(latent_dim=2, hidden_dim=8, prior_mean=0, prior_std=1, sigma=1)
    assert [type(value) for value in (config.prior_mean, config.prior_std, config.sigma)] == [float] * 3
    points = map_points(VAE(config), [1.0, 2.0])
    assert_close(points, map_points(VAE(VAEConfig(latent_dim=2, hidden_dim=8)), [1.0, 2.0]))
    assert len(points[:, 0].unique()) == 20


@pytest.mark.parametrize("architecture", ["mlp", "conv", "residual", "linear"])
@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
def test_the_output_starts_at_the_mean_image(digits, architecture, likelihood):
    config = VAEConfig(architecture=architecture, likelihood=likelihood, latent_dim=4, hidden_dim=64)
    mean = digits.mean_image()
    starts = {given: VAE(config, seeded(), mean=mean if given else None) for given in (True, False)}
    weights = [dict(model.named_parameters()) for model in starts.values()]
    differing = {name for name in weights[0] if not torch.equal(weights[0][name], weights[1][name])}
    assert all(name.endswith("bias") for name in differing)
    with torch.no_grad():
        z = torch.randn(200, 4, generator=seeded(1)) * 1e-3
        made = {given: model.x_hat(z).mean(0) for given, model in starts.items()}
    target = mean if architecture in ("mlp", "linear") else mean.mean().expand_as(mean)
    off = {given: float((image - target).abs().mean()) for given, image in made.items()}
    assert off[True] < 0.12 and off[True] < off[False] / 2


def test_the_first_layer_starts_with_the_mean_image_as_its_zero(digits):
    mean = digits.mean_image()
    with_mean, without = (VAE(VAEConfig(), seeded(), mean=given) for given in (mean, None))
    torch.testing.assert_close(with_mean.encoder[1](mean.view(1, -1)), without.encoder[1](torch.zeros(1, 784)))


def test_a_convs_weights_start_as_he_has_them():
    model = VAE(VAEConfig(architecture="conv"), seeded())
    layers = [layer for layer in model.modules() if hasattr(layer, "bias")]
    fan_in = [16, 16 * 16, 1568, 400, 20, 400, 32 * 4, 16 * 4]
    gain = [2, 2, 2, 1, 2, 2, 2, 1]  # 1 where no ReLU follows
    for layer, fan, factor in zip(layers, fan_in, gain, strict=True):
        assert bool((layer.bias == 0).all())
        assert float(layer.weight.detach().var()) == pytest.approx(factor / fan, rel=0.15)
