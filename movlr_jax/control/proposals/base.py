"""Proposals: target postures that are simulated in place of a plan's last candidates (Trevisan and Alonso-Mora, "Biased-MPPI", arXiv
2401.09241: other controllers' plans among the samples).

Flows in: the state of E worlds, their plans' means, their frames. Flows out: postures, which the planner weighs by their costs as it weighs
its own candidates, so that a bad proposal costs no more than the candidate whose place it took.
"""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import Any, ClassVar

from jaxtyping import Float

from movlr_jax.morphologies import Morphology
from movlr_jax.physics.simulator import State


class Proposals(abc.ABC):
    """Proposals for one body; a subclass has a name and thinks of them, over numpy or jax.numpy, inside compiled programs.

    Args:
        morphology: the body.
        count: n, how many are wanted in each plan.
        times: when each of the K knots of a plan counts (s from now).

    Raises:
        MovlrError: there are none for the body.
    """

    name: ClassVar[str]

    @abc.abstractmethod
    def __init__(self, morphology: Morphology, count: int, times: Sequence[float]):
        """Prepare what depends on the body alone."""

    @abc.abstractmethod
    def __call__(
        self, state: State, mean: Float[Any, "episode knot d"], frames: Float[Any, "episode columns"]
    ) -> Float[Any, "episode n knot d"]:
        """Return target postures (rad), which are clipped to the joints' ranges afterwards.

        Args:
            state: E worlds.
            mean: the plans before (rad).
            frames: rows of `movlr_jax.physics.instant.Frame`.
        """
