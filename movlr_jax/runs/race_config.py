"""How the programs of a search are raced, and how many further seeds a near decision may take.

Flows in: flags and YAML values. Flows out: a frozen record. `movlr_jax.searches.racing` says what the race is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from movlr_jax import episode_rules
from movlr_jax.errors import require

MOST_EXTRA = 100  # further seeds of one decision


@dataclass(frozen=True)
class RaceConfig:
    """How a search spends its simulation: programs that are clearly worse are eliminated early, near decisions get further seeds."""

    seconds: float = 2.0
    """How much of its first episode each program runs, on the first seed, before those that are left run whole [s]; 0: no race and no
    further seeds, all programs run whole on all seeds."""
    margin: float = 0.3
    """By how much of the other's score a program is behind to be eliminated, where one episode tells; of several, their spread does."""
    extra_seeds: int = 2
    """Further seeds, at most, on which a program and the best are run where they differ by less than the spread over the seeds; 0: none."""

    def __post_init__(self) -> None:
        """Refuse values that cannot be."""
        longest, most = episode_rules.LONGEST_S, MOST_EXTRA
        require(
            (0 <= self.seconds <= longest, f"race.seconds is {self.seconds:g}: give 0 (no race), or more and at most {longest:g}."),
            (0 < self.margin < math.inf, f"race.margin is {self.margin:g}: give a finite number above 0, such as 0.3."),
            (0 <= self.extra_seeds <= most, f"race.extra_seeds is {self.extra_seeds}: give from 0 to {most}."),
        )

    @property
    def on(self) -> bool:
        """Whether there is a race at all."""
        return self.seconds > 0


OFF = RaceConfig(seconds=0.0)
