"""`movlr rollout TASK --reward R`: moves a body with one reward over several seeds and prints the metrics; searches for nothing.

In: a reward by name (the task's own), as a file, or as a run's folder (its best). Files and runs go through the sandbox first.
With --policy a trained policy moves the body instead of MPC2; task, body and reward are then those it was trained on, unless given.
Out: a table, or with --json the one document {"task", "morphology", "engine", "reward", "goal", "goal_measures", "ends_when",
"goal_speed_mps", "episodes", "mean", "std", "falls"} and nothing else on stdout; with --out rollout.npz (first seed), rollout_SEED.npz,
metrics.json, reward.py, and clip.mp4.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from movlr_jax import folders
from movlr_jax.cli import console, flags
from movlr_jax.cli.progress import paced
from movlr_jax.control.episode_config import EpisodeSettings, Subject
from movlr_jax.errors import MovlrError

if TYPE_CHECKING:
    from movlr_jax.evaluation.planning import Runs
    from movlr_jax.morphologies import Morphology
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


def main(argv: Sequence[str]) -> int:
    """Run the verb."""
    options = flags.parse(Options, argv, "rollout")
    if options.clip and options.out is None:
        raise MovlrError("--clip needs a folder to write to: add --out DIR.")
    return _with_policy(options) if options.policy is not None else _planned(options)


def _with_policy(options: Options) -> int:
    """Move the body with a trained policy."""
    from movlr_jax.cli import task_names
    from movlr_jax.evaluation import reward_texts
    from movlr_jax.evaluation.planning import Runs
    from movlr_jax.learning.rl import trained as policies
    from movlr_jax.physics import engines

    assert options.policy is not None
    if options.mjx.hosts:
        raise MovlrError("--mjx.hosts is for planning: leave it out with --policy.")
    engine, _ = engines.choose("native" if options.engine == "auto" else options.engine)
    trained = policies.load(options.policy, options.task and task_names.settled(options.task), options.morphology, options.injury)
    goal_speed = trained.goal_speed if options.goal_speed is None else options.goal_speed
    task, morphology, reward = trained.task.configured(options.goal, options.seconds, goal_speed), trained.morphology, trained.reward
    trained = dataclasses.replace(trained, task=task)
    _announce(task, morphology)
    if options.reward:
        reward = reward_texts.compiled(reward_texts.find(options.reward, [task]), morphology, goal_speed, lying=task.lies)
    if options.out is not None:
        folders.require_writable(options.out)
    seconds, pace = task.seconds, paced()
    with _progress() as progress:
        bar = progress.add_task(f"seeds {', '.join(map(str, options.seeds))}", total=seconds)

        def advanced(t: float) -> None:
            progress.update(bar, completed=t)
            pace.moved(f"{t:.2f} of {seconds:g} s")

        rollouts = policies.episodes(trained, options, engine, reward, advanced)
    moved_by = {"reward": options.reward or trained.named, "policy": str(options.policy)}
    return tell(options, Runs(task, morphology, engine, reward, tuple(rollouts), moved_by))


def _announce(task: Task, morphology: Morphology) -> None:
    """Say, before anything is simulated, what of a user's sentence is measured."""
    from movlr_jax.rewards.features import feature_layout

    if task.spoken:
        for sentence in task.measures(feature_layout(morphology)):
            console.stderr().print(sentence, markup=False, soft_wrap=True)


def _progress() -> Progress:
    """Return the bar of simulated time; where there is no terminal `paced` tells of it."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:.2f} of {task.total:g} s"))
    err = console.stderr()
    return Progress(*columns, TimeElapsedColumn(), console=err, transient=True, disable=not err.is_terminal)


def _planned(options: Options) -> int:
    """Move the body with MPC2."""
    from movlr_jax.cli import task_names
    from movlr_jax.evaluation import planning
    from movlr_jax.physics import hosts

    first = not (options.mjx.hosts and hosts.join())

    def before() -> None:
        if options.out is not None and first:
            folders.require_writable(options.out)

    setup = planning.set_up(
        task_names.task(options.task or "walk_flat"),
        options.morphology,
        options.reward or "human",
        options.settings(),
        options.goal,
        before,
    )
    _announce(setup.task, setup.morphology)
    pace = paced()
    bars: dict[str, TaskID] = {}
    with _progress() as progress:

        def advanced(seeds: Sequence[int], t: float, seconds: float) -> None:
            many = _named(seeds)
            if many not in bars:
                for bar in bars.values():
                    progress.stop_task(bar)
                bars[many] = progress.add_task(many, total=seconds)
            progress.update(bars[many], completed=t)
            pace.moved(f"{many}: {t:.2f} of {seconds:g} s")

        begun = f"{_named(options.seeds)}: planning and executing {setup.task.seconds:g} s of motion of {setup.morphology.name}"
        pace.moved(begun) if options.json else pace.tell(begun)  # a script that reads JSON is told of what takes long alone
        runs = setup.run(advanced)
    if not first:  # it has done its share of the plans; the first host tells
        return 0
    return tell(options, runs)


def _named(seeds: Sequence[int]) -> str:
    return f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}"


def tell(options: Options, runs: Runs) -> int:
    """Save and print the episodes.

    Returns:
        The exit code: 1 where every episode diverged.
    """
    if options.out is not None:
        runs.save(options.out)
    if options.json:
        console.print_json(runs.document())
    else:
        _print(options, runs)
    if options.out is not None and options.clip:
        # After the numbers, which are there whether or not this machine can draw.
        runs[0].film(options.out / "clip.mp4")
    # Where every simulation blew up nothing was measured: a script must not take that for an episode without falls.
    return 1 if runs.diverged == len(runs) else 0


def _print(options: Options, runs: Runs) -> None:
    """Print the table of the episodes."""
    document = runs.document()
    by = f"policy {document['policy']}" if "policy" in document else f"reward {document['reward']}"
    title = f"{runs.task.name} on {runs.morphology.name}, {by}, engine {runs.engine}"
    out = console.stdout()
    out.print(console.metrics_table(title, document["episodes"], document["mean"], document["std"]))
    falls = f"falls: {document['falls']} of {len(runs)}"
    if runs.diverged:
        falls += f"   diverged, and measured nothing: {runs.diverged} of {len(runs)}"
    out.print(falls + (f"   saved in {options.out}" if options.out else ""), markup=False)
    for sentence in (document["ends_when"], *document["goal_measures"]):
        out.print(sentence, markup=False, soft_wrap=True)
