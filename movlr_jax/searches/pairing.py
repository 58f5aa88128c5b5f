"""The chosen candidate and the best beside each other, seed by seed: whether the decision is near, and what further seeds add to it.

While the mean of the differences is within their spread, one further seed after the other is run for both, as far as the configuration
allows (`movlr_jax.feedback.confidence`); the best's episodes stay in its own folder, for the next that comes near. What is decided is
decided on all of them. Metrics and score of an iteration stay those of the run's own seeds, by which iterations are compared.

Flows in: a step of `state`, the folders of both, the stages. Flows out: the step's product, on the disk; what a decision goes by.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from movlr_jax import atomic
from movlr_jax.errors import BadFile
from movlr_jax.facts import Facts
from movlr_jax.feedback import confidence
from movlr_jax.runs.config import RunConfig
from movlr_jax.runs.records import Pairing
from movlr_jax.runs.run_folder import Candidate, Iteration, RunFolder, read_arrays
from movlr_jax.searches import racing
from movlr_jax.searches.inner_tuning import executed
from movlr_jax.searches.racer import scores
from movlr_jax.searches.stages import Arrays, Stages, measured, trusted

# What facts tell of all episodes, and not of one in detail.
OF_ALL = ("metrics", "episodes", "clip")


@dataclass(frozen=True)
class Side:
    """One of the two, over all seeds that a decision is made on.

    Attributes:
        metrics: the record, as metrics.json has it.
        facts: those of the run's own seeds, with the metrics of all.
    """

    metrics: dict[str, Any]
    facts: Facts


class Pairs:
    """Sets the chosen candidates of a run beside the best.

    Args:
        folder: the run's folder.
        config: its configuration.
        stages: what measures.
    """

    def __init__(self, folder: RunFolder, config: RunConfig, stages: Stages):
        self.folder, self.config, self.stages = folder, config, stages

    def _episodes(self, side: Candidate, extra: int) -> list[Arrays]:
        further = racing.extra_seeds(self.config)[:extra]
        return [read_arrays(p) for p in (*map(side.rollout, self.config.seeds), *map(side.extra, further))]

    def pair(self, number: int, candidate: Candidate, extra: int) -> None:
        """Set the candidate beside the best.

        Args:
            number: the iteration.
            candidate: the chosen one.
            extra: how many further seeds both have.
        """
        iteration, best = self.folder.iteration(number), self.folder.best()
        assert best is not None
        earlier: Pairing | None = iteration.pairings()[extra - 1] if extra else None
        sides = (candidate, "scores"), (self.folder.chosen(best), "best_scores")
        found, simulated = dict[str, list[float]](), 0.0
        for side, name in sides:
            episodes = self._episodes(side, extra)
            known: list[float] = earlier[name] if earlier else []  # type: ignore[literal-required]
            found[name] = scores(self.stages, trusted(side), episodes, known)
            if extra and (side is candidate or not self._ran_before(best, number, extra)):
                simulated += executed({"episodes": [self.stages.measure(episodes[-1])]})
        differences, scale = compared(found["scores"], found["best_scores"])
        atomic.write_json(
            iteration.pairing(extra),
            {
                "seeds": [*self.config.seeds, *racing.extra_seeds(self.config)[:extra]],
                **found,
                "near": confidence.near(differences, scale),
                "simulated_s": round(simulated, 6),
            },
        )

    def _ran_before(self, best: int, number: int, extra: int) -> bool:
        """Tell whether an earlier iteration had the best run on its n-th further seed already, its own or one that came near."""
        return any(len(self.folder.iteration(n).pairings()) > extra for n in range(best, number))

    def sides(self, iteration: Iteration, candidate: Candidate, best: Candidate) -> tuple[Side, Side]:
        """Return the candidate and the best over all the seeds that they were run on."""
        extra = max(len(iteration.pairings()) - 1, 0)
        return self._side(candidate, extra), self._side(best, extra)

    def _side(self, side: Candidate, extra: int) -> Side:
        if not extra:
            return Side(dict(side.metrics()), side.facts())
        facts, metrics = measured(self.stages, trusted(side), self._episodes(side, extra))
        # What is told in detail, and filmed, stays an episode of the run's own seeds.
        own = side.facts().model_copy(update={name: getattr(facts, name) for name in OF_ALL})
        return Side(metrics, own)


def compared(scores: list[float], best_scores: list[float]) -> tuple[list[float], float]:
    """Return the differences of two lists of scores, a pair each, and how large the scores of the second are.

    Raises:
        BadFile: they are no pairs.
    """
    if len(scores) != len(best_scores) or not scores:
        raise BadFile("A record in pairs/ has not as many scores of the one as of the other: delete the iteration's pairs/ and resume.")
    return [a - b for a, b in zip(scores, best_scores, strict=True)], sum(map(abs, best_scores)) / len(best_scores)
