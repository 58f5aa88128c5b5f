"""The writer "tuner": keeps every term and moves the weights. With CLIP as the judge it is the method vlm-rm.

A (1 + lambda) evolution strategy on the logarithms of the weights, with the step-size rule of Kern et al. (Natural Computing 3, 2004,
section 3): the step grows by a success and shrinks by a failure so that it stays where one trial in five succeeds. Its whole state is the
run's history, so that a resumed run goes on as it was.
"""

from __future__ import annotations

import math

import numpy as np

from movlr_jax.errors import MovlrError
from movlr_jax.writers import edits
from movlr_jax.writers.base import Draft, WriteRequest
from movlr_jax.writers.edits import Change

_STEP = 0.5  # first standard deviation of a weight's logarithm: a factor of 1.6
_SMALLEST, _LARGEST = 0.05, 1.5
_SUCCESS = math.exp(0.8)
_FAILURE = math.exp(-0.2)  # four failures undo one success


class TunerWriter:
    """Draws the weights anew around the best reward's."""

    name = "tuner"

    def write(self, request: WriteRequest) -> Draft:
        """Return the best reward with every weight multiplied by a random factor, determined by the seed.

        Raises:
            MovlrError: fewer than two terms have a weight, so that there is nothing to weigh against each other.
        """
        tuned = {name: weight for name, weight in request.best_weights.items() if weight != 0.0}
        if len(tuned) < 2:
            raise MovlrError("The tuner needs a reward of two or more weighted terms: give one by --start-reward, for example human.")
        rng = np.random.default_rng([request.seed, request.iteration, request.candidate, request.refused])
        step = self.step(request)
        factors = np.exp(step * rng.standard_normal(len(tuned)))
        factors /= np.exp(np.log(factors).mean())  # the planner's choice depends on ratios: keep the weights' scale
        changes = [Change("reweigh", name, float(f"{weight * f:.4g}")) for (name, weight), f in zip(tuned.items(), factors, strict=True)]
        source = edits.apply(request.best_source, changes)
        return Draft(source, edits.describe(changes), f"Every weight drawn anew, each by a factor of about {math.exp(step):.2f}.")

    @staticmethod
    def step(request: WriteRequest) -> float:
        """Return the standard deviation of the weights' logarithms after what the history tells."""
        step = _STEP
        for record in request.history:
            step *= _SUCCESS if record.kept else _FAILURE
        return min(max(step, _SMALLEST), _LARGEST)
