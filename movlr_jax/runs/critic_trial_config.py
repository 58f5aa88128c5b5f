"""CriticTrialConfig: how critics are tried on pairs of motions with a known order.

Flows in: flags. Flows out: a frozen record.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from movlr_jax.critics.attachments import Show
from movlr_jax.errors import require
from movlr_jax.llm.config import ModelsConfig
from movlr_jax.vision.config import ClipConfig


@dataclass(frozen=True, kw_only=True)
class CriticTrialConfig:
    """How critics are tried."""

    critics: tuple[str, ...] = ("offline",)
    """Who is on trial: offline, clip, gemini, openai, those of other packages; gemini=MODEL and openai=MODEL name the model."""
    kinds: tuple[str, ...] = ()
    """Kinds of pairs; all that the motions allow if left out."""
    pairs: int = 10
    """Pairs of each kind, at most."""
    critiques: int = 5
    """Pairs of each kind, at most, both of whose motions are criticised; 0: none."""
    seed: int = 0
    """Draws which pairs are made of which motions, and which of two is shown as the first."""
    show: Show = field(default_factory=Show)
    """What models are shown; with --show.no-facts their eyes alone are tried."""
    models: ModelsConfig = field(default_factory=ModelsConfig)
    """The models that critics ask."""
    clip: ClipConfig = field(default_factory=ClipConfig)
    """CLIP, for the critic clip."""
    max_calls: int = 0
    """Stop before the trial makes more model calls than this, with everything saved; 0: no limit."""
    max_cost: float = 0.0
    """Stop, with everything saved, once the trial's model calls have cost this much [USD]; 0: no limit."""
    tracking: Literal["off", "offline", "online"] = "off"
    """Weights & Biases beside the local files: off, offline (files in the folder) or online."""
    project: str = "movlr-jax"
    """Weights & Biases project."""

    def __post_init__(self) -> None:
        """Refuse values that no trial can have."""
        require(
            (self.pairs >= 1, f"pairs is {self.pairs}: give 1 or more."),
            (self.critiques >= 0, f"critiques is {self.critiques}: give 0 or more."),
            (self.max_calls >= 0, f"max_calls is {self.max_calls}: give 0 (no limit) or more."),
            (self.max_cost >= 0, f"max_cost is {self.max_cost}: give 0 (no limit) or more."),
        )
