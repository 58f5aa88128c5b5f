"""The race of an iteration's programs: who is clearly worse is eliminated before the rest of its episodes is run.

Racing is Maron and Moore's (Hoeffding races, NIPS 1993), in the form of Birattari et al. (F-Race, GECCO 2002): all programs are measured on
the same instances, one after the other, and only those go on that are not clearly worse. Here an instance is a seed, the first a part of
one, and what is to be beaten stands beside the candidates: the best program so far, the incumbent, whose episodes are on record. A part of
an episode is what the whole begins with, so that it is compared with the incumbent's episode cut to the same time.

    rung 0      the first seeds[0] seconds of all candidates, where the whole is longer
    rung 1      those left, whole, on the first seed: each goes on where its part ended
    rung 2 ...  on one seed more, then on two, on four, as far as there are
    then        those left on all seeds, which is the end of the race: they are measured, and the best is chosen

Who is eliminated (`verdict`):

1. Who can no longer beat the incumbent by the gates, whatever the rest brings (`gates.at_best`): that is certain.
2. Who is no better than the incumbent by the gates over what both did, and clearly behind by score, unless it could still win by the gates.
   Over a part of the time scores are compared only where the goal is a way to go, which is gone evenly; what else is asked may come late.
   Where a model that watches decides what is kept, a score decides nothing here.
3. Who has worse gates, by what cannot be mended, than the leading candidate over what both did, or no better ones over whole episodes, and
   is clearly behind it by score.

Clearly behind: of one pair of episodes, by more than the configured margin, a share of the other's score; of several pairs, where the
probability that the mean of their differences is above 0 is less than SURE (`movlr_jax.feedback.confidence`).

In: what rungs measured. Out: who is eliminated, and why, in records.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from movlr_jax.critics.body_reading import WALKS
from movlr_jax.facts import Facts
from movlr_jax.feedback import confidence
from movlr_jax.runs import methods
from movlr_jax.runs.config import RunConfig
from movlr_jax.seeds import derive
from movlr_jax.tasks import gates

# Probability of being better below which a program is eliminated after several pairs of episodes.
SURE = 0.05
# Further seeds are below this: names of files and tables stay short.
_SEEDS = 2**31
# Gates that no further episode and no further second mends.
_LASTING = ("diverged", "fell", "late")


@dataclass(frozen=True)
class Rung:
    """What candidates have run before they are compared.

    Attributes:
        number: from 0.
        seeds: of the episodes.
        part: length of them that is run (s); None: they are whole.
    """

    number: int
    seeds: tuple[int, ...]
    part: float | None = None

    @property
    def words(self) -> str:
        """What was run, for people: "2 s of seed 0", "seeds 0, 1"."""
        named = f"seed{'s' if len(self.seeds) > 1 else ''} {', '.join(map(str, self.seeds))}"
        return named if self.part is None else f"{self.part:g} s of {named}"


def rungs(config: RunConfig, number: int, length: float, width: int = 1) -> list[Rung]:
    """Return the rungs of an iteration's race; none where there is no race.

    The start reward is raced with nobody; texts that are tuned are measured trial by trial, and what is behind as written may not be so
    under other weights; and where an engine runs all episodes of an iteration at the same time, one after the other takes longer.

    Args:
        config: the run's configuration.
        number: the iteration.
        length: of an episode (s).
        width: how many episodes run side by side.
    """
    at_once = 1 < config.candidates * len(config.seeds) <= width
    if not config.race.on or number == 0 or config.tune.applies(number) or at_once:
        return []
    shares: list[tuple[tuple[int, ...], float | None]] = []
    if config.race.seconds < length:
        shares.append((config.seeds[:1], config.race.seconds))
    count = 1
    while count < len(config.seeds):
        shares.append((config.seeds[:count], None))
        count *= 2
    return [Rung(n, seeds, part) for n, (seeds, part) in enumerate(shares)]


def extra_seeds(config: RunConfig) -> tuple[int, ...]:
    """Return the further seeds of near decisions, which follow from the run's own: large ones, apart from those that studies hold out."""
    seeds = list[int]()
    draw = 0
    while len(seeds) < config.race.extra_seeds:
        seed = derive(config.seeds[0], "extra", *config.seeds, draw) % _SEEDS
        if seed not in (*config.seeds, *seeds):
            seeds.append(seed)
        draw += 1
    return tuple(seeds)


@dataclass(frozen=True)
class Measured:
    """What a motion did over a rung.

    Attributes:
        metrics: its record, as metrics.json has it.
        scores: of each episode alone, in the order of the seeds.
    """

    metrics: Mapping[str, Any]
    scores: tuple[float, ...]

    @property
    def gates(self) -> gates.Gates:
        """The gates over the rung's episodes."""
        return gates.read(self.metrics)

    @property
    def place(self) -> tuple[Any, ...]:
        """Its place among the candidates, by gates and then score, as one is chosen; the larger is the better."""
        return gates.rank(self.gates), self.metrics["score"]


@dataclass(frozen=True)
class Verdict:
    """Why a program is eliminated.

    Attributes:
        by: "gates", which is certain or cannot be mended, or "score".
        against: "best" or "leader".
        reason: in a sentence.
    """

    by: str
    against: str
    reason: str


def by_score(config: RunConfig) -> bool:
    """Tell whether the score decides what is kept where the gates do not: no critic compares, or one that goes by it."""
    method = methods.of(config)
    return not method.compares or config.critic == ("clip" if method.looks else "offline")


def is_way(facts: Facts) -> bool:
    """Tell whether the goal is a way to go alone, which is gone evenly over the time."""
    return not facts.spoken and facts.object is None and (facts.goal_speed_mps or 0.0) > WALKS


class Judge:
    """Says who is eliminated at a rung.

    Args:
        config: the run's configuration.
        rung: the rung.
        best: what the incumbent did over the rung, and over all its episodes.
        best_name: what it is called.
        length: of an episode (s).
        way: whether the goal is a way to go alone.
    """

    def __init__(self, config: RunConfig, rung: Rung, best: tuple[Measured, Mapping[str, Any]], best_name: str, length: float, way: bool):
        self._config, self._rung, self._best_name = config, rung, best_name
        self._best, self._whole_best = best[0], gates.read(best[1])
        self._by_score, self._length, self._way = by_score(config), length, way

    def eliminated(self, candidates: Mapping[int, Measured]) -> dict[int, Verdict]:
        """Return who is eliminated, and why.

        Args:
            candidates: what each that is left did over the rung.
        """
        # max keeps the first of equals, as the choice does.
        leader = max(candidates, key=lambda k: candidates[k].place, default=None)
        verdicts = ((k, self._against_best(c) or self._against_leader(c, k, leader, candidates)) for k, c in candidates.items())
        return {k: verdict for k, verdict in verdicts if verdict is not None}

    def _against_best(self, candidate: Measured) -> Verdict | None:
        hoped = gates.at_best(candidate.metrics, len(self._config.seeds), self._length)
        name, hope, whole = self._best_name, gates.rank(hoped), gates.rank(self._whole_best)
        if hope < whole:
            return Verdict(
                "gates", "best", f"Worse than {name} by {gates.FAULTS[gates.decides(hoped, self._whole_best)]}, whatever follows."
            )
        timely = self._rung.part is None or self._way
        if not self._by_score or not timely or hope > whole or gates.rank(candidate.gates) > gates.rank(self._best.gates):
            return None
        behind = self._behind(candidate, self._best)
        return Verdict("score", "best", f"{behind} {name}.") if behind else None

    def _against_leader(self, candidate: Measured, k: int, leader: int | None, candidates: Mapping[int, Measured]) -> Verdict | None:
        if leader is None or k == leader:
            return None
        ahead, name = candidates[leader], "the leading program of the same iteration"
        gate = gates.decides(candidate.gates, ahead.gates)
        worse = bool(gate) and gates.rank(candidate.gates) < gates.rank(ahead.gates)
        behind = self._behind(candidate, ahead)
        if not behind or (gate and not worse):
            return None
        if worse and gate in _LASTING:
            return Verdict("gates", "leader", f"Worse by {gates.FAULTS[gate]} on the same seeds. {behind} {name}.")
        # A leader that is only begun may yet fall: a lead in score alone is none.
        return Verdict("score", "leader", f"{behind} {name}.") if self._rung.part is None else None

    def _behind(self, one: Measured, other: Measured) -> str:
        """Return by how much a motion is clearly behind another, as a sentence begins with it; "" where it is not."""
        differences = [a - b for a, b in zip(one.scores, other.scores, strict=True)]
        scale = sum(map(abs, other.scores)) / len(other.scores)
        chance = confidence.better(differences, scale)
        if chance is None:
            if -differences[0] <= self._config.race.margin * scale:
                return ""
            return f"Score {one.scores[0]:.3g} against {other.scores[0]:.3g} of"
        if chance >= SURE:
            return ""
        mean = sum(differences) / len(differences)
        return f"Behind in score by {-mean:.3g} on {len(differences)} seeds (a chance of {chance:.2g} to be the better) of"
