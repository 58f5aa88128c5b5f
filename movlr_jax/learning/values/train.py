"""Learning a terminal value: a small flax network from the features of an instant to the probability of a fall.

In: recorded episodes of one body and a ValueConfig. Out: a network that planners take, and how well it foretells the falls of episodes
that it has not seen, each by a network that learnt from the others. Instants before a fall and all others weigh the
same together, so the probability is that of a body of which half of all instants are before a fall. All randomness is the seed's.
"""

from __future__ import annotations

import dataclasses
import functools
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Float

from movlr_jax._versions import installed
from movlr_jax.control.values.capture import Capture
from movlr_jax.control.values.fall_risk import FARTHEST, Network
from movlr_jax.control.values.features import StanceFeatures
from movlr_jax.errors import MovlrError
from movlr_jax.learning.values import scores
from movlr_jax.learning.values.config import ValueConfig
from movlr_jax.learning.values.episodes import Episodes, files, read
from movlr_jax.morphologies import Morphology
from movlr_jax.rewards.features import feature_layout

_PACKAGES = ("movlr-jax", "mujoco", "jax", "flax", "optax", "numpy")
_LEAST = 0.02  # of a feature's spread, so that one that hardly changes is not blown up
_TOGETHER = 50  # updates between which progress is told
_EARLY = 0.5  # s; a fall that is nearer than this is plain to see


@dataclass(frozen=True, eq=False)
class Learnt:
    """What was learnt: the network, and the figures of its kind on episodes that each was held out."""

    network: Network
    figures: dict[str, Any]


class _Perceptron(nn.Module):
    """Layers of tanh, then one output."""

    widths: Sequence[int]

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Return the log odds [b] of features [b, n]."""
        for width in self.widths:
            x = nn.tanh(nn.Dense(width)(x))
        return nn.Dense(1)(x)[:, 0]


def learn(
    words: Sequence[str | Path],
    body: Morphology,
    config: ValueConfig | None = None,
    progress: Callable[[int, float], None] | None = None,
) -> Learnt:
    """Learn a terminal value from recorded episodes.

    Args:
        words: files of episodes, and folders that hold some.
        body: whose they are.
        config: how.
        progress: called with the updates that are done and their mean loss.

    Raises:
        MovlrError: a word stands for no episode of this body, too few of them fell, or too few did not.
    """
    config, layout = config or ValueConfig(), feature_layout(body)
    features = StanceFeatures(layout)
    found = read(files(words), layout.size, config.window)
    return fit(features, found, config, progress, capture=np.asarray(-Capture(layout)(found.instants[None])[0]))


def fit(
    features: StanceFeatures,
    found: Episodes,
    config: ValueConfig,
    progress: Callable[[int, float], None] | None = None,
    capture: Float[np.ndarray, " N"] | None = None,
) -> Learnt:
    """Learn from instants; see `learn`.

    Args:
        features: what the network sees of them.
        found: the instants.
        config: how.
        progress: see `learn`.
        capture: the danger of each instant by capturability, to be compared with.
    """
    seen = np.asarray(features(found.instants), np.float32)
    falls, parts = found.left <= config.window, _parts(found, config)[found.episode]
    soft = np.exp(-found.left / (0.5 * config.window)).astype(np.float32)  # 0 where no fall is known to come
    target = falls.astype(np.float32) if config.target == "within" else soft
    risk, done = np.zeros(len(seen)), 0

    def advanced(updates: int, loss: float) -> None:
        if progress is not None:
            progress(done + updates, loss)

    for part in (*range(config.folds), None):
        held = parts == part if part is not None else np.zeros(len(seen), bool)
        if not falls[~held].any() or falls[~held].all():
            count = "all" if falls[~held].any() else "no"
            raise MovlrError(f"Of the episodes learnt from, {count} instants are before a fall: give more episodes, of both kinds.")
        network = _network(features, seen[~held], target[~held], falls[~held], config, advanced)
        done += config.updates
        if part is not None:
            risk[held] = 1 / (1 + np.exp(-network.logit(seen[held]).astype(np.float64)))
    provenance = {
        "command": " ".join(["movlr", *sys.argv[1:]]) if Path(sys.argv[0]).name in ("movlr", "__main__.py") else "",
        "config": dataclasses.asdict(config),
        "episodes": dict(zip(map(_short, found.names), found.digests, strict=True)),
        "versions": {package: installed(package) for package in _PACKAGES},
    }
    figures: dict[str, Any] = {
        "body": features.body,
        "target": config.target,
        "window_s": config.window,
        "folds": config.folds,
        "episodes": len(found.names),
        "walks": len(np.unique(found.walk)),
        "fallen": int(found.fallen.sum()),
        "instants": len(seen),
        "before_a_fall": int(falls.sum()),
        "held_out": _figures(risk, found.left, config.window),
    }
    if capture is not None:
        figures["capture"] = _areas(capture, found.left, config.window)
    return Learnt(dataclasses.replace(network, provenance=provenance | {"figures": figures}), figures)


def _parts(found: Episodes, config: ValueConfig) -> np.ndarray:
    """Return the part int[episodes] of each episode: whole walks, those with a fall and the others alike, dealt out by the seed and what is
    in them. Episodes that branch off one walk start alike, so that one of them foretells the others."""
    rng, parts, dealt = np.random.default_rng(config.seed), np.zeros(len(found.names), int), 0
    order = {walk: min(found.digests[i] for i in np.flatnonzero(found.walk == walk)) for walk in np.unique(found.walk)}
    fell = {walk: bool(found.fallen[found.walk == walk].any()) for walk in order}
    for kind in (True, False):
        some = sorted((walk for walk in order if fell[walk] == kind), key=order.__getitem__)
        for walk in rng.permutation(some).astype(int):
            parts[found.walk == walk] = dealt % config.folds
            dealt += 1
    return parts


def _network(
    features: StanceFeatures,
    seen: np.ndarray,
    target: np.ndarray,
    falls: np.ndarray,
    config: ValueConfig,
    progress: Callable[[int, float], None],
) -> Network:
    """Return the network that learnt from features[N, n]."""
    mean, scale = seen.mean(axis=0), np.maximum(seen.std(axis=0), _LEAST).astype(np.float32)
    x = np.clip((seen - mean) / scale, -FARTHEST, FARTHEST)
    return Network(features.body, features.names, mean, scale, _descend(x, target, _balanced(falls), config, progress), {})


def _balanced(falls: np.ndarray) -> np.ndarray:
    """Return weights of mean 1 under which both classes are one half."""
    share = falls.mean()
    return np.where(falls, 0.5 / share, 0.5 / (1 - share)).astype(np.float32)


def _descend(
    x: np.ndarray, target: np.ndarray, weights: np.ndarray, config: ValueConfig, progress: Callable[[int, float], None]
) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    """Return the layers after gradient descent on the weighted cross entropy."""
    # Batches and noise are drawn on the host: a compiled program that draws them takes longer to compile than to run.
    rng, (model, optimizer, run) = np.random.default_rng(config.seed), _compiled(dataclasses.replace(config, seed=0))
    params: Any = model.init(jax.random.PRNGKey(config.seed), x[:1])
    carry, data = (params, optimizer.init(params)), tuple(map(jnp.asarray, (x, target, weights)))
    for done in range(0, config.updates, _TOGETHER):
        rows = rng.integers(len(x), size=(_TOGETHER, config.batch))
        noise = config.jitter * rng.standard_normal((_TOGETHER, config.batch, x.shape[1]), np.float32)
        # All but the last round have one length, so that there is one program; what is too many in it changes nothing.
        carry, losses = run(carry, data, rows, noise, np.arange(done, done + _TOGETHER) < config.updates)
        there = min(_TOGETHER, config.updates - done)
        progress(done + there, float(losses[:there].mean()))
    tree = carry[0]["params"]
    named = [tree[f"Dense_{i}"] for i in range(len(config.layers) + 1)]
    return tuple((np.asarray(layer["kernel"], np.float32), np.asarray(layer["bias"], np.float32)) for layer in named)


@functools.lru_cache(maxsize=4)
def _compiled(config: ValueConfig) -> tuple[_Perceptron, Any, Callable[..., Any]]:
    """Return the network, its optimiser, and what makes some gradient steps: (carry, data, rows, noise, wanted) -> (carry, losses)."""
    model = _Perceptron(config.layers)
    optimizer = optax.adamw(optax.cosine_decay_schedule(config.learning_rate, config.updates), weight_decay=config.decay)

    def loss(params: Any, data: Any, rows: jax.Array, noise: jax.Array) -> jax.Array:
        inputs, wanted, weight = (column[rows] for column in data)
        logit: Any = model.apply(params, inputs + noise)
        return (weight * optax.sigmoid_binary_cross_entropy(logit, wanted)).mean()

    def run(carry: Any, data: Any, rows: Any, noise: Any, wanted: Any) -> Any:
        def step(carry: tuple[Any, Any], each: Any) -> tuple[tuple[Any, Any], jax.Array]:
            (params, state), (rows, noise, wanted) = carry, each
            value, gradient = jax.value_and_grad(loss)(params, data, rows, noise)
            change, after = optimizer.update(gradient, state, params)
            new = (optax.apply_updates(params, change), after)
            return jax.tree.map(lambda a, b: jnp.where(wanted, a, b), new, carry), value

        return jax.lax.scan(step, carry, (rows, noise, wanted))

    return model, optimizer, jax.jit(run)


def _areas(score: np.ndarray, left: np.ndarray, window: float) -> dict[str, float | None]:
    """Return how well a score tells instants before a fall from others, and those of falls that are not yet plain to see."""
    falls, early = left <= window, left >= _EARLY
    return {"auc": scores.auc(score, falls), "auc_early": scores.auc(score[early], falls[early])}


def _figures(risk: np.ndarray, left: np.ndarray, window: float) -> dict[str, Any]:
    falls = left <= window
    weights, chosen = _balanced(falls), np.clip(risk, 1e-7, 1 - 1e-7)
    loss = -(weights * np.where(falls, np.log(chosen), np.log(1 - chosen))).mean()
    return {**_areas(risk, left, window), "log_loss": float(loss), "calibration": scores.calibration(risk, falls, weights)}


def _short(name: str) -> str:
    """Return the end of a path: nothing in a file that is passed on says where on a machine its data stood."""
    return "/".join(Path(name).parts[-2:])
