"""Tuning inside a search: structure from the writer, weights and parameters from an optimiser.

In: a candidate whose text was proven as it was written. Out: the trials of its weights and parameters, each measured as the search
measures, and the text under the best of them, proven itself. The search's own rule says which is best: gates, then score; the text as
written is trial 0, and stays where nothing is better.

The trials are records in the candidate's folder and nothing else: the optimiser is given them anew for each draw, so a run that was killed
draws what it would have drawn.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from movlr_jax import atomic
from movlr_jax.errors import MovlrError
from movlr_jax.evaluation import study_limits
from movlr_jax.feedback import judging
from movlr_jax.rewards.parameters import values_of
from movlr_jax.rewards.program import literal_parameters, literal_weights
from movlr_jax.runs.config import RunConfig
from movlr_jax.runs.run_folder import Candidate, read_arrays
from movlr_jax.sandbox.proof import Proof
from movlr_jax.searches.stages import Stages, Trusted, measured
from movlr_jax.seeds import derive
from movlr_jax.tasks import gates
from movlr_jax.tuning.weight_study import Drawn, WeightStudy, WeightTrial
from movlr_jax.writers import edits
from movlr_jax.writers.base import Draft


class InnerTuner:
    """Tunes the weights and parameters of a run's candidates.

    Args:
        config: the run's configuration.
        stages: what moves, measures and proves.
    """

    def __init__(self, config: RunConfig, stages: Stages):
        self.config, self.stages = config, stages

    def drawn(self, iteration: int, candidate: Candidate, trial: int) -> Drawn:
        """Return the weights and parameters of a trial, from those of the trials before it.

        Raises:
            MovlrError: those on record are not what the optimiser draws.
        """
        tune, run, text = self.config.tune, self.config.seed, candidate.written.text()
        own, parameters = literal_weights(text), literal_parameters(text) if tune.parameters else {}
        if trial == 0 or not (any(own.values()) or parameters):
            return Drawn(own, values_of(parameters))
        key = functools.partial(derive, run, "tune", iteration, candidate.index)
        study = WeightStudy(own, tune.sampler, tune.span, key, parameters=parameters)
        study.begin()
        for number, record in enumerate(candidate.trials()[:trial]):
            proposal, drawn = study.ask(number)
            if drawn != Drawn.of(record):
                raise MovlrError(
                    f"{candidate.trial(number).path} holds other values than are drawn here (another version of Optuna, or a changed "
                    f"file): delete {candidate.path / 'tune'} and resume; the trials are made again."
                )
            study.tell(proposal, as_trial(number, record), 1)
        return study.ask(trial)[1]

    def to_move(self, iteration: int, candidate: Candidate, trial: int, reward: Trusted) -> Trusted | None:
        """Return the reward under a trial's values, or None where an earlier trial had the same and its record is taken over."""
        drawn = self.drawn(iteration, candidate, trial)
        records = candidate.trials()
        same = next((n for n, record in enumerate(records[:trial]) if Drawn.of(record) == drawn), None)
        if same is None:
            return dataclasses.replace(reward, weights=drawn.weights, parameters=drawn.parameters)
        atomic.write_json(candidate.trial(trial)["trial.json"], {**records[same], "trial": trial, "same_as": same, "simulated_s": 0.0})
        return None

    def weigh(self, iteration: int, candidate: Candidate, trial: int, reward: Trusted) -> None:
        """Measure a trial's episodes, and keep those of the best trial so far alone."""
        rollouts = [read_arrays(candidate.trial(trial).rollout(seed)) for seed in self.config.seeds]
        drawn = self.drawn(iteration, candidate, trial)
        weighed = dataclasses.replace(reward, weights=drawn.weights, parameters=drawn.parameters)
        _, metrics = measured(self.stages, weighed, rollouts)
        record = {**metrics, "trial": trial, **drawn.document(), "simulated_s": executed(metrics)}
        atomic.write_json(candidate.trial(trial)["trial.json"], record)
        best, _ = judging.choose(list(enumerate(candidate.trials())))
        for number in range(trial + 1):
            if number != best:
                self._forget(candidate.trial(number))

    def settle(self, candidate: Candidate, name: str, prove: Callable[[Draft], Proof]) -> str:
        """Make the text under the best values the candidate's, proven; a proof that refuses them leaves the next best for the next call.

        Args:
            candidate: the candidate, all trials over.
            name: what its text is called.
            prove: the sandbox.

        Returns:
            Why the sandbox refused, or "" where the candidate is settled.
        """
        records, written = candidate.trials(), candidate.written
        left = [(n, record) for n, record in enumerate(records) if not candidate.trial(n).has("refusal.json")]
        best, _ = judging.choose(left)
        assert best is not None  # trial 0 was proven as it was written
        taken, verdict = Drawn.of(records[best]), dict[str, Any](written.verdict())
        text, artifact, proven = candidate.written.text(), written.artifact(), written.weights()
        if changes := edits.to_values(text, taken.weights, taken.parameters):
            try:
                text = edits.apply(text, changes)
                proof = prove(Draft(text, edits.describe(changes), name=name))
                verdict, reward = proof.verdict.to_json(), proof.reward
            except edits.EditError as error:
                verdict, reward = {"trusted": False, "sentence": str(error), "line": None}, None
            if reward is None:
                atomic.write_json(candidate.trial(best)["refusal.json"], verdict)
                return str(verdict["sentence"])
            artifact, proven = reward.artifact, reward.weight_of()
        # The episodes of the trial are those of the text if the program is the same to the last byte, but for its weights.
        same = artifact == written.artifact()
        atomic.write_json(
            candidate["tuned.json"],
            {
                "trial": best,
                "trials": len(records),
                "unmoved": not told_apart(records),
                "score_as_written": records[0]["score"],
                "score": records[best]["score"],
                "moved_again": not same,
                "simulated_s": round(sum(record["simulated_s"] for record in records), 6),
            },
        )
        for seed in self.config.seeds if same else ():
            episode = candidate.trial(best).rollout(seed)
            if episode.exists():
                episode.replace(candidate.rollout(seed))
        for number in range(len(records)):
            self._forget(candidate.trial(number))
        candidate.keep(text, artifact, proven, verdict)
        return ""

    def _forget(self, trial: Candidate) -> None:
        for seed in self.config.seeds:
            trial.rollout(seed).unlink(missing_ok=True)


def told_apart(trials: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether any set of values came out otherwise than those that were written: by gates or score."""
    first, *others = [(gates.read(trial), trial["score"]) for trial in trials]
    return any(other[0] != first[0] or not study_limits.equal(other[1], first[1]) for other in others)


def executed(summary: Mapping[str, Any]) -> float:
    """Return how much motion the episodes of a metrics record executed [s]."""
    return round(sum(float(episode.get("seconds") or 0.0) for episode in summary["episodes"]), 6)


def as_trial(number: int, record: Mapping[str, Any]) -> WeightTrial:
    """Return a trial's record as an optimiser reads it: the score, and the gates."""
    amounts, count, drawn = gates.read(record).amounts(), max(len(record["episodes"]), 1), Drawn.of(record)
    return WeightTrial(number, drawn.weights, record["score"], amounts, record["falls"], count, parameters=drawn.parameters)
