"""Records of finished iterations, made up: only what a test speaks of differs from an uneventful iteration."""

from __future__ import annotations

from typing import Any

from movlr_jax.runs.iteration_record import IterationRecord
from movlr_jax.writers.base import Attempt

PLAIN: dict[str, Any] = {
    "iteration": 0,
    "reward": "start",
    "metrics": {},
    "gates": {},
    "score": 50.0,
    "kept": True,
    "why": "",
    "weights": {},
    "term_classes": {},
    "critique": "",
    "edit": "",
    "changes": {},
    "parent": None,
    "candidate": 0,
    "refusals": [],
    "seconds": {},
}


def record(iteration: int = 0, **values: Any) -> IterationRecord:
    """Return an iteration's record."""
    return IterationRecord.read({**PLAIN, "iteration": iteration, **values})


def attempt(kept: bool = False, edit: str = "", **values: Any) -> Attempt:
    """Return a draft of the history."""
    return Attempt(**{"iteration": 0, "candidate": 0, "edit": edit, "kept": kept, "chosen": kept, **values})
