"""What a model is shown of a motion: its clip, frames of it, or nothing; and what was measured, or not.

In: a Show, a clip, facts, the prompt whose words go around them. Out: parts of a ModelRequest.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from movlr_jax.critics import facts_text
from movlr_jax.errors import MovlrError, require
from movlr_jax.facts import Facts
from movlr_jax.llm.base import Image, Part, Video
from movlr_jax.llm.frames import evenly
from movlr_jax.prompts.prompt import Prompt


@dataclass(frozen=True)
class Show:
    """What the model that watches is shown."""

    clip: Literal["auto", "video", "frames", "nothing"] = "auto"
    """The clip, evenly spaced frames of it, or no picture; auto: what the method shows."""
    frames: int = 4
    """How many frames, where frames are shown; a single one is the middle one."""
    fps: float = 8.0
    """Frames of each second of the clip that the model looks at [1/s]; a gait cycle needs 8 or more. At most 24."""
    width: int = 480
    """Width of the clip and its frames [pixels]; the height is three quarters of it."""
    facts: bool = True
    """Whether the model is also told what was measured."""

    def __post_init__(self) -> None:
        """Refuse values that show nothing."""
        require(
            (1 <= self.frames <= 64, f"show.frames is {self.frames}: give 1 to 64."),
            (0 < self.fps <= 24, f"show.fps is {self.fps}: give more than 0 and at most 24."),
            (
                64 <= self.width <= 1920 and self.width % 8 == 0,
                f"show.width is {self.width}: give a multiple of 8 from 64 to 1920.",
            ),
            (
                self.facts or self.clip != "nothing",
                "Neither pictures nor measurements would be shown: leave out show.clip nothing or show.no-facts.",
            ),
        )


def measured(prompt: Prompt, show: Show, facts: Facts, shown: str = "facts", hidden: str = "no facts") -> str:
    """Return the prompt's block on what was measured, or the one that says that nothing was.

    Args:
        prompt: has both blocks.
        show: what is shown.
        facts: of the motion.
        shown: name of the one block.
        hidden: name of the other.
    """
    return prompt.words(shown, facts=facts_text.facts(facts)) if show.facts else prompt.words(hidden)


def pictures(prompt: Prompt, show: Show, clip: Path | None, facts: Facts) -> tuple[Part, ...]:
    """Return the prompt's block on the clip, with the clip or frames in it.

    Raises:
        MovlrError: there is no clip, or it cannot be read.
    """
    if show.clip == "nothing":
        return prompt.fill("nothing")
    if clip is None or not clip.is_file():
        raise MovlrError(
            "There is no clip to show to the model that watches: run where MuJoCo can draw (`movlr doctor` says why it cannot), "
            "or judge by measurements alone with --show.clip nothing."
        )
    overlay = prompt.words("hand overlay" if facts.object else "overlay")
    if show.clip == "frames":
        images = tuple(Image(data) for data in evenly(clip, show.frames))
        if show.frames == 1:
            return prompt.fill("one frame", overlay=overlay, clip=images)
        return prompt.fill("frames", count=str(len(images)), overlay=overlay, clip=images)
    return prompt.fill("video", fps=f"{show.fps:g}", overlay=overlay, clip=(Video(clip, show.fps),))
