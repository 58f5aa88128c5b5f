"""What may be asked of episodes, wherever it is asked, by flags or by values of a file: one sentence each for what cannot be."""

from __future__ import annotations

import math
from collections.abc import Sequence

Rule = tuple[bool, str]
LONGEST_S = 86_400.0
_LARGEST = 2**63 - 1  # of the generators of random numbers
_MOST_THREADS = 4096


def seeds(values: Sequence[int], name: str = "seeds", least: int = 1) -> tuple[Rule, ...]:
    """Return the rules of a list of seeds: at least so many, each once, none below 0."""
    given = " ".join(map(str, values))
    return (
        (len(values) >= least, f"{name} is empty: give at least one number."),
        (len(set(values)) == len(values), f"{name} has repeats ({given}): give each seed once."),
        (all(s >= 0 for s in values), f"{name} has a negative number ({given}): give 0 or more."),
        (all(s <= _LARGEST for s in values), f"{name} has a number that is too large ({given}): give at most {_LARGEST}."),
    )


def seconds(value: float | None) -> Rule:
    """Return the rule of an episode's length (s); None is the task's own."""
    fine = value is None or 0 < value <= LONGEST_S
    return (
        fine,
        f"seconds is {value:g}: give more than 0 and at most {LONGEST_S:g}, a day, or leave it out for the task's own." if not fine else "",
    )


def goal_speed(value: float | None) -> Rule:
    """Return the rule of a speed to aim for (m/s); None is the task's own."""
    if value is None or 0 <= value < math.inf:
        return True, ""
    return False, f"goal_speed is {value:g}: give 0 or more in m/s, or leave it out for the task's own."


def threads(value: int) -> Rule:
    """Return the rule of a number of threads."""
    return 0 <= value <= _MOST_THREADS, f"threads is {value}: give 0 (one a core), or at most {_MOST_THREADS}."
