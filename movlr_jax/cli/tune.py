"""`movlr tune REWARD`: better weights for a reward's terms, by black-box optimisation; the terms stay.

In: a reward by name, as a file, or as a run's folder (its best), a task and a body. Out: what start and best do on seeds that no trial saw;
in the folder of --out tuned.py (the same text, new weights), tune.json, tune.md (every trial), tune.png, the study, and the episodes, which
`movlr eval` with the same --out shares. The same command goes on where it was stopped; with more --trials it goes further.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from movlr_jax.cli import console, eval, inherited, options
from movlr_jax.errors import MovlrError
from movlr_jax.llm.config import SERVICES, ModelsConfig
from movlr_jax.runs.tune_config import TuneConfig
from movlr_jax.vision.config import ClipConfig

if TYPE_CHECKING:
    from movlr_jax.control.episode_config import EpisodeSettings
    from movlr_jax.feedback.feedback import Feedback
    from movlr_jax.tuning.tuner import Tuned
    from movlr_jax.tuning.weight_study import WeightTrial

_FACTS = "facts"
_MANY = (("--tune.held-out", "--held-out"), ("--tune.confirm", "--confirm"), *eval.MANY_OF_ALL)


@dataclass(frozen=True, kw_only=True)
class Options(eval.Where):
    """Find better weights for a reward's terms: trials of weights, judged by a metric behind the gates, checked on seeds of their own."""

    reward: Annotated[str, tyro.conf.Positional] = "human"
    """The reward: a name of the task's, a file, or a run's folder, which stands for its best and brings the run's task, goal, body,
    injuries, length, goal speed and planner along."""
    task: str = ""
    """The task: a name from `movlr tasks`, or your own (my_task.py); a run's own, else walk_flat, if left out."""
    tune: Annotated[TuneConfig, tyro.conf.arg(name="")] = field(default_factory=TuneConfig)
    """How weights are tuned."""
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
    asked, goal = inherited.parse(Options, options.gather(argv, *_MANY), "tune", lambda o: (o.reward, (o.task,) if o.task else ()))
    from movlr_jax.cli import task_names
    from movlr_jax.evaluation import measures, reward_texts, transfer
    from movlr_jax.physics import engines
    from movlr_jax.tuning.preference_objective import PREFERENCE, PreferenceObjective
    from movlr_jax.tuning.tuner import Tuner
    from movlr_jax.tuning.worker_pool import WorkerPool, WorkerTask

    home, body = task_names.home(asked.reward)
    task = task_names.task(asked.task) if asked.task else task_names.at_home(home or "walk_flat", asked.reward)
    goal = asked.goal or goal
    task = eval.with_goal(task, goal, ())
    text = reward_texts.find(asked.reward, [task])
    places = transfer.places([task], asked.morphologies or ((body,) if body and not asked.task else ()))
    if len(places) > 1:
        if asked.morphologies:
            raise MovlrError(f"A reward is tuned for one body: give one --morphology, not {', '.join(asked.morphologies)}.")
        places = places[:1]
    for flag, seeds in (("--held-out", asked.tune.held_out), ("--confirm", asked.tune.confirm)):
        if set(asked.seeds) & set(seeds):
            raise MovlrError(f"{flag} names seeds that the trials see (--seeds): give others.")
    settings = asked.settings()
    engine, _ = engines.choose(settings.engine)
    objective = asked.tune.objective or task.metric
    helpers = min(asked.tune.parallel, asked.tune.trials) - 1 if engine == "native" else 0
    if helpers and not settings.threads:
        settings = dataclasses.replace(settings, threads=max(1, len(os.sched_getaffinity(0)) // (helpers + 1)))
    preferred = objective == PREFERENCE
    if not preferred and asked.critic != "offline":
        raise MovlrError(f"Nobody is asked by the objective {objective}: add --objective preference, or leave out --critic.")
    watched = preferred and asked.critic in SERVICES
    feedback = _minds(asked) if preferred else None
    facts = (asked.out / _FACTS, measures.described) if preferred else None
    clips = asked.out / eval.CLIPS if watched else None
    store = asked.out / eval.EPISODES
    worker_task = WorkerTask(text, task.word, places[0][1], settings, store, objective, asked.clip, facts and facts[0], clips, goal)
    decided = {k: v for k, v in dataclasses.asdict(settings).items() if k not in ("threads", "mjx")}
    decided |= {"engine": engine, "clip": dataclasses.asdict(asked.clip) if objective == measures.CLIP_SCORE else None}
    if goal:
        decided |= {"goal": goal}
    if preferred:
        decided |= {"critic": asked.critic, "critic_model": asked.models.critic_model if watched else None}
    more = measures.named(objective, task.sentence, asked.clip)
    with (
        eval.opened(settings, asked.out, clips=watched, measures=more, facts=facts) as evaluation,
        WorkerPool(worker_task, helpers) as workers,
    ):
        sharing = workers.sharing if helpers else None
        preference_objective = None if feedback is None else PreferenceObjective(evaluation, feedback)
        found = Tuner(
            asked.tune, text, places[0], evaluation, asked.out, decided, sharing, _reporter(objective), preference_objective
        ).run()
    document = save(asked.out, found)
    if asked.json:
        console.print_json(document)
    else:
        show(asked.out, found, settings, eval.rules([task]))
    return 0


def _minds(asked: Options) -> Feedback:
    """Return the critic of a search with the same options, whose calls are kept in the folder of --out."""
    from movlr_jax.feedback.feedback import Feedback
    from movlr_jax.llm import addresses
    from movlr_jax.runs import permissions
    from movlr_jax.search import RunConfig, assembly

    if asked.critic == "clip":
        raise MovlrError("Preferring by CLIP is its score: use --objective clip_score.")
    config = RunConfig(critic=asked.critic, models=asked.models, max_calls=asked.max_calls, max_cost=asked.max_cost)
    for _, service, url in permissions.servers(config):
        addresses.give(service, url)  # this verb reads no file that could name one
    return Feedback(config, assembly.open_desk(config, asked.out))


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


def _table(found: Tuned, trials: Sequence[WeightTrial]) -> tuple[list[str], list[list[str]]]:
    from movlr_jax.media import tables

    terms = list(found.best.weights)
    headings = ["trial", found.objective, "falls", "gates", *terms]
    cells = [
        [
            str(t.number) + (" (best)" if found.best.number and t.number == found.best.number else ""),
            tables.number(t.value, ".4g"),
            f"{t.falls} of {t.episodes}",
            ", ".join(t.gates.words()) or "passed",
            *(f"{t.weights[term]:g}" for term in terms),
        ]
        for t in trials
    ]
    return headings, cells


def _held_out(found: Tuned) -> tuple[list[str], list[list[str]], list[str]]:
    from movlr_jax.media import tables

    documents = [row.document() for row in found.held_out]
    return tables.evaluation(documents, [found.metric])


def save(folder: Path, found: Tuned) -> dict[str, Any]:
    """Write what was found into a folder, and return the document that stands in its tune.json."""
    from movlr_jax import atomic
    from movlr_jax.media import history, tables
    from movlr_jax.tasks.metric_registry import metric as named
    from movlr_jax.tuning.weight_study import better

    atomic.write_text(folder / "tuned.py", found.text.source)
    parts = [f"# {Path(found.start.name).name}, tuned for {found.objective}\n"]
    parts += [f"Nothing is recommended. {why}\n" for why in found.limits()]
    if found.held_out:
        parts.append(f"## On seeds that no trial saw\n\n{tables.markdown(*_held_out(found))}")
    if found.importance:
        rows = [[term, f"{share:.0%}"] for term, share in found.importance.items()]
        parts.append(f"## Importance of each weight\n\n{tables.markdown(['term', 'share'], rows)}")
    if found.confirmed:
        parts.append(
            f"## The finalists, over the trials' seeds and the confirming ones\n\n{tables.markdown(*_table(found, found.confirmed))}"
        )
    parts.append(f"## Trials\n\n{tables.markdown(*_table(found, found.trials))}")
    atomic.write_text(folder / "tune.md", "\n".join(parts))
    sign, record = named(found.objective).sign, []
    for n in range(1, len(found.trials) + 1):
        value = max(found.trials[:n], key=lambda t: better(t, sign)).value
        record.append(float("nan") if value is None else value)
    history.trials(
        [t.value for t in found.trials],
        [t.fit for t in found.trials],
        record,
        folder / "tune.png",
        label=tables.heading(found.objective),
        title=f"{Path(found.start.name).name}, tuned",
        importance=found.importance,
    )
    return atomic.write_json(folder / "tune.json", found.document())


def show(folder: Path, found: Tuned, settings: EpisodeSettings, rules: Sequence[str] = ()) -> None:
    """Print tables."""
    from movlr_jax.media import tables
    from movlr_jax.tuning.ablation import weights_of

    out = console.stdout(console.WIDE)
    own = weights_of(found.start)
    shares = found.importance
    rows = [[t, f"{own[t]:g}", f"{w:g}", f"{shares[t]:.0%}" if t in shares else "-"] for t, w in found.best.weights.items()]
    of_best = f"Weights of trial {found.best.number}, the best" if found.best.number else "Weights: they stay as they are"
    out.print(console.table(of_best, ["term", "before", "tuned", "importance"], rows))
    seeds = " ".join(map(str, settings.seeds)) + (" and the confirming ones" if found.confirmed else "")
    values = (tables.number(t.value, ".4g") for t in (found.before(), found.best))
    out.print("\n{}: {} before, {} tuned, on the trials' seeds {}".format(found.objective, *values, seeds), markup=False)
    if not found.best.fit:
        out.print("No trial passes all gates: the best is the one that comes closest.")
    if found.held_out:
        headings, cells, _ = _held_out(found)
        out.print()
        out.print(console.table("On seeds that no trial saw", headings, cells))
    for rule in rules:
        out.print(rule, markup=False, soft_wrap=True)
    for why in found.limits():
        out.print(f"Nothing is recommended. {why}", markup=False, soft_wrap=True)
    if found.stopped == "budget":
        out.print(f"The budget is spent after {len(found.trials)} trials: the same command, with a larger one, goes on.")
    out.print(f"saved in {folder} (tuned.py, tune.md, tune.json, tune.png)", markup=False)
