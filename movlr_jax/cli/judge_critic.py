"""`movlr judge-critic SOURCE...`: how far critics can be trusted, by pairs of motions of which physics says which is better.

In: folders of runs, rollouts and evaluations, whose motions are shown as they are and changed in ways that are known to make them worse,
or neither better nor worse. Out: a table of agreement with physics by critic and kind of pair, position bias, named faults, kappa and
cost; in the folder of --out judge_critic.json, judge_critic.md, judge_critic.png and a record a pair. Nothing is simulated. The same
command goes on where it was stopped, and asks no model twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from movlr_jax.cli import console, flags
from movlr_jax.runs.critic_trial_config import CriticTrialConfig


@dataclass(frozen=True, kw_only=True)
class Options:
    """Try critics on pairs of recorded motions of which physics says which is better, and say how far they can be trusted."""

    sources: Annotated[tuple[Path, ...], tyro.conf.Positional]
    """Folders of runs, of rollouts and of evaluations, or folders that hold some, or episodes (.npz)."""
    trial: Annotated[CriticTrialConfig, tyro.conf.arg(name="")] = field(default_factory=CriticTrialConfig)
    """How critics are tried."""
    task: str | None = None
    """The task of episodes beside which nothing says so."""
    morphology: str | None = None
    """Their body."""
    injury: tuple[str, ...] = ()
    """Muscles that were weakened in saved episodes, PATTERN=FRACTION, beside the task's own."""
    replay: Path | None = None
    """The folder of an earlier trial: its recorded answers are used, and no model is asked."""
    out: Path = Path("runs/judge-critic")
    """Folder for the records and what comes of them; what it has already is neither measured nor asked again."""
    json: bool = False
    """Print one JSON document and nothing else on stdout."""


def main(argv: Sequence[str]) -> int:
    """Run the verb."""
    options = flags.parse(Options, flags.gather(argv, ("--critics",), ("--kinds",), ("--injury",)), "judge-critic")
    from movlr_jax.cli import task_names
    from movlr_jax.evaluation import critic_study
    from movlr_jax.llm import addresses
    from movlr_jax.llm.config import SERVICES

    url = options.trial.models.critic_url
    for service in SERVICES:
        if url and any(word.partition("=")[0] == service for word in options.trial.critics):
            addresses.give(service, url)  # type: ignore[arg-type]  # this verb reads no file that could name one
    err = console.stderr()
    study = critic_study.judge_critics(
        options.sources,
        options.trial,
        options.out,
        task=options.task and task_names.settled(options.task),
        morphology=options.morphology,
        injury=options.injury,
        replay=options.replay,
        tell=lambda sentence: err.print(sentence, markup=False, soft_wrap=True),
    )
    if options.json:
        console.print_json(study.document())
        return 0
    headings, cells, remarks = study.table()
    out = console.stdout(console.WIDE)
    out.print(console.table("Critics against physics", headings, cells))
    named, faults = study.faults()
    if faults:
        out.print()
        out.print(console.table("Faults that are known", named, faults))
    for line in (*remarks, f"saved in {options.out} ({critic_study.NAME}.json, .md, .png, pairs/)"):
        out.print(line, markup=False, soft_wrap=True)
    return 0
