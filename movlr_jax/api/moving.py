"""A body moves under one reward, and how it walks: `movlr rollout`, `movlr gait` and `movlr check` as functions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Unpack

from movlr_jax.api.arguments import Best, Body, Settings, body_word, episode_settings, reward_word, task_of
from movlr_jax.evaluation import gait_study, planning, reward_texts
from movlr_jax.evaluation.gait_study import GaitStudy
from movlr_jax.evaluation.planning import Runs
from movlr_jax.rewards import reward as rewards
from movlr_jax.sandbox.proof import Proof
from movlr_jax.tasks import Task


def plan(
    body: Body,
    task: Task | str,
    reward: rewards.Reward | Best | str | Path,
    *,
    goal: str | None = None,
    progress: planning.Progress | None = None,
    **settings: Unpack[Settings],
) -> Runs:
    """Move a body with one reward, an episode a seed; `movlr rollout`.

    Args:
        body: the body, loaded or by name; the task's own if None.
        task: the task, or its name.
        reward: a compiled reward, the best of a search, a name of the task's rewards, a file, or a run's folder.
        goal: a sentence of your own, by which episodes are measured.
        progress: called after each plan with the seeds under way, the time they have reached and their length (s).
        settings: how episodes are run (`Settings`).

    Raises:
        MovlrError: a name stands for nothing, a setting cannot be, or the reward does not suit the body.
    """
    what = reward if isinstance(reward, rewards.Reward) else reward_word(reward)
    return planning.set_up(task_of(task), body_word(body), what, episode_settings(settings), goal).run(progress)


def measure_gait(
    source: str | Path | Best, task: Task | str | None = None, body: str | Path | None = None, *, injury: Sequence[str] = ()
) -> GaitStudy:
    """Measure recorded walking as a gait laboratory does, beside people's; `movlr gait`.

    Args:
        source: a run's folder or the best of a search, a folder of saved episodes, a rollout.npz, or an evaluation's folder.
        task, body: of saved episodes beside which nothing says so.
        injury: muscles that were weakened in them, PATTERN=FRACTION, beside the task's own.

    Raises:
        MovlrError: there is nothing of the kind, or the motion is another body's.
    """
    folder = source.folder if isinstance(source, Best) else Path(source)
    return gait_study.study(folder, None if task is None else task_of(task), None if body is None else str(body), injury)


def check(source: str | Path, body: Body = None, task: Task | str = "walk_flat", *, goal: str | None = None) -> Proof:
    """Put a reward through the sandbox and return its proof: `.trusted`, `.verdict`, `.reward`; `movlr check`.

    Args:
        source: the program's text, or its file.
        body: the body it is for; the task's own if None.
        task: whose goal its behaviour is checked under.
        goal: a sentence of your own, where it is not the task's.

    Raises:
        MovlrError: there is no such file, task or body.
    """
    made = task_of(task).configured(goal)
    text = reward_texts.read(source) if isinstance(source, Path) else source
    name = str(source) if isinstance(source, Path) else "a text"
    return reward_texts.prove(text, name, made.prepared(body_word(body)), made.goal_speed, lying=made.lies)
