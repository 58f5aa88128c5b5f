"""The archive of elites: for each thing that a motion can do well, the iteration of a search that does it best.

An archive of several elites, each the best of its niche, keeps what a single best loses (MAP-Elites: Mouret and Clune, arXiv 1504.04909):
a fast walk that turns aside, and a slow one that does not, are both worth building on. Here a niche is an aim (`writers.base.NICHES`), and
one iteration may hold several. The archive is a function of the run's folder: nothing of it is kept.

In: the folder with its finished iterations. Out: Elites, the best first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from movlr_jax import goals
from movlr_jax.critics import handling
from movlr_jax.critics.body_reading import BodyReading
from movlr_jax.critics.body_rules import COORDINATION
from movlr_jax.critics.critique import Critique
from movlr_jax.critics.offline import OfflineCritic
from movlr_jax.critics.rules import faults
from movlr_jax.facts import Facts
from movlr_jax.runs.run_folder import RunFolder
from movlr_jax.tasks import gates
from movlr_jax.writers.base import NICHES, Elite, Niche

_DECIMALS = 3  # of a summed severity: less is no difference


@dataclass(frozen=True)
class Entry:
    """A finished iteration that has a motion.

    Attributes:
        iteration: which.
        metrics: its record, as metrics.json has it.
        facts: what was measured.
        outcome: what it came to, in one line.
        critique: what was said of it, or None.
    """

    iteration: int
    metrics: Mapping[str, Any]
    facts: Facts
    outcome: str = ""
    critique: Critique | None = None

    @property
    def place(self) -> tuple[float, ...]:
        """Its place by gates and score, which tells equals of a niche apart."""
        return gates.place(gates.read(self.metrics), None, float(self.metrics["score"]))


def elites(folder: RunFolder, programs: Mapping[int, str]) -> tuple[Elite, ...]:
    """Return the iterations that hold a niche, the best first, then in the order of their niches.

    Args:
        folder: the run's folder.
        programs: iteration -> the text of its program.
    """
    entries = []
    for row in folder.rows():
        if row.candidate is None or row.score is None:
            continue
        chosen = folder.chosen(row.iteration)
        outcome = next((attempt.outcome for attempt in row.tried if attempt.chosen), "")
        judged = chosen.critique()
        critique = None if judged.unjudged else judged
        entries.append(Entry(row.iteration, chosen.metrics(), chosen.facts(), outcome, critique))
    held: dict[int, list[Niche]] = {}
    for niche, iteration in holders(entries, folder.best()).items():
        held.setdefault(iteration, []).append(niche)
    by_number = {entry.iteration: entry for entry in entries}
    return tuple(_elite(by_number[number], tuple(niches), programs[number]) for number, niches in held.items())


def _elite(entry: Entry, niches: tuple[Niche, ...], source: str) -> Elite:
    score, severity = float(entry.metrics["score"]), clumsiness(entry.facts)
    return Elite(niches, entry.iteration, source, entry.outcome, score, entry.facts, severity, entry.critique)


def holders(entries: Sequence[Entry], best: int | None) -> dict[Niche, int]:
    """Return niche -> the iteration that holds it, in the order of `NICHES`; a niche that nobody can hold is left out.

    Of equals the one of the better gates and score holds it, then the earlier one.

    Args:
        entries: the iterations, oldest first.
        best: the iteration that was kept as best.
    """
    measures: dict[Niche, Callable[[Entry], float | None]] = {
        "farthest": lambda entry: progress(entry.facts),
        "longest": lambda entry: entry.facts.metrics.seconds,
        "coordinated": lambda entry: -clumsiness(entry.facts) if gates.read(entry.metrics).passed else None,
        "effortless": lambda entry: _ease(entry.facts),
    }
    held: dict[Niche, int] = {}
    for niche in NICHES:
        if niche == "best":
            found = best if any(entry.iteration == best for entry in entries) else None
        else:
            placed = [((value, *e.place), e.iteration) for e in entries if (value := measures[niche](e)) is not None]
            found = max(placed, key=lambda item: (item[0], -item[1]))[1] if placed else None
        if found is not None:
            held[niche] = found
    return held


def progress(facts: Facts) -> float | None:
    """Return how far a motion got by the goal's own measure, more being better; None where the goal has none.

    That is the share of the sentence that was reached, an object's nearness to its place (m, negative), or the way (m).
    """
    metrics = facts.metrics
    if (reached := metrics.number(goals.REACHED)) is not None:
        return reached
    if metrics.final_position_error_m is not None:
        return -metrics.final_position_error_m
    return metrics.distance_m if facts.goal_speed_mps else None


def clumsiness(facts: Facts) -> float:
    """Return the summed severity of a motion's coordination faults, as the offline critic's rules find them."""
    found = handling.faults(facts) if facts.object is not None else faults(COORDINATION, BodyReading(facts))
    return round(sum(fault.severity for fault in found if fault.stage == "coordination"), _DECIMALS)


def _ease(facts: Facts) -> float | None:
    """Return a motion's effort (mean squared activation), negative, where it does what the goal asks for; None where it does not."""
    effort = facts.metrics.number("effort")
    return -effort if effort is not None and OfflineCritic().critique(None, facts).success else None
