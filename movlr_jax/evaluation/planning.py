"""Planning: a body moves under one reward, one episode a seed, and what came of it.

In: a task, a body, a reward (a name, a file, a run's folder, or a compiled one), and how episodes are run. Out: Runs, from which metrics,
facts, arrays, films and tables are read; `movlr rollout` prints and saves the same. Texts that are not this package's own go through the
sandbox first.
"""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, overload

import numpy as np

from movlr_jax import atomic
from movlr_jax.control.episode import EpisodeRunner, Rollout
from movlr_jax.control.episode_config import EpisodeSettings
from movlr_jax.errors import MovlrError
from movlr_jax.evaluation import filming, measures, reward_texts
from movlr_jax.facts import Facts
from movlr_jax.media.metrics_table import Metrics, frame
from movlr_jax.morphologies import Morphology
from movlr_jax.physics import engines
from movlr_jax.rewards.features import feature_layout
from movlr_jax.rewards.reward import Reward
from movlr_jax.tasks import Task, metrics

# (seeds of the episodes under way, how far they are (s), how long they get (s))
Progress = Callable[[Sequence[int], float, float], None]


@dataclass(frozen=True, eq=False)
class Setup:
    """All that episodes need.

    Attributes:
        task: what is asked of the body, its length and speed included.
        morphology: the body.
        engine: the engine's name.
        reward: the compiled reward.
        named: the word for the reward.
        settings: how episodes are run.
    """

    task: Task
    morphology: Morphology
    engine: str
    reward: Reward
    named: str
    settings: EpisodeSettings

    def run(self, progress: Progress | None = None) -> Runs:
        """Plan and execute one episode a seed, as many side by side as the engine runs.

        Args:
            progress: called after each plan.

        Raises:
            MovlrError: the planner or the engine refuses a setting.
        """
        s, seconds = self.settings, self.task.seconds
        planner = self.task.settled(s.planner, self.morphology)
        runner = EpisodeRunner.build(self.morphology, planner, self.engine, threads=s.threads, episodes=len(s.seeds), mjx=s.mjx)
        rollouts: list[Rollout] = []
        width = runner.simulator.episodes
        for first in range(0, len(s.seeds), width):
            seeds = s.seeds[first : first + width]
            advanced = None if progress is None else functools.partial(_advanced, progress, seeds, seconds)
            rollouts += self.task.episodes(runner, [(self.reward, seed) for seed in seeds], progress=advanced)
        return Runs(self.task, self.morphology, self.engine, self.reward, tuple(rollouts), {"reward": self.named})


def _advanced(progress: Progress, seeds: Sequence[int], seconds: float, t: float) -> None:
    progress(seeds, t, seconds)


def set_up(
    task: Task,
    morphology: Morphology | str | None,
    reward: Reward | str | Path,
    settings: EpisodeSettings,
    goal: str | None = None,
    before: Callable[[], None] | None = None,
) -> Setup:
    """Return what episodes of a reward on a task and a body need.

    Args:
        task: it.
        morphology: the body, prepared or by its word; the task's own if left out.
        reward: a name of the task's rewards, a file, a run's folder (its best), or a compiled reward.
        settings: how episodes are run; where it leaves length or speed out they are the task's own.
        goal: a user's sentence, by which episodes are measured; that of the run whose folder is the reward if left out.
        before: called when all names are known, before anything is prepared.

    Raises:
        MovlrError: a name stands for nothing, the body lacks what the reward asks for, or the sandbox refuses it.
    """
    word = "" if isinstance(reward, Reward) else str(reward)
    text = reward_texts.find(word, [task]) if word else None
    task = task.configured(goal or (reward_texts.goal_of(word, task.name) if word else None), settings.seconds, settings.goal_speed)
    engine, _ = engines.choose(settings.engine)
    if before is not None:
        before()
    body = task.prepared(morphology, settings.injury)
    if text is not None:
        made = reward_texts.compiled(text, body, task.goal_speed, lying=task.lies)
    else:
        assert isinstance(reward, Reward)
        made = reward
        if made.layout_fingerprint != feature_layout(body).fingerprint():
            raise MovlrError(f"The reward {made.name} was made for another body than {body.name}: make it again for this one.")
    return Setup(task, body, engine, made, word or made.name, settings)


@dataclass(frozen=True, eq=False)
class Run:
    """One executed episode.

    Attributes:
        task, morphology: what was asked of whom.
        rollout: the episode.
        title: a few words for its film.
    """

    task: Task
    morphology: Morphology
    rollout: Rollout
    title: str

    @property
    def seed(self) -> int:
        """Its seed."""
        return self.rollout.seed

    @functools.cached_property
    def metrics(self) -> dict[str, Any]:
        """The flat metric record of the episode, as `movlr rollout --json` prints it."""
        return self.task.measure(self.morphology, self.rollout)

    @functools.cached_property
    def facts(self) -> Facts:
        """What critics read of the episode."""
        return measures.described(self.task, self.morphology, self.rollout)

    @property
    def arrays(self) -> dict[str, Any]:
        """Every array of the episode by name, a row an executed plan: time [T] (s), qpos [T, nq], qvel [T, nv], act [T, na], instants
        [T, f], terms [T, n], targets [T, d] (rad), costs [T], diverged [T]."""
        return self.rollout.arrays()

    def film(self, path: Path | str, width: int = 640) -> Path:
        """Write the clip of the episode and return its path.

        Raises:
            MovlrError: this machine cannot draw or encode.
        """
        filming.film(self.morphology, self.rollout, Path(path), self.title, width)
        return Path(path)

    def show(self, width: int = 480) -> Any:
        """Return the clip as a notebook shows it.

        Raises:
            MovlrError: IPython is not installed, or this machine cannot draw or encode.
        """
        try:
            from IPython.display import Video
        except ImportError:
            raise MovlrError(
                "IPython is not installed: pip install 'movlr-jax[notebook]', or write the clip to a file with film."
            ) from None
        with tempfile.TemporaryDirectory() as folder:
            clip = self.film(Path(folder) / "clip.mp4", width).read_bytes()
        return Video(data=clip, embed=True, mimetype="video/mp4")

    def to_pandas(self) -> Any:
        """Return a DataFrame with a row an instant: time, each term of the reward, reward, each planned joint's target (rad).

        Raises:
            MovlrError: pandas is not installed.
        """
        r = self.rollout
        columns: dict[str, np.ndarray] = {"time_s": r.time}
        columns |= {f"term/{name}": r.terms[:, i] for i, name in enumerate(r.term_names)}
        columns["reward"] = r.terms @ r.weights
        columns |= {f"target/{name}": r.targets[:, i] for i, name in enumerate(self.morphology.posture.names)}
        return frame(columns)

    def _repr_html_(self) -> str:
        return str(self.show()._repr_html_())


@dataclass(frozen=True, eq=False)
class Runs(Sequence[Run]):
    """Executed episodes of one reward on one task and body.

    Attributes:
        task, morphology, engine, reward: what was run.
        rollouts: the episodes, one a seed.
        moved_by: the words for what moved the body: "reward", and "policy" where one did.
    """

    task: Task
    morphology: Morphology
    engine: str
    reward: Reward
    rollouts: tuple[Rollout, ...]
    moved_by: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rollouts)

    @overload
    def __getitem__(self, at: int) -> Run: ...

    @overload
    def __getitem__(self, at: slice) -> tuple[Run, ...]: ...

    def __getitem__(self, at: int | slice) -> Run | tuple[Run, ...]:
        return self._runs[at]

    @functools.cached_property
    def _runs(self) -> tuple[Run, ...]:
        title = f"{self.task.name}, {self.moved_by.get('policy') or self.reward.name}"
        return tuple(Run(self.task, self.morphology, rollout, title) for rollout in self.rollouts)

    @functools.cached_property
    def _summary(self) -> dict[str, Any]:
        return metrics.summarize([run.metrics for run in self])

    @property
    def metrics(self) -> Metrics:
        """The metric records, which print as a table."""
        return Metrics(self._summary["episodes"], self._summary["mean"], self._summary["std"])

    @property
    def diverged(self) -> int:
        """How many episodes diverged, and measured nothing."""
        return sum(bool(run.metrics["diverged"]) for run in self)

    def document(self) -> dict[str, Any]:
        """Return what `movlr rollout --json` prints."""
        return {
            "task": self.task.name,
            "morphology": self.morphology.name,
            "engine": self.engine,
            **self.moved_by,
            **self.task.document(feature_layout(self.morphology)),
            "goal_speed_mps": self.rollouts[0].goal_speed,
            **self._summary,
        }

    def save(self, folder: Path | str) -> None:
        """Write the episodes (rollout.npz of the first seed, rollout_SEED.npz), metrics.json and reward.py into a folder."""
        for i, rollout in enumerate(self.rollouts):
            rollout.save(Path(folder) / ("rollout.npz" if i == 0 else f"rollout_{rollout.seed}.npz"))
        atomic.write_json(Path(folder) / "metrics.json", self.document())
        atomic.write_text(Path(folder) / "reward.py", self.reward.source)

    def to_pandas(self) -> Any:
        """Return a DataFrame with a row an episode.

        Raises:
            MovlrError: pandas is not installed.
        """
        return self.metrics.to_pandas()
