"""A learnt terminal value: the probability, by a small network, that a body which moves like this falls soon.

In: a file that `movlr learn value` wrote, one body's, and the last instants of rollouts. Out: minus the probability. Evaluating a network
takes a few matrix products, so no network library is needed here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float

from movlr_jax import atomic
from movlr_jax.control.values.base import TerminalValue
from movlr_jax.control.values.features import StanceFeatures
from movlr_jax.errors import BadFile, MovlrError
from movlr_jax.rewards.layout import FeatureLayout

_MOST = 4 << 20  # bytes of a file; a network of 64 x 64 has 50 kB
FARTHEST = 5.0  # standard deviations of a feature, beyond which nothing was learnt


@dataclass(frozen=True, eq=False)
class Network:
    """A trained network: features, normalised, through layers of tanh to the log odds of a fall.

    Attributes:
        body: the body's name.
        names: its features.
        mean, scale: float32[n], of the features.
        layers: (kernel float32[i, o], bias float32[o]) each; the last has one output.
        provenance: what made it: command, data and their hashes, versions, figures.
    """

    body: str
    names: tuple[str, ...]
    mean: np.ndarray
    scale: np.ndarray
    layers: tuple[tuple[np.ndarray, np.ndarray], ...]
    provenance: Mapping[str, Any]

    def logit(self, features: Float[Any, "*batch n"]) -> Float[Any, "*batch"]:
        """Return the log odds of a fall, over numpy or jax.numpy."""
        xp = features.__array_namespace__()
        x = xp.clip((features - self.mean) / self.scale, -FARTHEST, FARTHEST)
        for kernel, bias in self.layers[:-1]:
            x = xp.tanh(x @ kernel + bias)
        kernel, bias = self.layers[-1]
        return (x @ kernel + bias)[..., 0]

    def save(self, path: Path) -> None:
        """Write the file; equal networks give equal bytes."""
        arrays: dict[str, np.ndarray] = {"body": np.array(self.body), "names": np.array(self.names), "mean": self.mean, "scale": self.scale}
        for i, (kernel, bias) in enumerate(self.layers):
            arrays |= {f"kernel_{i}": kernel, f"bias_{i}": bias}
        atomic.write_npz(path, arrays | {"provenance": np.array(json.dumps(atomic.plain(self.provenance), sort_keys=True))})

    @staticmethod
    def load(path: Path) -> Network:
        """Read what `save` wrote.

        Raises:
            MovlrError: it is not there, or no such file.
        """
        try:
            arrays = atomic.read_npz(path, _MOST)
            count = sum(name.startswith("kernel_") for name in arrays)
            layers = tuple((arrays[f"kernel_{i}"], arrays[f"bias_{i}"]) for i in range(count))
            names = tuple(map(str, arrays["names"]))
            network = Network(str(arrays["body"]), names, arrays["mean"], arrays["scale"], layers, json.loads(str(arrays["provenance"])))
            network._require_sound()
        except OSError as error:
            raise MovlrError(f"The terminal value {path} cannot be read ({error.strerror}): give a file of movlr learn value.") from None
        except (BadFile, KeyError, ValueError, TypeError, IndexError) as error:
            raise MovlrError(
                f"{path} is no terminal value ({' '.join(str(error).split())[:150]}): give a file of movlr learn value."
            ) from None
        return network

    def _require_sound(self) -> None:
        """Raise ValueError where shapes do not agree, or a number is none."""
        width = len(self.names)
        wanted: list[tuple[np.ndarray, tuple[int, ...]]] = [(self.mean, (width,)), (self.scale, (width,))]
        for i, (kernel, bias) in enumerate(self.layers):
            out = 1 if i == len(self.layers) - 1 else bias.size
            wanted += [(kernel, (width, out)), (bias, (out,))]
            width = out
        if not self.layers or any(array.shape != shape or array.dtype != np.float32 for array, shape in wanted):
            raise ValueError("its layers do not follow each other")
        if not all(np.isfinite(array).all() for array, _ in wanted) or not (self.scale > 0).all():
            raise ValueError("a number in it is none")


class FallRisk(TerminalValue):
    """Minus the probability of a fall, by the network of a file.

    Args:
        layout: of the body's instants.
        path: the file.

    Raises:
        MovlrError: the file cannot be read, or is of another body.
    """

    name: ClassVar[str] = "fall-risk"

    def __init__(self, layout: FeatureLayout, path: Path):
        self.network, self._features = Network.load(path), StanceFeatures(layout)
        if (self.network.body, self.network.names) != (layout.morphology, self._features.names):
            other = self.network.body if self.network.body != layout.morphology else "another version of it"
            raise MovlrError(f"The terminal value {path} was learnt on {other}, and the body is {layout.morphology}: learn one on this.")

    def __call__(self, instants: Float[Any, "episode candidate f"]) -> Float[Any, "episode candidate"]:
        """See TerminalValue."""
        return -self.probability(instants)

    def probability(self, instants: Float[Any, "*batch f"]) -> Float[Any, "*batch"]:
        """Return the probability of a fall, as if half of all instants were before one."""
        xp = instants.__array_namespace__()
        return 0.5 + 0.5 * xp.tanh(0.5 * self.network.logit(self._features(instants)))


def digest(path: Path) -> str:
    """Return what a network's file is known by.

    Raises:
        MovlrError: it cannot be read.
    """
    try:
        return hashlib.sha256(atomic.read_bytes(path, _MOST, follow=True)).hexdigest()[:16]
    except OSError as error:
        raise MovlrError(f"The terminal value {path} cannot be read ({error.strerror}): give a file of movlr learn value.") from None
