"""Many rewards, tasks, bodies, seeds, weights and critics: `movlr eval`, `transfer`, `ablate`, `tune`, `judge-critic` as functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Unpack

from movlr_jax.api.arguments import Best, Settings, episode_settings, folder_of_call, reward_word, task_of
from movlr_jax.evaluation import critic_study, reward_texts, study, transfer_study, work_items
from movlr_jax.evaluation import transfer as transfers
from movlr_jax.evaluation.critic_study import CriticStudy
from movlr_jax.evaluation.study import EvaluationStudy
from movlr_jax.evaluation.transfer_study import TransferStudy
from movlr_jax.runs.critic_trial_config import CriticTrialConfig
from movlr_jax.runs.tune_config import TuneConfig
from movlr_jax.tasks import Task
from movlr_jax.tuning import ablation_study, tune_study
from movlr_jax.tuning.ablation_study import AblationStudy
from movlr_jax.tuning.tune_study import Judges, TuneStudy


def evaluate(
    rewards: Sequence[str | Path | Best],
    tasks: Sequence[Task | str] = ("walk_flat",),
    bodies: Sequence[str | Path] = (),
    *,
    strengths: Sequence[float] = (),
    goal: str | None = None,
    clips: bool = False,
    out: Path | str | None = None,
    watcher: work_items.Watcher | None = None,
    **settings: Unpack[Settings],
) -> EvaluationStudy:
    """Measure rewards on tasks and bodies, every combination, over seeds; `movlr eval`.

    Args:
        rewards: names of the tasks' rewards, files, runs' folders, or the best of searches.
        tasks: the tasks, or their names.
        bodies: names of bodies, or YAML files; those that each task is meant for if empty.
        strengths: fractions of their strength that injured muscles keep in turn.
        goal: a sentence of your own, by which episodes are measured.
        clips: film the first seed of each combination.
        out: a folder, in which the same call goes on where it was stopped; None keeps nothing on the disk.
        watcher: is told how it goes.
        settings: how episodes are run (`Settings`).

    Raises:
        MovlrError: a name stands for nothing, or a setting cannot be.
    """
    words = [reward_word(reward) for reward in rewards]
    made = [study.for_goal(task_of(task), goal, words) for task in tasks]
    works = work_items.at_strengths(work_items.combinations(words, made, [str(body) for body in bodies]), strengths)
    with folder_of_call(out) as folder:
        return study.evaluate(works, episode_settings(settings), folder, watcher, clips=clips)


def transfer(
    rewards: Sequence[str | Path | Best],
    sources: Sequence[Task | str],
    tasks: Sequence[Task | str],
    bodies: Sequence[str | Path] = (),
    *,
    metric: str = "",
    strengths: Sequence[float] = (),
    goal: str | None = None,
    out: Path | str | None = None,
    watcher: work_items.Watcher | None = None,
    **settings: Unpack[Settings],
) -> TransferStudy:
    """Try rewards without change on other tasks and bodies than those they come from; `movlr transfer`.

    Args:
        rewards: names of the sources' rewards, files, runs' folders, or the best of searches.
        sources: the tasks whose named rewards are meant.
        tasks, bodies: where to try them.
        metric: what the matrix shows; the own metric of the first task if "".
        strengths: fractions of their strength that injured muscles keep in turn.
        goal: a sentence of your own, by which episodes are measured.
        out: a folder, in which the same call goes on where it was stopped; None keeps nothing on the disk.
        watcher: is told how it goes.
        settings: how episodes are run (`Settings`).

    Raises:
        MovlrError: a name stands for nothing, or a setting cannot be.
    """
    words = [reward_word(reward) for reward in rewards]
    texts = transfers.rewards([task_of(task) for task in sources], words)
    places = transfers.places([study.for_goal(task_of(task), goal, words) for task in tasks], [str(body) for body in bodies])
    with folder_of_call(out) as folder:
        return transfer_study.measure(texts, places, episode_settings(settings), folder, watcher, metric=metric, strengths=strengths)


def ablate(
    reward: str | Path | Best,
    tasks: Sequence[Task | str] = ("walk_flat",),
    bodies: Sequence[str | Path] = (),
    *,
    factors: Sequence[float] = (0.0, 0.5, 2.0),
    metric: str = "",
    tolerance: float = 0.05,
    prune: bool = True,
    out: Path | str | None = None,
    watcher: work_items.Watcher | None = None,
    **settings: Unpack[Settings],
) -> AblationStudy:
    """Change every weight of a reward by every factor, rank the terms, and drop those that do little; `movlr ablate`.

    Args:
        reward: a name of the first task that has it, a file, a run's folder, or the best of a search.
        tasks, bodies: where to try it.
        factors, metric, tolerance, prune: as `movlr_jax.tuning.ablation_study.ablate`.
        out: a folder, in which the same call goes on where it was stopped; None keeps nothing on the disk.
        watcher: is told how it goes.
        settings: how episodes are run (`Settings`); three seeds if left out.

    Raises:
        MovlrError: a name stands for nothing, or a setting cannot be.
    """
    word = reward_word(reward)
    made = [study.for_goal(task_of(task), None, [word]) for task in tasks]
    places = transfers.places(made, [str(body) for body in bodies])
    text, how = reward_texts.find(word, made), episode_settings({"seeds": (0, 1, 2), **settings})
    with folder_of_call(out) as folder:
        return ablation_study.ablate(text, places, how, folder, watcher, factors=factors, metric=metric, tolerance=tolerance, prune=prune)


def tune(
    reward: str | Path | Best,
    task: Task | str = "walk_flat",
    body: str | Path | None = None,
    *,
    config: TuneConfig | None = None,
    judges: Judges | None = None,
    out: Path | str | None = None,
    watcher: work_items.Watcher | None = None,
    tell: tune_study.Tell | None = None,
    **settings: Unpack[Settings],
) -> TuneStudy:
    """Find better weights for a reward's terms, and values for its parameters, checked on seeds that no trial saw; `movlr tune`.

    Args:
        reward: a name of the task's, a file, a run's folder, or the best of a search.
        task, body: where; the task's own body if left out.
        config: how weights are tuned: `movlr.TuneConfig(trials=40, objective="distance_m")`.
        judges: who judges beside the task's metrics.
        out: a folder, in which the same call goes on where it was stopped; None keeps nothing on the disk.
        watcher: is told how episodes go.
        tell: is told each finished trial and the best so far.
        settings: how episodes are run (`Settings`).

    Raises:
        MovlrError: a name stands for nothing, or a setting cannot be.
    """
    word = reward_word(reward)
    made = study.for_goal(task_of(task), None, [word])
    (place, *_) = transfers.places([made], [] if body is None else [str(body)])
    text = reward_texts.find(word, [made])
    with folder_of_call(out) as folder:
        return tune_study.tune(config or TuneConfig(), text, place, episode_settings(settings), folder, watcher, judges=judges, tell=tell)


def judge_critics(
    sources: Sequence[str | Path | Best],
    config: CriticTrialConfig | None = None,
    *,
    task: Task | str | None = None,
    body: str | Path | None = None,
    injury: Sequence[str] = (),
    replay: Path | str | None = None,
    out: Path | str | None = None,
    tell: Callable[[str], None] = lambda sentence: None,
) -> CriticStudy:
    """Try critics on pairs of recorded motions of which physics says which is better; `movlr judge-critic`.

    Args:
        sources: folders of runs, rollouts and evaluations, episodes, or the best of searches.
        config: who is tried, and how: `movlr.CriticTrialConfig(critics=("offline", "gemini"), max_cost=2.0)`.
        task, body: of saved episodes beside which nothing says so.
        injury: muscles that were weakened in them, PATTERN=FRACTION, beside the task's own.
        replay: the folder of an earlier trial, whose recorded answers are used; no model is asked then.
        out: a folder, in which the same call goes on where it was stopped; None keeps nothing on the disk.
        tell: is told how it goes.

    Raises:
        MovlrError: there are no motions, they allow no pair, or a critic cannot be asked.
    """
    paths = [source.folder if isinstance(source, Best) else Path(source) for source in sources]
    word = task.word if isinstance(task, Task) else task
    with folder_of_call(out) as folder:
        return critic_study.judge_critics(
            paths,
            config or CriticTrialConfig(),
            folder,
            task=word,
            morphology=None if body is None else str(body),
            injury=injury,
            replay=None if replay is None else Path(replay),
            tell=tell,
        )
