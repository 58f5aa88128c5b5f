"""ClipConfig: which CLIP looks at a motion, and what it compares its pictures with."""

from __future__ import annotations

from dataclasses import dataclass

from movlr_jax.errors import require


@dataclass(frozen=True)
class ClipConfig:
    """CLIP, which measures how much pictures of the motion look like the goal sentence (VLM-RM, arXiv 2310.12921)."""

    weights: str = ""
    """CLIP's weights: a folder, or a name on the hub such as openai/clip-vit-base-patch32 (bigger ones judge better); empty: CLIP does not
    look."""
    goal: str = ""
    """What a picture of the goal shows ("a skeleton kneeling on the floor"); empty: the goal sentence."""
    baseline: str = "a human skeleton standing upright"
    """What a picture of the body without the goal shows."""
    alpha: float = 0.5
    """Goal-baseline regularisation: 0 is plain CLIP, 1 sees only the way from the baseline to the goal."""
    fps: float = 4.0
    """Pictures of each second of the motion [1/s]."""
    last: float = 1.0
    """Share of the motion, at its end, that makes the score: 1 is all of it, 0.25 suits a pose that is to be reached."""
    gate: float = -1.0
    """A motion whose score is below this is worse than any above it, whatever the critic says; -1: no gate."""

    def __post_init__(self) -> None:
        """Refuse values that cannot be."""
        require(
            (0.0 <= self.alpha <= 1.0, f"clip.alpha is {self.alpha}: give 0 to 1."),
            (0.0 < self.fps <= 60.0, f"clip.fps is {self.fps}: give more than 0 and at most 60."),
            (0.0 < self.last <= 1.0, f"clip.last is {self.last}: give more than 0 and at most 1."),
            (-1.0 <= self.gate <= 1.0, f"clip.gate is {self.gate}: a score is between -1 and 1."),
            (self.alpha == 0.0 or bool(self.baseline.strip()), "clip.baseline is empty: give a sentence, or clip.alpha 0."),
        )
