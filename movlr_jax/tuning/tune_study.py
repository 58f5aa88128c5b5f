"""A tuning in a folder: one reward's weights and parameters by black-box optimisation, who shares the work, the critic that compares.

In: a reward's text, one place (task, body), how episodes are run, how weights are tuned, a folder. Out: a Tuned; in the folder tuned.py
(the same text, new weights), tune.json, tune.md (every trial), tune.png, the study, and the episodes, which an evaluation into the same
folder shares. The same call goes on where it was stopped; with more trials it goes further.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from movlr_jax import atomic, code_names
from movlr_jax.control.episode_config import EpisodeSettings
from movlr_jax.errors import MovlrError
from movlr_jax.evaluation import measures, study
from movlr_jax.evaluation.reward_texts import RewardText
from movlr_jax.evaluation.work_items import Watcher
from movlr_jax.feedback.feedback import Feedback
from movlr_jax.llm import ledger
from movlr_jax.llm.config import SERVICES, ModelsConfig
from movlr_jax.llm.gateway import Gateway
from movlr_jax.media import history, metrics_table, tables
from movlr_jax.physics import engines
from movlr_jax.runs.config import RunConfig
from movlr_jax.runs.tune_config import TuneConfig
from movlr_jax.tasks import TASKS, metric_registry
from movlr_jax.tuning.ablation import Place
from movlr_jax.tuning.preference_objective import PREFERENCE, PreferenceObjective
from movlr_jax.tuning.tuner import Tuned, Tuner
from movlr_jax.tuning.weight_study import WeightTrial, better
from movlr_jax.tuning.worker_pool import WorkerPool, WorkerTask
from movlr_jax.vision.config import ClipConfig

_FACTS = "facts"

# (a trial that is over, the best so far)
Tell = Callable[[WeightTrial, WeightTrial], None]


@dataclass(frozen=True)
class Judges:
    """Who judges trials beside the task's metrics.

    Attributes:
        clip: CLIP, for the objective clip_score.
        critic: who compares motions, for the objective preference: offline, gemini or openai.
        models: the model that the critic asks.
        max_calls: most model calls; 0: no limit.
        max_cost: most money for them (USD); 0: no limit.
    """

    clip: ClipConfig = field(default_factory=ClipConfig)
    critic: str = "offline"
    models: ModelsConfig = field(default_factory=ModelsConfig)
    max_calls: int = 0
    max_cost: float = 0.0

    def feedback(self, folder: Path) -> Feedback:
        """Return the critic of a search with the same settings, whose calls are kept in a folder.

        Raises:
            MovlrError: it cannot be asked.
        """
        if self.critic == "clip":
            raise MovlrError("Preferring by CLIP is its score: use --objective clip_score.")
        config = RunConfig(critic=self.critic, models=self.models, max_calls=self.max_calls, max_cost=self.max_cost)
        gateway = Gateway.open(folder / ledger.FOLDER, self.models, max_calls=self.max_calls, max_cost=self.max_cost)
        return Feedback(config, gateway)


@dataclass(frozen=True, eq=False)
class TuneStudy:
    """What came of it; printed, it is the comparison of start and best.

    Attributes:
        tuned: the trials and the best weights.
        folder: where it stands.
    """

    tuned: Tuned
    folder: Path

    def table(self, trials: Sequence[WeightTrial]) -> tuple[list[str], list[list[str]]]:
        """Return headings and cells, a row a trial."""
        found = self.tuned
        terms, parameters = list(found.best.weights), list(found.best.parameters)
        cells = [
            [
                str(t.number) + (" (best)" if found.best.number and t.number == found.best.number else ""),
                tables.number(t.value, ".4g"),
                f"{t.falls} of {t.episodes}",
                "passed" if t.fit else "not " + ", ".join(g for g, amount in t.unfit.items() if amount),
                *(f"{t.weights[term]:g}" for term in terms),
                *(f"{t.parameters[name]:g}" for name in parameters),
            ]
            for t in trials
        ]
        return ["trial", found.objective, "falls", "gates", *terms, *parameters], cells

    def held_out(self) -> tuple[list[str], list[list[str]], list[str]]:
        """Return the table of start and best on seeds that no trial saw."""
        return tables.evaluation([row.document() for row in self.tuned.held_out], [self.tuned.metric])

    def save(self) -> dict[str, Any]:
        """Write the files, and return the document as it stands in tune.json."""
        found, folder = self.tuned, self.folder
        atomic.write_text(folder / "tuned.py", found.text.source)
        parts = [f"# {Path(found.start.name).name}, tuned for {found.objective}\n"]
        parts += [f"Nothing is recommended. {why}\n" for why in found.limits()]
        if found.held_out:
            parts.append(f"## On seeds that no trial saw\n\n{tables.markdown(*self.held_out())}")
        if found.importance:
            rows = [[term, f"{share:.0%}"] for term, share in found.importance.items()]
            of_parameters = " and parameter" if found.best.parameters else ""
            parts.append(f"## Importance of each weight{of_parameters}\n\n{tables.markdown(['term', 'share'], rows)}")
        if found.confirmed:
            confirmed = tables.markdown(*self.table(found.confirmed))
            parts.append(f"## The finalists, over the trials' seeds and the confirming ones\n\n{confirmed}")
        parts.append(f"## Trials\n\n{tables.markdown(*self.table(found.trials))}")
        atomic.write_text(folder / "tune.md", "\n".join(parts))
        sign, record = metric_registry.metric(found.objective).sign, []
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
        saved: dict[str, Any] = atomic.write_json(folder / "tune.json", found.document())
        return saved

    def __str__(self) -> str:
        found = self.tuned
        lines = [metrics_table.aligned(*self.table(found.confirmed or found.trials))]
        return "\n".join([*lines, *(f"Nothing is recommended. {why}" for why in found.limits())])


def tune(
    config: TuneConfig,
    text: RewardText,
    place: Place,
    settings: EpisodeSettings,
    folder: Path,
    watcher: Watcher | None = None,
    *,
    judges: Judges | None = None,
    tell: Tell | None = None,
) -> TuneStudy:
    """Find better weights for a reward's terms, and values for its parameters, checked on seeds of their own.

    Args:
        config: how.
        text: the reward.
        place: task, with the sentence that it is measured by, and body.
        settings: how episodes are run; its seeds are the trials'.
        folder: for everything.
        watcher: is told how episodes go.
        judges: who judges beside the task's metrics.
        tell: is told each finished trial.

    Raises:
        MovlrError: settings that exclude each other, a critic that cannot be asked, or as `Tuner`.
    """
    judges = judges or Judges()
    task = place[0]
    for flag, seeds in (("--held-out", config.held_out), ("--confirm", config.confirm)):
        if set(settings.seeds) & set(seeds):
            raise MovlrError(f"{flag} names seeds that the trials see (--seeds): give others.")
    engine, _ = engines.choose(settings.engine)
    objective = config.objective or task.metric
    # Other processes find the task by its word: one that was made in this process is measured here alone.
    shared = engine == "native" and (code_names.names_code(task.word) or task.word in TASKS)
    workers = min(config.parallel, config.trials) - 1 if shared else 0
    if workers and not settings.threads:
        settings = dataclasses.replace(settings, threads=max(1, len(os.sched_getaffinity(0)) // (workers + 1)))
    preferred = objective == PREFERENCE
    if not preferred and judges.critic != "offline":
        raise MovlrError(f"Nobody is asked by the objective {objective}: add --objective preference, or leave out --critic.")
    watched = preferred and judges.critic in SERVICES
    feedback = judges.feedback(folder) if preferred else None
    facts = (folder / _FACTS, measures.described) if preferred else None
    goal = task.sentence if task.spoken else ""
    decided = {k: v for k, v in dataclasses.asdict(settings).items() if k not in ("threads", "mjx")}
    decided |= {"engine": engine, "clip": dataclasses.asdict(judges.clip) if objective == measures.CLIP_SCORE else None}
    if goal:
        decided |= {"goal": goal}
    if preferred:
        decided |= {"critic": judges.critic, "critic_model": judges.models.critic_model if watched else None}
    worker_task = WorkerTask(
        text,
        task.word,
        place[1],
        settings,
        folder / study.EPISODES,
        objective,
        judges.clip,
        facts and facts[0],
        folder / study.CLIPS if watched else None,
        goal,
    )
    more = measures.named(objective, task.sentence, judges.clip)
    with (
        study.opened(settings, folder, watcher, clips=watched, measures=more, facts=facts) as measuring,
        WorkerPool(worker_task, workers) as pool,
    ):
        sharing = pool.sharing if workers else None
        preference = None if feedback is None else PreferenceObjective(measuring, feedback)
        found = Tuner(config, text, place, measuring, folder, decided, sharing, tell, preference).run()
    result = TuneStudy(found, folder)
    result.save()
    return result
