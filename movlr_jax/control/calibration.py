"""Calibration of a muscle law's gain for one body: short walks over a grid of gains, measured, the best named.

The published gain does not carry over between bodies (module muscle_law), so each body has its own. What is measured is what the gain is
for: how long the body stays up and how far it walks under the human-designed straight-walking reward. A body that cannot walk is judged
by how long it stands, a hand by how long it holds its object and how near its goal it brings it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from movlr_jax.control import muscle_law
from movlr_jax.control.episode import EpisodeRunner
from movlr_jax.control.planner import PlannerConfig
from movlr_jax.physics.simulator import Simulator

GRIDS: dict[str, tuple[float, ...]] = {
    "fibre-strain": (3.0, 5.0, 10.0, 20.0, 40.0, 80.0),
    "posture-weighted": (1e3, 3e3, 1e4, 3e4, 1e5),
    "paper": (3e3, 1e4, 3e4, 1e5, 1e6, 1e7),
    "paper-hoisted": (3e3, 1e4, 3e4, 1e5, 1e6, 1e7),
}


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
    config: PlannerConfig,
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
        config: the planner's settings, the law among them.
        episode: runs one seed's walk and returns its metric record.
        seconds: length of a walk (s).
        seeds: seeds, one walk each.
        gains: gains to try; the law's own grid if left out.
        progress: called after each gain.

    Raises:
        MovlrError: no such law.
    """
    name, _ = muscle_law.resolve(config.law, simulator.morphology)
    grid = gains or GRIDS[name]
    results = []
    for gain in grid:
        law = muscle_law.make(name, simulator.morphology, config.plan_dt, gain)
        runner = EpisodeRunner(simulator, law, replace(config, gain=gain))
        records = [episode(runner, seed) for seed in seeds]
        upright = sum(r["seconds"] for r in records) / (seconds * len(records))
        result = GainResult(gain, tuple(records), upright, sum(map(worth, records)) / len(records))
        results.append(result)
        if progress is not None:
            progress(result)
    return sorted(results, key=lambda r: -r.score)
