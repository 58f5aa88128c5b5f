"""The steps of a race: the beginnings of episodes, what was done at a rung, and who is eliminated.

Flows in: a step of `state`, the candidates' folders, the stages. Flows out: the step's product, on the disk. The rule is `racing`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from movlr_jax import atomic
from movlr_jax.facts import Facts
from movlr_jax.runs.config import RunConfig
from movlr_jax.runs.run_folder import Candidate, RunFolder, read_arrays
from movlr_jax.searches import racing
from movlr_jax.searches.racing import Measured, Rung
from movlr_jax.searches.stages import Arrays, Begun, Stages, Trusted, measured, trusted


class Racer:
    """Makes the products of a run's races.

    Args:
        folder: the run's folder.
        config: its configuration.
        stages: what moves and measures.
        report: reports an event by its kind and iteration, with more fields by name.
    """

    def __init__(self, folder: RunFolder, config: RunConfig, stages: Stages, report: Callable[..., None]):
        self.folder, self.config, self.stages = folder, config, stages
        self._report = report

    def begin(self, rewards: Sequence[tuple[Candidate, Trusted]], rung: Rung, advanced: Callable[[float], None]) -> None:
        """Run the beginnings of candidates' first episodes."""
        assert rung.part is not None
        begun = self.stages.begin([(reward, rung.seeds[0]) for _, reward in rewards], rung.part, advanced)
        for (candidate, _), start in zip(rewards, begun, strict=True):
            if start.after is not None:
                atomic.write_npz(candidate.after, start.after)
            atomic.write_npz(candidate.part, start.rollout)  # last: it says that the other is there

    def begun(self, candidate: Candidate, seed: int) -> Begun | None:
        """Return the beginning of a candidate's episode that is to be gone on with, or None where there is none."""
        if seed != self.config.seeds[0] or not candidate.part.exists():
            return None
        return Begun(read_arrays(candidate.part), read_arrays(candidate.after) if candidate.after.exists() else None)

    @staticmethod
    def forget(candidate: Candidate) -> None:
        """Remove the beginning of an episode that is whole now."""
        candidate.part.unlink(missing_ok=True)
        candidate.after.unlink(missing_ok=True)

    def gauge(self, candidate: Candidate, rung: Rung) -> None:
        """Measure what a candidate did at a rung."""
        if rung.part is None:
            self.forget(candidate)
            rollouts = [read_arrays(candidate.rollout(seed)) for seed in rung.seeds]
        else:
            rollouts = [read_arrays(candidate.part)]
        earlier = candidate.rung(rung.number - 1)  # whole episodes, where this rung has several
        before = earlier.metrics().get("scores", []) if rung.seeds[1:] and earlier.has("metrics.json") else []
        facts, metrics = self._measured(trusted(candidate), rollouts, before)
        place = candidate.rung(rung.number)
        atomic.write_json(place["facts.json"], facts.to_json())
        atomic.write_json(place["metrics.json"], metrics)

    def _measured(self, reward: Trusted, rollouts: Sequence[Arrays], before: Sequence[float] = ()) -> tuple[Facts, dict[str, Any]]:
        """Return the facts and metrics of episodes, each one's score among them; those of the first may be known."""
        facts, metrics = measured(self.stages, reward, rollouts)
        return facts, {**metrics, "scores": scores(self.stages, reward, rollouts, before, metrics["score"])}

    def eliminate(self, number: int, rung: Rung, left: Sequence[Candidate]) -> None:
        """Say who is eliminated at a rung.

        Args:
            number: the iteration.
            rung: the rung.
            left: the candidates that are left, all measured there.
        """
        best = self.folder.best()
        assert best is not None  # there is no race in iteration 0
        incumbent = self.folder.chosen(best)
        rollouts: list[Arrays] = [read_arrays(incumbent.rollout(seed)) for seed in rung.seeds]
        if rung.part is not None:
            rollouts = [self.stages.cut(rollout, rung.part) for rollout in rollouts]
        own = _as_measured(self._measured(trusted(incumbent), rollouts)[1])
        over_rung = {c.index: _as_measured(dict(c.rung(rung.number).metrics())) for c in left}
        way = racing.is_way(incumbent.facts())
        judge = racing.Judge(self.config, rung, (own, incumbent.metrics()), f"iteration {best}, the best so far", self.stages.seconds, way)
        eliminated = judge.eliminated(over_rung)
        atomic.write_json(
            self.folder.iteration(number).race(rung.number),
            {
                "rung": rung.number,
                "ran": rung.words,
                "seeds": list(rung.seeds),
                "part": rung.part,
                "best": best,
                "best_score": own.metrics["score"],
                "scores": {str(k): did.metrics["score"] for k, did in over_rung.items()},
                "eliminated": [{"candidate": k, **vars(verdict)} for k, verdict in eliminated.items()],
            },
        )
        for k, verdict in eliminated.items():
            message = f"candidate {k} after {rung.words}: {verdict.reason}"
            self._report("eliminated", number, stage="move", candidate=k, message=message)


def _as_measured(metrics: dict[str, Any]) -> Measured:
    return Measured(metrics, tuple(metrics["scores"]))


def scores(
    stages: Stages, reward: Trusted, rollouts: Sequence[Arrays], before: Sequence[float] = (), whole: float | None = None
) -> list[float]:
    """Return the score of each episode alone.

    Args:
        stages: measure.
        reward: moved them.
        rollouts: the episodes.
        before: the scores of the first of them, where they are known.
        whole: the score of all of them, where it is known.
    """
    if len(rollouts) == 1 and whole is not None:
        return [whole]
    return [*before, *(measured(stages, reward, [rollout])[1]["score"] for rollout in rollouts[len(before) :])]
