"""What a model is shown of a motion: its films, pictures of them, or nothing; and what was measured, or not.

In: a Show, the films of one episode or two, facts, the prompt whose words go around them. Out: parts of a ModelRequest. How many pictures a
request may hold is bounded, whatever is asked for; where an episode ended in a fall, half of them are of the time before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from movlr_jax.critics import facts_text
from movlr_jax.critics.base import Evidence
from movlr_jax.errors import MovlrError, require
from movlr_jax.facts import Facts
from movlr_jax.llm import frames
from movlr_jax.llm.base import Image, Part, Text, Video
from movlr_jax.prompts.prompt import Prompt
from movlr_jax.tasks import gates

# Pictures that one request holds, all its films together; a picture of 840 x 360 costs Qwen2.5-VL some 400 tokens.
MOST_PICTURES = 32
_FALL_S = 1.0  # the time before a fall that is looked at closely (s)
_CLOSELY = 6  # from this many pictures on; fewer are spread over the whole time
_BEFORE_END_S = 0.08  # of a fall, no picture but the last is later than this before the end (s): a clip has 25 frames a second


@dataclass(frozen=True)
class Show:
    """What the model that watches is shown."""

    clip: Literal["auto", "video", "frames", "nothing"] = "auto"
    """The clip, frames of it, or no picture; auto: what the method shows."""
    frames: int = 4
    """How many frames of an episode, where frames are shown (a request holds at most 32); a single one is the middle one."""
    fps: float = 8.0
    """Frames of each second of the clip that the model looks at [1/s]; a gait cycle needs 8 or more. At most 24; fewer where two motions
    are compared, which takes 32 in all."""
    width: int = 480
    """Width of the view from the side [pixels]; the height is three quarters of it, and the view from the front beside it is as wide as
    high."""
    front: bool = True
    """Whether the view from the front stands beside that from the side."""
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


@dataclass(frozen=True)
class Shot:
    """The film of one episode.

    Attributes:
        clip: its path, or None.
        facts: the motion's, with this episode in detail.
        seed: its seed, where the motion has several.
        place: "worst", "best", or "" where nothing is said of it.
    """

    clip: Path | None
    facts: Facts
    seed: int | None = None
    place: str = ""

    @property
    def seconds(self) -> float:
        """How long the episode went on (s)."""
        length = self.facts.episode(self.seed).seconds
        fall = self.facts.fall.time_s if self.facts.fall else None
        return float(length if length is not None else fall if fall is not None else self.facts.seconds)

    @property
    def early(self) -> bool:
        """Whether it ended before its time: in a fall, a drop, or a simulation that diverged."""
        dropped = self.facts.object is not None and self.facts.object.dropped is not None
        return self.facts.fall is not None or dropped or gates.ended_early(self.facts.episode(self.seed).root)

    def moments(self, count: int) -> tuple[float, ...]:
        """Return when so many pictures are taken but the last, which shows the end (s); none where the episode's length is not known."""
        end = self.seconds
        if count < 2 or end <= 0.0:
            return ()
        close = count // 2 if self.early and count >= _CLOSELY and end > _FALL_S else 0
        if close:
            begins = end - _FALL_S
            times = [*np.linspace(0.0, begins, count - close, endpoint=False), *np.linspace(begins, end, close)[:-1]]
        else:
            times = list(np.linspace(0.0, end, count)[:-1])
        latest = max(end - _BEFORE_END_S, 0.0) if self.early else end
        return tuple(dict.fromkeys(round(float(min(t, latest)), 3) for t in times))


def worst_and_best(motion: Evidence) -> list[Shot]:
    """Return the films by which one motion is judged: of the worst and the best of several episodes, where there are such; or the first."""
    shots = [Shot(motion.clips.get(e.seed), motion.facts.of(e.seed), e.seed, e.place) for e in motion.facts.extremes]
    filmed = [shot for shot in shots if shot.clip is not None]
    return filmed or [Shot(motion.clip, motion.facts, motion.facts.seed if shots else None)]


def of_seeds(motion: Evidence, seeds: Sequence[int]) -> list[Shot]:
    """Return the films of some seeds, without a word on their places; the only film where there are no seeds."""
    own = {} if motion.facts.seed is None else {motion.facts.seed: motion.clip}
    return [Shot(motion.clips.get(s, own.get(s)), motion.facts.of(s), s) for s in seeds] or [Shot(motion.clip, motion.facts)]


def measured(prompt: Prompt, show: Show, facts: Facts, shown: str = "facts", hidden: str = "no facts", seeds: Sequence[int] = ()) -> str:
    """Return the prompt's block on what was measured, or the one that says that nothing was.

    Args:
        prompt: has both blocks.
        show: what is shown.
        facts: of the motion.
        shown: name of the one block.
        hidden: name of the other.
        seeds: as `facts_text.facts`.
    """
    return prompt.words(shown, facts=facts_text.facts(facts, seeds=seeds)) if show.facts else prompt.words(hidden)


def pictures(prompt: Prompt, show: Show, shots: Sequence[Shot], share: int = 1, fps: float | None = None) -> tuple[Part, ...]:
    """Return the prompt's block on the films, with the films or pictures of them in it.

    Args:
        prompt: has the blocks.
        show: what is shown.
        shots: the films, of one motion.
        share: how many motions the request shows: each has that share of the pictures.
        fps: frames of each second that are looked at [1/s]; None: as `show` says.

    Raises:
        MovlrError: there is no clip, or it cannot be read.
    """
    if show.clip == "nothing":
        return prompt.fill("nothing")
    if any(shot.clip is None or not shot.clip.is_file() for shot in shots):
        raise MovlrError(
            "There is no clip to show to the model that watches: run where MuJoCo can draw (`movlr doctor` says why it cannot), "
            "or judge by measurements alone with --show.clip nothing."
        )
    overlay = prompt.words("hand overlay" if shots[0].facts.object else "overlay")
    most = max(MOST_PICTURES // (share * len(shots)), 1)
    fps = show.fps if fps is None else fps
    parts: list[Part] = []
    for shot in shots:
        assert shot.clip is not None
        if shot.seed is not None:
            parts.append(Text(f"{prompt.words('place' if shot.place else 'seed', **_words(shot))}\n"))
        if show.clip == "frames":
            parts += [Image(data) for data in _frames(shot.clip, shot, min(show.frames, most))]
        else:
            count = min(most, max(2, round(shot.seconds * fps)))
            parts.append(Video(shot.clip, fps, shot.moments(count)))
        if shot.seed is not None:
            parts.append(Text("\n"))
    count = sum(isinstance(part, Image) for part in parts)
    if show.clip == "frames" and count == len(shots) == 1:
        return prompt.fill("one frame", overlay=overlay, clip=tuple(parts))
    if show.clip == "frames":
        return prompt.fill("frames", count=str(count), overlay=overlay, clip=tuple(parts))
    return prompt.fill("video", fps=f"{fps:.3g}", overlay=overlay, clip=tuple(parts))


def _words(shot: Shot) -> dict[str, str]:
    return {"seed": str(shot.seed), **({"place": shot.place} if shot.place else {})}


def _frames(clip: Path, shot: Shot, count: int) -> list[bytes]:
    moments = shot.moments(count)
    return frames.at(clip, moments) if moments else frames.evenly(clip, count)


def slow_enough(show: Show, shots: Sequence[Shot]) -> float:
    """Return the rate at which some films together have no more frames than a request may hold [1/s], at most what `show` says."""
    seconds = sum(shot.seconds for shot in shots)
    return min(show.fps, MOST_PICTURES / seconds) if seconds > 0 else show.fps
