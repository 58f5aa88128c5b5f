"""`movlr tune REWARD`: better weights for a reward's terms and values for its parameters, by black-box optimisation; the terms stay.

In: a reward by name, as a file, or as a run's folder (its best), a task and a body. Out: what start and best do on seeds that no trial saw;
in the folder of --out tuned.py (the same text, new values), tune.json, tune.md (every trial), tune.png, the study, and the episodes, which
`movlr eval` with the same --out shares. The same command goes on where it was stopped; with more --trials it goes further.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from movlr_jax.cli import console, eval, flags, inherited
from movlr_jax.errors import MovlrError
from movlr_jax.llm.config import ModelsConfig
from movlr_jax.runs.tune_config import TuneConfig
from movlr_jax.vision.config import ClipConfig

if TYPE_CHECKING:
    from movlr_jax.control.episode_config import EpisodeSettings
    from movlr_jax.tasks import Task
    from movlr_jax.tuning.tune_study import TuneStudy
    from movlr_jax.tuning.weight_study import WeightTrial

_MANY = (("--tune.held-out", "--held-out"), ("--tune.confirm", "--confirm"), *eval.MANY_OF_ALL)


@dataclass(frozen=True, kw_only=True)
class Options(eval.Where):
    """Find better weights and parameters for a reward: trials, judged by a metric behind the gates, checked on seeds of their own."""

    reward: Annotated[str, tyro.conf.Positional] = "human"
    """The reward: a name of the task's, a file, or a run's folder, which stands for its best and brings the run's task, goal, body,
    injuries, length, goal speed and planner along."""
    task: str = ""
    """The task: a name from `movlr tasks`, or your own (my_task.py); a run's own, else walk_flat, if left out."""
    tune: Annotated[TuneConfig, tyro.conf.arg(name="")] = field(default_factory=TuneConfig)
    """How weights and parameters are tuned."""
    clip: ClipConfig = field(default_factory=ClipConfig)
    """CLIP, for the objective clip_score."""
    critic: str = "offline"
    """Who compares motions, for the objective preference: offline measures, gemini or openai watch the clips."""
    models: ModelsConfig = field(default_factory=ModelsConfig)
    """The model that the critic asks."""
    max_calls: int = 0
    """Stop before the tuning makes more model calls than this, with everything saved; 0: no limit."""
    max_cost: float = 0.0
    """Stop, with everything saved, once the tuning's model calls have cost this much [USD]; 0: no limit."""
    out: Path = Path("runs/tune")
    """Folder for the study, the episodes and what comes of them; what it has already is not run again."""


def main(argv: Sequence[str]) -> int:
    """Run the verb."""
    options, goal = inherited.parse(Options, flags.gather(argv, *_MANY), "tune", lambda o: (o.reward, (o.task,) if o.task else ()))
    from movlr_jax.cli import task_names
    from movlr_jax.evaluation import reward_texts, transfer
    from movlr_jax.llm import addresses
    from movlr_jax.runs import permissions
    from movlr_jax.runs.config import RunConfig
    from movlr_jax.tuning import tune_study

    home, body = task_names.home(options.reward)
    task = task_names.task(options.task) if options.task else task_names.at_home(home or "walk_flat", options.reward)
    (task,) = eval.announced([task], options.goal or goal, ())
    text = reward_texts.find(options.reward, [task])
    places = transfer.places([task], options.morphologies or ((body,) if body and not options.task else ()))
    if len(places) > 1 and options.morphologies:
        raise MovlrError(f"A reward is tuned for one body: give one --morphology, not {', '.join(options.morphologies)}.")
    for _, service, url in permissions.servers(RunConfig(critic=options.critic, models=options.models)):
        addresses.give(service, url)  # this verb reads no file that could name one
    judges = tune_study.Judges(options.clip, options.critic, options.models, options.max_calls, options.max_cost)
    report = _reporter(options.tune.objective or task.metric)
    with eval.watched(options.out) as watch:
        result = tune_study.tune(options.tune, text, places[0], options.settings(), options.out, watch, judges=judges, tell=report)
    if options.json:
        console.print_json(result.tuned.document())
    else:
        show(result, options.settings(), task)
    return 0


def _reporter(objective: str) -> Any:
    from movlr_jax.media import tables

    err = console.stderr()

    def report(trial: WeightTrial, best: WeightTrial) -> None:
        value, record = (tables.number(t.value, ".4g") for t in (trial, best))
        faults = ", ".join(trial.gates.words())
        line = f"trial {trial.number}: {objective} {value}" + (f" ({faults})" if faults else "")
        why = f". {trial.reason}" if trial.reason else ""
        lead = f"best {record}, trial {best.number}" if best.number else f"none is better than the start's {record} yet"
        err.print(f"{line}; {lead}{why}" if trial.number else f"{line}, the start's{why}", markup=False, soft_wrap=True)

    return report


def show(result: TuneStudy, settings: EpisodeSettings, task: Task) -> None:
    """Print tables."""
    from movlr_jax.evaluation import study
    from movlr_jax.media import tables
    from movlr_jax.rewards.parameters import values_of
    from movlr_jax.tuning.ablation import parameters_of, weights_of

    tuned = result.tuned
    out = console.stdout(console.WIDE)
    own = {**weights_of(tuned.start), **values_of(parameters_of(tuned.start))}
    shares = tuned.importance
    values = {**tuned.best.weights, **tuned.best.parameters}
    rows = [[t, f"{own[t]:g}", f"{w:g}", f"{shares[t]:.0%}" if t in shares else "-"] for t, w in values.items()]
    what = "Weights and parameters" if tuned.best.parameters else "Weights"
    of_best = f"{what} of trial {tuned.best.number}, the best" if tuned.best.number else f"{what}: they stay as they are"
    out.print(console.table(of_best, ["term", "before", "tuned", "importance"], rows))
    seeds = " ".join(map(str, settings.seeds)) + (" and the confirming ones" if tuned.confirmed else "")
    scores = (tables.number(t.value, ".4g") for t in (tuned.before(), tuned.best))
    out.print("\n{}: {} before, {} tuned, on the trials' seeds {}".format(tuned.objective, *scores, seeds), markup=False)
    if not tuned.best.fit:
        out.print("No trial passes all gates: the best is the one that comes closest.")
    if tuned.held_out:
        headings, cells, _ = result.held_out()
        out.print()
        out.print(console.table("On seeds that no trial saw", headings, cells))
    for rule in study.rules([task]):
        out.print(rule, markup=False, soft_wrap=True)
    for why in tuned.limits():
        out.print(f"Nothing is recommended. {why}", markup=False, soft_wrap=True)
    if tuned.stopped == "budget":
        out.print(f"The budget is spent after {len(tuned.trials)} trials: the same command, with a larger one, goes on.")
    out.print(f"saved in {result.folder} (tuned.py, tune.md, tune.json, tune.png)", markup=False)
