"""ValueConfig: every value of the learning of a terminal value, with its default."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from movlr_jax.errors import MovlrError


@dataclass(frozen=True, kw_only=True)
class ValueConfig:
    """What is learnt of falls, and how."""

    target: Literal["within", "discounted"] = "within"
    """What is learnt: whether a fall comes within the window, or how soon, exp(-time to it / (window / 2))."""
    window: float = 1.5
    """How far ahead a fall is foreseen [s]."""
    layers: tuple[int, ...] = (64, 64)
    """Hidden layers of the network."""
    updates: int = 500
    """Gradient steps."""
    batch: int = 256
    """Instants in each."""
    learning_rate: float = 1e-3
    """Adam's, which falls to nothing by a cosine."""
    decay: float = 0.1
    """Weight decay."""
    jitter: float = 1.0
    """Standard deviation of the noise on normalised features while learning, which keeps the network smooth; it learns from
    few falls, and of rollouts that none of them is like."""
    folds: int = 4
    """Parts of the episodes; each is foretold by a network that has learnt from the others, and the last network learns from all."""
    seed: int = 0
    """Of the split, the first weights and the batches."""

    def __post_init__(self) -> None:
        """Refuse values that nothing can have."""
        for name in ("updates", "batch", "window", "learning_rate"):
            if not 0 < getattr(self, name) < float("inf"):
                raise MovlrError(f"{name} is {getattr(self, name):g}: give a number above 0.")
        for name in ("decay", "jitter", "seed"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise MovlrError(f"{name} is {getattr(self, name):g}: give 0 or more.")
        if self.folds < 2:
            raise MovlrError(f"folds is {self.folds}: give 2 or more.")
        if not all(1 <= width <= 1024 for width in self.layers):
            raise MovlrError("layers holds widths: give numbers from 1 to 1024.")
