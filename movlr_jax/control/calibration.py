"""Calibration of a muscle law's gain for one body: short walks over a grid of gains, measured, the best named.

The published gain does not carry over between bodies (`movlr_jax.control.laws.paper`), so each body has its own. What is measured is what
the gain is for: how long the body stays up and how far it walks under the human-designed straight-walking reward. A body that cannot walk
is judged by how long it stands, a hand by how long it holds its object and how near its goal it brings it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from movlr_jax.control import laws
from movlr_jax.control.episode import EpisodeRunner
from movlr_jax.control.planners.base import Planner
from movlr_jax.physics.simulator import Simulator


@dataclass(frozen=True)
class GainResult:
    """One gain: its episodes' metric records, the share of time that the body stayed up (or the object), and what else they are worth."""

    gain: float
    episodes: tuple[dict[str, Any], ...]
    upright: float
    worth: float

    @property
    def score(self) -> float:
        """Share of time stayed up plus the worth: staying up comes first, the rest decides among those that do."""
        return self.upright + self.worth


def worth(record: dict[str, Any]) -> float:
    """Return what an episode is worth beyond having stayed up: distance in tens of metres, or less error of an object in metres."""
    return -float(record["final_position_error_m"]) if "final_position_error_m" in record else float(record["distance_m"]) / 10.0


def calibrate(
    simulator: Simulator,
    planner: Planner,
    episode: Callable[[EpisodeRunner, int], dict[str, Any]],
    *,
    seconds: float,
    seeds: Sequence[int],
    gains: Sequence[float] | None = None,
    progress: Callable[[GainResult], None] | None = None,
) -> list[GainResult]:
    """Try each gain on each seed; return the results, best first.

    Args:
        simulator: the engine; all gains share it.
        planner: the planner, whose law is calibrated.
        episode: runs one seed's walk and returns its metric record.
        seconds: length of a walk (s).
        seeds: seeds, one walk each.
        gains: gains to try; the law's own grid if left out.
        progress: called after each gain.

    Raises:
        MovlrError: no such law.
    """
    name, _ = laws.resolve(planner.law, simulator.morphology)
    results = []
    for gain in gains or laws.LAWS[name].grid:
        law = laws.make(name, simulator.morphology, planner.plan_dt, gain)
        runner = EpisodeRunner(simulator, law, replace(planner, gain=gain))
        records = [episode(runner, seed) for seed in seeds]
        upright = sum(r["seconds"] for r in records) / (seconds * len(records))
        result = GainResult(gain, tuple(records), upright, sum(map(worth, records)) / len(records))
        results.append(result)
        if progress is not None:
            progress(result)
    return sorted(results, key=lambda r: -r.score)
