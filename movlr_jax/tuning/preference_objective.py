"""The objective "preference" of a tuning: a critic's word on each trial's motion against that of the best before it.

In: trials in their order, each with its measured episodes. Out: the value that the optimiser is told. The rule is the search's: gates
first, then the critic, asked in both orders, then, where it ties, the score. A trial that wins stands one step above the best before it;
one that loses stands less than a step below it, the losers of one best in the order of their scores. What a critic that is a model answers
is kept by its gateway, so that a tuning which goes on hears the same words again, unpaid.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from movlr_jax.critics import offline
from movlr_jax.critics.base import Evidence
from movlr_jax.evaluation.evaluation import Evaluation
from movlr_jax.evaluation.work_items import Work
from movlr_jax.feedback import judging
from movlr_jax.feedback.feedback import Feedback
from movlr_jax.tuning.weight_study import WeightTrial, better

PREFERENCE = "preference"


class PreferenceObjective:
    """Gives trials their places.

    Args:
        evaluation: what measured them, with facts.
        feedback: whose critic compares.
    """

    def __init__(self, evaluation: Evaluation, feedback: Feedback):
        self.evaluation, self.feedback = evaluation, feedback

    def placed(self, trial: WeightTrial, work: Work, earlier: Sequence[tuple[WeightTrial, Work]]) -> WeightTrial:
        """Return a trial with its value and why.

        Args:
            trial: it, measured.
            work: what was measured of it.
            earlier: the trials before it, with their works.

        Raises:
            ModelFault: the critic cannot be asked.
        """
        if not earlier:
            return dataclasses.replace(trial, value=0.0, reason="It is the first.")
        best, best_work = max(earlier, key=lambda pair: better(pair[0], 1))
        assert best.value is not None
        motion, best_motion = self._evidence(trial, work), self._evidence(best, best_work)
        score = offline.score(motion.facts)
        decision = judging.gates_decide(trial.gates, best.gates)
        if decision is None:
            preference, _ = self.feedback.compare(motion, best_motion)
            decision = judging.settle({"score": score}, {"score": offline.score(best_motion.facts)}, preference)
        value = best.value + 1.0 if decision.kept else best.value - 1.0 + 0.009 * score  # scores are 0 to 100
        return dataclasses.replace(trial, value=value, reason=decision.reason)

    def _evidence(self, trial: WeightTrial, work: Work) -> Evidence:
        facts, clip = self.evaluation.evidence(work)
        return Evidence(facts, clip, f"trial {trial.number}")
