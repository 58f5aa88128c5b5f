"""Motions as critics are shown them: recorded or changed, measured once, filmed where somebody looks, kept in a folder.

In: `Motion`, a recorded episode and a change of it. Out: facts, films and CLIP's score, of one episode or of several told together as a run
tells its seeds. What the folder has already is read: facts under a key of the motion and of the versions that measured it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from movlr_jax import atomic
from movlr_jax._versions import installed
from movlr_jax.control.episode import Rollout
from movlr_jax.critics import offline
from movlr_jax.critics.attachments import Show
from movlr_jax.critics.base import Evidence
from movlr_jax.errors import MovlrError
from movlr_jax.evaluation import clip_curve, filming, measures, motion_changes
from movlr_jax.evaluation.archives import Recorded
from movlr_jax.evaluation.episode_store import key_of
from movlr_jax.facts import Facts, Gait, Measures, Seen
from movlr_jax.gait.trajectory import number
from movlr_jax.morphologies import Morphology
from movlr_jax.tasks import Task, gates, metric_registry, metrics
from movlr_jax.vision.clip_reward import ClipReward
from movlr_jax.vision.config import ClipConfig
from movlr_jax.vision.encoder import Encoder

FACTS, FILMS, SCORES = "facts", "clips", "clip_scores"
_PACKAGES = ("movlr-jax", "mujoco", "numpy")

# Name of a change -> what makes it of body, task, episode and a value.
CHANGES: dict[str, Callable[[Morphology, Task, Rollout, Any], Rollout]] = {
    "": lambda body, task, rollout, value: rollout,
    "again": lambda body, task, rollout, value: motion_changes.again(body, task, rollout),
    "first part": lambda body, task, rollout, value: motion_changes.shortened(rollout, value),
    "until": lambda body, task, rollout, value: motion_changes.shortened(rollout, value, value),
    "first part, again": lambda body, task, rollout, value: motion_changes.again(
        body, task, motion_changes.shortened(rollout, value, value)
    ),
    "mirrored": lambda body, task, rollout, value: motion_changes.mirrored(body, task, rollout),
    "turned": motion_changes.turned,
    "paced": motion_changes.paced,
    "backward": lambda body, task, rollout, value: motion_changes.backward(body, task, rollout),
    "limping": motion_changes.limping,
}


@dataclass(frozen=True, eq=False)
class Motion:
    """One episode as it is shown.

    Attributes:
        recorded: what it was made of.
        change: a name of `CHANGES`; "": none.
        value: how much, or which leg.
    """

    recorded: Recorded
    change: str = ""
    value: float | str = 0.0

    @property
    def key(self) -> str:
        """16 hexadecimal digits that stand for it."""
        return key_of({"recorded": self.recorded.key, "change": self.change, "value": self.value})

    def words(self) -> str:
        """Say what it is, for people."""
        value = self.value if isinstance(self.value, str) else f"{self.value:g}" if self.value else ""
        return self.recorded.source + (f" ({' '.join(filter(None, (self.change, value)))})" if self.change else "")

    def rollout(self) -> Rollout:
        """Return the episode, which figures alone have not.

        Raises:
            MovlrError: it cannot be changed so.
        """
        recorded = self.recorded
        assert recorded.body is not None and recorded.rollout is not None
        return CHANGES[self.change](recorded.body, recorded.task, recorded.rollout, self.value)


class MeasuredMotions:
    """Measures and films motions into a folder.

    Args:
        folder: for facts, films and scores.
        show: what models are shown, of which the size of films and their rate follow.
        encoder: CLIP; None: nothing is scored.
        clip: what CLIP compares with.
    """

    def __init__(self, folder: Path, show: Show, encoder: Encoder | None = None, clip: ClipConfig | None = None):
        self.folder, self._show, self._encoder, self._clip = folder, show, encoder, clip or ClipConfig()
        self._known: dict[str, Facts] = {}
        self._eyes: dict[str, ClipReward] = {}
        self.seconds_of_clip = 0.0

    def facts(self, motion: Motion) -> Facts:
        """Return what was measured of one episode.

        Raises:
            MovlrError: it cannot be changed as it was to be.
        """
        key = key_of({"motion": motion.key, "versions": {name: installed(name) for name in _PACKAGES}})
        if key not in self._known:
            path = self.folder / FACTS / f"{key}.json"
            if not path.exists():
                atomic.write_json(path, self._measure(motion).to_json())
            try:
                self._known[key] = Facts.read(atomic.read_json(path))
            except (OSError, ValueError) as error:
                raise MovlrError(f"{path} holds no facts ({type(error).__name__}): delete it, and the motion is measured again.") from None
        return self._known[key]

    def _measure(self, motion: Motion) -> Facts:
        recorded = motion.recorded
        if recorded.body is not None:
            return measures.described(recorded.task, recorded.body, motion.rollout())
        record = Measures(atomic.plain(recorded.figures))
        figures = {name: number(record.root[name]) for name in Gait.model_fields if record.number(name) is not None}
        return Facts.read(
            {
                "goal": recorded.task.sentence,
                "task": recorded.task.name,
                "spoken": recorded.task.spoken,
                "goal_speed_mps": recorded.goal_speed if recorded.task.walks else None,
                "seconds": recorded.seconds,
                "metrics": record.root,
                "episodes": [record.root],
                "gait": figures,
            }
        )

    def film(self, motion: Motion) -> Path | None:
        """Return the film of an episode as critics are shown it; None of figures alone.

        Raises:
            MovlrError: this machine cannot draw or encode.
        """
        recorded, show = motion.recorded, self._show
        if recorded.body is None:
            return None
        path = self.folder / FILMS / f"{key_of({'motion': motion.key, 'width': show.width, 'fps': show.fps})}.mp4"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            filming.film_for_critics(recorded.body, motion.rollout(), path, show.width, show.fps)
        return path

    def evidence(self, motions: Sequence[Motion], *, filmed: bool, scored: bool = False) -> Evidence:
        """Return what a critic is shown of one episode, or of several as the seeds of one reward.

        Args:
            motions: the episodes, in the order of their seeds, which are counted from 0.
            filmed: make films.
            scored: have CLIP score them.

        Raises:
            MovlrError: as `facts` and `film`, or CLIP was not opened.
        """
        told = [self.facts(motion) for motion in motions]
        facts = told[0] if len(told) == 1 else together(motions[0].recorded, told)
        if scored:
            facts = facts.model_copy(update={"clip": self._seen(motions)})
        clips = {seed: path for seed, motion in enumerate(motions) if filmed and (path := self.film(motion)) is not None}
        return Evidence(facts, clips.get(0), clips=clips if len(motions) > 1 else {})

    def _seen(self, motions: Sequence[Motion]) -> Seen:
        """Return what CLIP sees of some episodes."""
        sentence = motions[0].recorded.task.sentence
        if self._encoder is None:
            raise MovlrError("The critic clip needs CLIP: add --clip.weights openai/clip-vit-base-patch32, or a folder.")
        if sentence not in self._eyes:
            self._eyes[sentence] = ClipReward(self._encoder, self._clip, sentence)
        eye, curves = self._eyes[sentence], []
        for motion in motions:
            recorded = motion.recorded
            if recorded.body is None:
                raise MovlrError(f"{recorded.source} has figures alone, and CLIP has nothing to look at: give recorded motions.")
            decided = {"motion": motion.key, "goal": eye.goal, "clip": dataclasses.asdict(self._clip)}
            path = self.folder / SCORES / f"{key_of(decided)}.json"
            if not path.exists():
                atomic.write_json(path, {"curve": clip_curve.curve(eye, recorded.body, motion.rollout())})
            curves.append(np.array(atomic.read_json(path)["curve"], np.float64))
        return Seen.model_validate(eye.facts(curves))


def together(recorded: Recorded, told: Sequence[Facts]) -> Facts:
    """Return the facts of several episodes as a run tells those of its seeds: the first's motion, the metrics of all, worst and best.

    Args:
        recorded: whose task it is.
        told: the facts of each, whose seeds are counted from 0.
    """
    records = [{**facts.episodes[0].root, "seed": seed} for seed, facts in enumerate(told)]
    mean = atomic.plain(metrics.summarize(records)["mean"])
    episodes = [Measures(record) for record in records]
    whole = told[0].model_copy(update={"metrics": Measures(mean), "episodes": episodes})
    alone = [facts.model_copy(update={"episodes": [episodes[seed]]}) for seed, facts in enumerate(told)]
    return whole.with_extremes([(seed, facts, _place(recorded, facts)) for seed, facts in enumerate(alone)])


def _place(recorded: Recorded, facts: Facts) -> tuple[float, ...]:
    """Return the place of one episode among others, by the one order."""
    task = dataclasses.replace(recorded.task, goal_speed=recorded.goal_speed, seconds=recorded.seconds)
    record: Mapping[str, Any] = facts.episodes[0].root
    metric = metric_registry.metric(task.metric)
    passed = task.gates(metrics.summarize([dict(record)]))
    return gates.place(passed, facts.metrics.number(metric.name), offline.score(facts), metric.sign)
