"""`movlr rollout TASK --reward R`: moves a body with one reward over several seeds and prints the metrics; searches for nothing.

In: a reward by name (the task's own), as a file, or as a run's folder (its best). Files and runs go through the sandbox first.
With --policy a trained policy moves the body instead of MPC2; task, body and reward are then those it was trained on, unless given.
Out: a table, or with --json the one document {"task", "morphology", "engine", "reward", "goal", "goal_measures", "ends_when",
"goal_speed_mps", "episodes", "mean", "std", "falls"} and nothing else on stdout; with --out rollout.npz (first seed), rollout_SEED.npz,
metrics.json, reward.py, and clip.mp4.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from movlr_jax import atomic
from movlr_jax.cli import console, options
from movlr_jax.cli.progress import Pace
from movlr_jax.control.episode_config import EpisodeSettings, Subject
from movlr_jax.errors import MovlrError

if TYPE_CHECKING:
    from movlr_jax.control.episode import Rollout
    from movlr_jax.morphologies import Morphology
    from movlr_jax.rewards.reward import Reward
    from movlr_jax.tasks import Task


@dataclass(frozen=True, kw_only=True)
class Options(EpisodeSettings, Subject):
    """Move a body with a given reward and print the metrics, one row a seed."""

    task: Annotated[str | None, tyro.conf.Positional] = None
    """The task: a name from `movlr tasks`, or your own (my_task.py); walk_flat, or what the policy was trained on, if left out."""
    reward: str | None = None
    """A named reward of the task (human, start, ...), a reward file, or a run's folder, which stands for its best; human, or what the
    policy was trained on, if left out."""
    policy: Path | None = None
    """A training's folder, whose newest checkpoint moves the body, or one of its checkpoints."""
    out: Path | None = None
    """Folder to save the episodes in."""
    clip: bool = False
    """Film the first seed (needs --out)."""
    json: bool = False
    """Print one JSON document and nothing else on stdout."""


def run_episodes(asked: Options, task: Task, morphology: Morphology, engine: str, reward: Reward, progress: Progress) -> list[Rollout]:
    """Run one episode a seed.

    Raises:
        MovlrError: a setting that the planner or the engine refuses.
    """
    from movlr_jax.control.episode import EpisodeRunner

    runner = EpisodeRunner.build(morphology, asked.planner, engine, threads=asked.threads, episodes=len(asked.seeds), mjx=asked.mjx)
    seconds = task.seconds
    rollouts: list[Rollout] = []
    pace = paced()
    width = runner.simulator.episodes
    for first in range(0, len(asked.seeds), width):
        seeds = asked.seeds[first : first + width]
        many = f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}"
        bar = progress.add_task(many, total=seconds)
        begun = f"{many}: planning and executing {seconds:g} s of motion of {morphology.name}"
        pace.moved(begun) if asked.json else pace.tell(begun)  # a script that reads JSON is told of what takes long alone

        def advanced(t: float, bar: Any = bar, many: str = many) -> None:
            progress.update(bar, completed=t)
            pace.moved(f"{many}: {t:.2f} of {seconds:g} s")

        jobs = [(reward, seed) for seed in seeds]
        rollouts += task.episodes(runner, jobs, progress=advanced)
        progress.stop_task(bar)
    return rollouts


def main(argv: Sequence[str]) -> int:
    """Run the verb."""
    asked = options.parse(Options, argv, "rollout")
    if asked.clip and asked.out is None:
        raise MovlrError("--clip needs a folder to write to: add --out DIR.")
    return _with_policy(asked) if asked.policy is not None else _planned(asked)


def _with_policy(asked: Options) -> int:
    """Move the body with a trained policy."""
    from movlr_jax.cli import policies
    from movlr_jax.evaluation import reward_texts
    from movlr_jax.physics import engines

    assert asked.policy is not None
    if asked.mjx.hosts:
        raise MovlrError("--mjx.hosts is for planning: leave it out with --policy.")
    engine, _ = engines.choose("native" if asked.engine == "auto" else asked.engine)
    trained = policies.load(asked.policy, asked.task, asked.morphology, asked.injury)
    goal_speed = trained.goal_speed if asked.goal_speed is None else asked.goal_speed
    task, morphology, reward = trained.task.configured(asked.goal, asked.seconds, goal_speed), trained.morphology, trained.reward
    trained = dataclasses.replace(trained, task=task)
    _announce(task, morphology)
    if asked.reward:
        reward = reward_texts.compiled(reward_texts.find(asked.reward, [task]), morphology, goal_speed, lying=task.lies)
    if asked.out is not None:
        _require_writable(asked.out)
    seconds, pace = task.seconds, paced()
    with _progress() as progress:
        bar = progress.add_task(f"seeds {', '.join(map(str, asked.seeds))}", total=seconds)

        def advanced(t: float) -> None:
            progress.update(bar, completed=t)
            pace.moved(f"{t:.2f} of {seconds:g} s")

        rollouts = policies.episodes(trained, asked, engine, reward, advanced)
    return tell(asked, task, morphology, engine, reward, rollouts, {"reward": asked.reward or trained.named, "policy": str(asked.policy)})


def paced() -> Pace:
    """Return what tells how it goes where there is no terminal, which a bar does."""
    err = console.stderr()
    return Pace(Console(quiet=True) if err.is_terminal else err)


def _announce(task: Task, morphology: Morphology) -> None:
    """Say, before anything is simulated, what of a user's sentence is measured."""
    from movlr_jax.rewards.features import feature_layout

    if task.spoken:
        for sentence in task.measures(feature_layout(morphology)):
            console.stderr().print(sentence, markup=False, soft_wrap=True)


def _require_writable(out: Path) -> None:
    """Refuse a folder that cannot be written before anything is simulated for it; nothing is made yet.

    Raises:
        MovlrError: it cannot.
    """
    try:
        atomic.require_writable(out)
    except OSError as error:
        raise MovlrError(f"Cannot write into {out} ({error.strerror}): choose another --out.") from None


def _progress() -> Progress:
    """Return the bar of simulated time; where there is no terminal `paced` tells of it."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:.2f} of {task.total:g} s"))
    err = console.stderr()
    return Progress(*columns, TimeElapsedColumn(), console=err, transient=True, disable=not err.is_terminal)


def _planned(asked: Options) -> int:
    """Move the body with MPC2."""
    from movlr_jax.cli import task_names as naming
    from movlr_jax.evaluation import reward_texts
    from movlr_jax.physics import engines, hosts

    task = naming.task(asked.task or "walk_flat")
    named = asked.reward or "human"
    task = task.configured(asked.goal or reward_texts.goal_of(named, task.name), asked.seconds, asked.goal_speed)
    first = not (asked.mjx.hosts and hosts.join())
    engine, _ = engines.choose(asked.engine)
    morphology = task.load(asked.morphology, asked.injury)
    reward = reward_texts.compiled(reward_texts.find(named, [task]), morphology, task.goal_speed, lying=task.lies)
    if asked.out is not None and first:
        _require_writable(asked.out)
    _announce(task, morphology)
    with _progress() as progress:
        rollouts = run_episodes(asked, task, morphology, engine, reward, progress)
    if not first:  # it has done its share of the plans; the first host tells
        return 0
    return tell(asked, task, morphology, engine, reward, rollouts, {"reward": named})


def tell(
    asked: Options,
    task: Task,
    morphology: Morphology,
    engine: str,
    reward: Reward,
    rollouts: Sequence[Rollout],
    moved: dict[str, str],
) -> int:
    """Save and print the episodes.

    Args:
        asked: the options.
        task, morphology, engine, reward: what was run.
        rollouts: the episodes.
        moved: "reward", the word for it, and "policy" where one moved the body.

    Returns:
        The exit code: 1 where every episode diverged.
    """
    from movlr_jax.evaluation import filming
    from movlr_jax.rewards.features import feature_layout
    from movlr_jax.tasks import metrics

    document = {
        "task": task.name,
        "morphology": morphology.name,
        "engine": engine,
        **moved,
        **task.document(feature_layout(morphology)),
        "goal_speed_mps": rollouts[0].goal_speed,
        **metrics.summarize([task.measure(morphology, r) for r in rollouts]),
    }
    if asked.out is not None:
        save(asked.out, rollouts, document, reward)
    if asked.json:
        console.print_json(document)
    else:
        _print(asked, task, morphology, engine, document, moved)
    if asked.out is not None and asked.clip:
        # After the numbers, which are there whether or not this machine can draw.
        filming.film(morphology, rollouts[0], asked.out / "clip.mp4", f"{task.name}, {reward.name}")
    # Where every simulation blew up nothing was measured: a script must not take that for an episode without falls.
    return 1 if _diverged(document) == len(rollouts) else 0


def _diverged(document: Mapping[str, Any]) -> int:
    return sum(bool(episode["diverged"]) for episode in document["episodes"])


def _print(asked: Options, task: Task, morphology: Morphology, engine: str, document: dict[str, Any], moved: dict[str, str]) -> None:
    """Print the table of the episodes."""
    by = f"policy {moved['policy']}" if "policy" in moved else f"reward {moved['reward']}"
    title = f"{task.name} on {morphology.name}, {by}, engine {engine}"
    out = console.stdout()
    out.print(console.metrics_table(title, document["episodes"], document["mean"], document["std"]))
    falls = f"falls: {document['falls']} of {len(document['episodes'])}"
    if diverged := _diverged(document):
        falls += f"   diverged, and measured nothing: {diverged} of {len(document['episodes'])}"
    out.print(falls + (f"   saved in {asked.out}" if asked.out else ""), markup=False)
    for sentence in (document["ends_when"], *document["goal_measures"]):
        out.print(sentence, markup=False, soft_wrap=True)


def save(folder: Path, rollouts: Sequence[Rollout], document: dict[str, Any], reward: Reward) -> None:
    """Write the episodes, their metrics and the reward's text."""
    for i, rollout in enumerate(rollouts):
        rollout.save(folder / ("rollout.npz" if i == 0 else f"rollout_{rollout.seed}.npz"))
    atomic.write_text(folder / "metrics.json", json.dumps(console.plain(document), indent=2) + "\n")
    atomic.write_text(folder / "reward.py", reward.source)
