"""The objective "preference" of a tuning: a critic's word on each trial's motion against that of the best before it.

In: trials in their order, each with its measured episodes. Out: the value that the optimiser is told. The rule is the search's: gates
first, then the critic, asked in both orders, then, where it ties, the score. A trial that wins stands one step above the best before it;
one that loses stands less than a step below it, the losers of one best in the order of their scores. What a critic that is a model answers
is kept by its gateway, so that a tuning which goes on hears the same words again, unpaid.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from movlr_jax.critics import biomechanics
from movlr_jax.critics.base import Evidence
from movlr_jax.evaluation.evaluation import Evaluation, Work
from movlr_jax.feedback.feedback import Feedback
from movlr_jax.search import judging
from movlr_jax.tuning.weight_study import Trial, better

PREFERENCE = "preference"


class PreferenceObjective:
    """Gives trials their places.

    Args:
        evaluation: what measured them, with facts.
        feedback: whose critic compares.
    """

    def __init__(self, evaluation: Evaluation, feedback: Feedback):
        self.evaluation, self.feedback = evaluation, feedback

    def placed(self, found: Trial, work: Work, earlier: Sequence[tuple[Trial, Work]]) -> Trial:
        """Return a trial with its value and why.

        Args:
            found: the trial, measured.
            work: what was measured of it.
            earlier: the trials before it, with their works.

        Raises:
            ModelFault: the critic cannot be asked.
        """
        if not earlier:
            return dataclasses.replace(found, value=0.0, reason="It is the first.")
        best, held = max(earlier, key=lambda pair: better(pair[0], 1))
        assert best.value is not None
        new, old = sum(found.unfit.values()), sum(best.unfit.values())
        mine, its = self._evidence(found, work), self._evidence(best, held)
        score = biomechanics.score(mine.facts)
        if new != old:
            kept, reason = new < old, f"Physics decides: {'the best' if new < old else 'this one'} is the worse by its gates."
        else:
            preference, _ = self.feedback.compare(mine, its)
            verdict = judging.settle({"score": score}, {"score": biomechanics.score(its.facts)}, preference)
            kept, reason = verdict.kept, verdict.reason
        value = best.value + 1.0 if kept else best.value - 1.0 + 0.009 * score  # scores are 0 to 100
        return dataclasses.replace(found, value=value, reason=reason)

    def _evidence(self, trial: Trial, work: Work) -> Evidence:
        facts, clip = self.evaluation.evidence(work)
        return Evidence(facts, clip, f"trial {trial.number}")
