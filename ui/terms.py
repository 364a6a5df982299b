"""The words of the glossary that are not settings, and the formulas of those that are.

In a formula \\term{kl}{…} has the colour of that term: those of TERMS in ui/live/words/words.css.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Term:
    """A word of the page.

    sentence: what it is, for somebody who has not heard of it. formula: LaTeX; empty if it has none. tab, place: where
    it can be touched: a tab and the id of an element there; fold: the id of the folded part that it is in, if it is.
    also: other names that people know it by.
    """

    title: str
    sentence: str
    formula: str = ""
    tab: str = ""
    place: str = ""
    fold: str = ""
    also: tuple[str, ...] = ()


def _draw(title: str, sentence: str, formula: str, place: str = "meter", also: tuple[str, ...] = ()) -> Term:
    """A term that can be touched in the Draw tab."""
    return Term(title, sentence, formula, "draw", place, also=also)


WORDS = {
    "nat": Term(
        "nat",
        "The unit of information when logarithms are natural: what happens with probability p carries −log p nats, and "
        "fewer nats mean that the model expected the image more.",
        r"1\ \text{nat} = \tfrac{1}{\ln 2}\ \text{bits} \approx 1.44\ \text{bits}",
    ),
    "latent": Term(
        "Latent variable z",
        "A short list of numbers that nobody observes, from which the model says an image arises.",
        r"z \in \mathbb{R}^D, \quad z \sim p(z), \quad x \sim p(x|z)",
        "latents", "latents-sliders", also=("code", "latent code"),
    ),
    "encoder": _draw(
        "Encoder q(z|x)",
        "The network that looks at an image and answers with a Gaussian over z: a good guess at which z it came from.",
        r"q(z|x) = \mathcal{N}\bigl(\mu(x),\ \operatorname{diag} \sigma^2(x)\bigr)",
        "q-by-hand", also=("approximate posterior", "recognition network", "inference network"),
    ),
    "decoder": Term(
        "Decoder p(x|z)",
        "The network that turns a z into a probability for every possible image; its picture is the mean of that "
        "distribution, not a draw from it.",
        r"z \mapsto p(x|z), \quad \hat x = \mathbb{E}[x|z]",
        "latents", "latents-sliders", also=("generative network",),
    ),
    "prior": Term(
        "Prior p(z)",
        "What z is expected to be before an image is seen; new images are made by drawing z from it.",
        r"p(z) = \prod_{j=1}^D \mathcal{N}(z_j;\ \mu_p, \sigma_p^2)",
        "latents", "latents-prior",
    ),
    "posterior": _draw(
        "Posterior p(z|x)",
        "Which z an image really came from, by Bayes’ theorem: what q(z|x) tries to match.",
        r"p(z|x) \propto p(x|z)\, p(z)",
        "q-by-hand", also=("true posterior",),
    ),
    "exact_here": Term(
        "Exact only here",
        "Known exactly because there are one or two dimensions here, or the model is linear, so that an integral can "
        "be summed up; in general such a number can only be estimated or bounded.",
    ),
    "bayes": _draw(
        "Bayes’ theorem",
        "How seeing an image changes what is believed of z: prior times likelihood, divided by the evidence.",
        r"p(z|x) = \frac{p(x|z)\, p(z)}{\term{evidence}{p(x)}}",
    ),
    "bernoulli": Term(
        "Bernoulli likelihood",
        "Each pixel is black or white, and the decoder gives the probability of white: −log p(x|z) is the binary "
        "cross-entropy, summed over the pixels.",
        r"\log p(x|z) = \sum_i x_i \log \hat x_i + (1 - x_i) \log (1 - \hat x_i)",
        "train", "choice-likelihood", also=("binary cross-entropy",),
    ),
    "gaussian": Term(
        "Gaussian likelihood",
        "Each pixel is the decoder’s mean plus noise of standard deviation σ: −log p(x|z) is the squared error over "
        "2σ², plus a constant that depends on σ.",
        r"\log p(x|z) = -\frac{\lVert x - \hat x \rVert^2}{2\sigma^2} - \frac{784}{2} \log(2\pi\sigma^2)",
        "train", "choice-likelihood", also=("squared error",),
    ),
    "continuous_bernoulli": Term(
        "Continuous Bernoulli likelihood",
        "A true density for grey values between 0 and 1: the Bernoulli’s formula, with the constant that makes it "
        "integrate to 1.",
        r"p(x|z) = \prod_i C(\lambda_i)\, \lambda_i^{x_i} (1 - \lambda_i)^{1 - x_i}",
        "train", "choice-likelihood",
    ),
    "evidence": _draw(
        "log p(x), the evidence",
        "How probable the model makes this image over all z together; training wants it large, and it can rarely be "
        "computed exactly.",
        r"\term{evidence}{\log p(x)} = \log \int p(z)\, p(x|z)\, dz",
        also=("marginal log-likelihood", "log-evidence"),
    ),
    "estimate": _draw(
        "log p̂(x), an estimate",
        "The evidence estimated from K draws of q, each weighted by how well it explains the image: on average too "
        "low, and closer with more draws.",
        r"\log \hat p_K(x) = \log \frac1K \sum_{k=1}^K \frac{p(x, z_k)}{q(z_k|x)}, \quad z_k \sim q(z|x)",
    ),
    "score": _draw(
        "log s(x)",
        "What takes the place of log p(x) when grey pixels meet a Bernoulli likelihood: the cross-entropy H is then a "
        "score of the image, not a probability of it.",
        r"\term{evidence}{\log s(x)} = \log \int p(z)\, e^{-H(x,\, \hat x(z))}\, dz",
    ),
    "kl": _draw(
        "KL divergence",
        "How far q(z|x) is from the prior, in nats: what an image costs to describe by z; it is never negative, and 0 "
        "only if the two are the same.",
        r"\term{kl}{\mathrm{KL}(q(z|x)\,\|\,p(z))} = \mathbb{E}_q\bigl[\log q(z|x) - \log p(z)\bigr]",
        also=("Kullback–Leibler divergence", "relative entropy", "rate"),
    ),
    "elbo": _draw(
        "ELBO, evidence lower bound",
        "What training maximizes: how well draws of q explain the image, less what q costs; it is never above "
        "log p(x).",
        r"\term{elbo}{\mathrm{ELBO}} = \term{reconstruction}{\mathbb{E}_q[\log p(x|z)]} - "
        r"\term{kl}{\mathrm{KL}(q(z|x)\,\|\,p(z))} \le \term{evidence}{\log p(x)}",
        also=("variational lower bound", "negative free energy"),
    ),
    "reconstruction": _draw(
        "Reconstruction term",
        "How probable the image is, on average, under what draws of q decode to; with its sign turned it is the "
        "distortion.",
        r"\term{reconstruction}{\mathbb{E}_{q(z|x)}[\log p(x|z)]} \approx \frac1L \sum_{l=1}^L \log p(x|z_l)",
        also=("distortion",),
    ),
    "gap": _draw(
        "Gap",
        "What the ELBO misses of log p(x): exactly how far q(z|x) is from the true posterior.",
        r"\term{gap}{\mathrm{KL}(q(z|x)\,\|\,p(z|x))} = \term{evidence}{\log p(x)} - \term{elbo}{\mathrm{ELBO}}",
        also=("inference gap",),
    ),
    "amortization": _draw(
        "Amortization gap",
        "The part of the gap that a better encoder would close: one network answers for all images, and misses the "
        "best Gaussian q* of this one.",
        r"\term{gap}{\mathrm{ELBO}(q^\ast) - \mathrm{ELBO}(q)}",
    ),
    "approximation": _draw(
        "Approximation gap",
        "The part of the gap that stays even with the best q* of this image, because the true posterior is not a "
        "Gaussian with independent dimensions.",
        r"\term{evidence}{\log p(x)} - \term{elbo}{\mathrm{ELBO}(q^\ast)}",
    ),
    "jensen": _draw(
        "Jensen’s inequality",
        "The log of a mean is at least the mean of the logs: taken of the importance weights w, it makes the ELBO a "
        "lower bound.",
        r"\log \mathbb{E}_q[w] \ge \mathbb{E}_q[\log w], \quad w = \frac{p(x, z)}{q(z|x)}",
    ),
    "importance_weighted": Term(
        "Importance-weighted bound",
        "A tighter lower bound on log p(x) from the mean weight of L draws: with one draw it is the ELBO, and with "
        "more it rises towards log p(x).",
        r"\mathbb{E}\Bigl[\log \frac1L \sum_{l=1}^L \frac{p(x, z_l)}{q(z_l|x)}\Bigr] \le \term{evidence}{\log p(x)}",
        "train", "choice-objective", "fold-training", also=("IWAE",),
    ),
    "reparameterization": Term(
        "Reparameterization",
        "A draw of z written as a fixed noise ε that is shifted and scaled, so that a gradient can pass through the "
        "draw to μ and σ.",
        r"z = \mu + \sigma \odot \varepsilon, \quad \varepsilon \sim \mathcal{N}(0, I)",
        "draw", "q-by-hand",
    ),
    "pathwise": Term(
        "Pathwise estimator",
        "The gradient through the draw: the slope of log p(x|z) at z = μ + σ ε, carried back to μ and σ, which is "
        "unbiased and scatters little.",
        r"\mathbb{E}_\varepsilon[\nabla_z \log p(x|z)\, \partial z/\partial\mu]",
    ),
    "score_function": Term(
        "Score-function estimator",
        "The gradient without a slope of the decoder: draws that explain x well pull q towards themselves, which is "
        "unbiased too, and scatters far more.",
        r"\mathbb{E}_q[\log p(x|z)\, \nabla_\mu \log q(z|x)]",
        also=("REINFORCE",),
    ),
    "baseline": Term(
        "Baseline",
        "A number, here the mean over the other draws, that is taken off log p(x|z) before it weighs a draw: the "
        "gradient stays the same on average, and scatters less.",
        r"\mathbb{E}_q[(\log p(x|z) - b)\, \nabla_\mu \log q(z|x)]",
    ),
    "effective_draws": Term(
        "Effective draws",
        "How many draws of equal weight would estimate as well: 1 if a single one carries nearly all of the sum.",
        r"\frac{(\sum_k w_k)^2}{\sum_k w_k^2}",
    ),
    "epsilon": Term(
        "ε, the noise of a draw",
        "Random numbers from a standard normal distribution, one for each latent dimension: all the randomness of a "
        "draw of z.",
        r"\varepsilon \sim \mathcal{N}(0, I), \quad z = \mu + \sigma \odot \varepsilon",
        "draw", "q-by-hand",
    ),
    "mu": _draw(
        "μ, the mean of q",
        "The z that the encoder holds to be the most likely for an image, one number for each latent dimension.",
        r"\mu(x) \in \mathbb{R}^D",
        "q-by-hand",
    ),
    "std": _draw(
        "σ, the width of q",
        "How unsure the encoder is of each dimension of z: a σ as large as the prior’s says that it knows nothing.",
        r"\sigma(x) \in \mathbb{R}_{>0}^D",
        "q-by-hand",
    ),
    "refined": _draw(
        "The best q",
        "The Gaussian with the largest ELBO for this one image, found by gradient from the encoder’s answer while the "
        "decoder stays as it is.",
        r"q^\ast = \operatorname*{arg\,max}_{\mu,\, \sigma}\ \term{elbo}{\mathrm{ELBO}}",
        "q-by-hand",
    ),
    "used": Term(
        "Used dimension",
        "A latent dimension that carries information: the mean of q in it differs from image to image.",
        r"\operatorname{Var}_x[\mu_j(x)] > 0.01",
        "elbo", "kl-history", also=("active unit",),
    ),
    "collapse": Term(
        "Collapse",
        "A dimension, or all of them, in which q(z|x) is the prior for every image: z says nothing there, and the "
        "decoder does without it.",
        r"q(z_j|x) = p(z_j)\ \text{for every}\ x",
        "elbo", "kl-bars", also=("posterior collapse",),
    ),
    "latent_map": Term(
        "Latent map",
        "What the decoder makes of points on a plane through latent space, laid out where they lie.",
        "", "latents", "latents-plane",
    ),
    "held_out": Term(
        "Held-out images",
        "Images that the training does not learn from: how the model fares on them is how it fares on new ones.",
        "", "elbo", "elbo-curves", also=("test images", "validation images"),
    ),
    "batch": Term(
        "Batch",
        "The few images that one step of training looks at, drawn at random from the training set.",
        "", "train", "number-batch_size",
    ),
    "rate_distortion": Term(
        "Rate–distortion plane",
        "Each training as a point: the nats that z costs (rate) against the nats by which it fails to explain the "
        "pixels (distortion); lines of equal ELBO run diagonally.",
        r"\term{elbo}{-\mathrm{ELBO}} = "
        r"\underbrace{\term{reconstruction}{-\mathbb{E}_q[\log p(x|z)]}}_{\text{distortion}} + "
        r"\underbrace{\term{kl}{\mathrm{KL}}}_{\text{rate}}",
        "runs", "runs-tab",
    ),
    "data": Term(
        "Data",
        "The images that are learned from: handwritten digits (MNIST, or scikit-learn’s smaller set where it cannot be "
        "had), clothes (Fashion-MNIST) or Japanese letters (KMNIST), in 28×28 grey pixels.",
        "", "train", "choice-data",
    ),
}  # fmt: skip

FORMULAS = {  # of settings
    "latent_dim": r"z \in \mathbb{R}^D",
    "likelihood": r"\term{reconstruction}{\log p(x|z)}",
    "binarization": r"x_i \sim \mathrm{Bernoulli}(g_i) \quad\text{or}\quad x_i = [g_i \ge \tfrac12] "
    r"\quad\text{or}\quad x_i = g_i",
    "sigma": r"\log p(x|z) = -\frac{\lVert x - \hat x \rVert^2}{2\sigma^2} - \frac{784}{2} \log(2\pi\sigma^2)",
    "sigma_mode": r"\sigma^2_{\text{optimal}} = \frac{1}{784}\, \overline{\lVert x - \hat x \rVert^2}",
    "prior_mean": r"p(z_j) = \mathcal{N}(\mu_p, \sigma_p^2)",
    "prior_std": r"p(z_j) = \mathcal{N}(\mu_p, \sigma_p^2)",
    "batch_size": r"\frac1B \sum_{i=1}^B \nabla_\theta\, \mathrm{loss}(x_i)",
    "learning_rate": r"\theta \leftarrow \theta - \eta\, \hat g",
    "beta": r"\text{loss} = \term{reconstruction}{-\mathbb{E}_q[\log p(x|z)]} + \beta\, "
    r"\term{kl}{\mathrm{KL}(q(z|x)\,\|\,p(z))}",
    "samples": r"\term{reconstruction}{\mathbb{E}_q[\log p(x|z)]} \approx \frac1L \sum_{l=1}^L \log p(x|z_l)",
    "objective": r"\term{elbo}{\mathbb{E}[\log w]} \le \mathbb{E}\Bigl[\log \frac1L \sum_{l=1}^L w_l\Bigr], "
    r"\quad w = \frac{p(x, z)}{q(z|x)}",
    "gradient": r"z = \mu + \sigma \odot \varepsilon, \quad "
    r"\frac{\partial z}{\partial \mu} = 1, \ \frac{\partial z}{\partial \sigma} = \varepsilon "
    r"\quad\text{or}\quad \frac{\partial z}{\partial \mu} = \frac{\partial z}{\partial \sigma} = 0",
    "warmup_steps": r"\beta_t = \beta \cdot \min(1,\ t / T)",
    "free_bits": r"\sum_{j=1}^D \max\bigl(\lambda,\ \term{kl}{\overline{\mathrm{KL}}_j}\bigr)",
    "schedule": r"\eta_t = \tfrac12\, \eta\, \bigl(1 + \cos(\pi t / T)\bigr)",
    "learning_rate_warmup": r"\eta_t = \eta \cdot \min(1,\ t / T)",
    "clip_norm": r"g \leftarrow g \cdot \min\bigl(1,\ c / \lVert g \rVert\bigr)",
    "average": r"\bar\theta \leftarrow d\, \bar\theta + (1 - d)\, \theta",
}
