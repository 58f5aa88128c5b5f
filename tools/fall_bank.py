"""The fall bank: states before a fall, and as many harmless ones, that planners are tried from.

    python tools/fall_bank.py collect --body myolegs --goal-speed 0.9 --threads 1
    python tools/fall_bank.py measure --body myolegs --planner.name cem --label cem --threads 1
    python tools/fall_bank.py table --base mppi

`collect` runs walks that are provoked to fall until each half of the bank (odd seeds measure, even ones are learnt from) has 20 states of
each kind, and writes benchmarks/fall_bank/BODY.npz. `measure` counts from how many states of the half that measures a planner keeps the
body up for 1.5 s: the walks that would show as many falls take six times as long. `table` prints what was measured, each planner beside
another on the same states. The same command goes on where it was stopped.
"""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import tyro

from movlr_jax.control.planners import MPPI, Planner
from movlr_jax.errors import MovlrError
from movlr_jax.evaluation import survival
from movlr_jax.evaluation.fall_bank import KINDS, FallBank
from movlr_jax.evaluation.fall_collection import Collector
from movlr_jax.evaluation.survival import Measured, TrialFile
from movlr_jax.media import tables

HERE = Path(__file__).resolve().parents[1] / "benchmarks"
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Banked:
    """What all of it takes."""

    body: str = "ms-human-700-locomotion"
    """The body."""
    bank: Path | None = None
    """The bank's file; benchmarks/fall_bank/BODY.npz if left out."""
    reward: str = "stride"
    """Reward under which is planned: a name, or a file."""
    threads: int = 0
    """Threads of the native engine; 0: one a core."""
    planner: Planner = field(default_factory=MPPI)
    """The planner."""

    @property
    def path(self) -> Path:
        """The bank's file."""
        return HERE / "fall_bank" / f"{Path(self.body).stem}.npz" if self.bank is None else self.bank


@dataclass(frozen=True, kw_only=True)
class Collect(Banked):
    """Run walks that are provoked to fall, and keep the states before their falls."""

    folder: Path = Path("runs/falls")
    """Folder for the episodes, in which each body has one."""
    goal_speed: float = 1.0
    """Speed to aim for on flat ground [m/s]."""
    states: int = 20
    """States of each kind in each half."""
    episodes: int = 400
    """Episodes at the most."""

    def run(self) -> None:
        """Do it."""
        collector = Collector(self.folder / Path(self.body).stem, self.body, self.reward, self.goal_speed, self.planner, self.threads)

        def say(record: Mapping[str, Any]) -> None:
            print(json.dumps(record), flush=True)

        collector.collect(self.states, self.episodes, say)
        bank = collector.bank().kept(self.states)
        bank.save(self.path)
        falls = bank.of(kind="fall").states
        print(f"{self.path}: {len(bank.states)} states, {len(falls)} before a fall, of which {survival.natural(falls)} are natural.")


@dataclass(frozen=True, kw_only=True)
class Measure(Banked):
    """Count from how many states of a bank a planner keeps the body up."""

    label: str = "mppi"
    """What the planner is called among the results."""
    results: Path = HERE / "results" / "fall_bank.json"
    """The file of trials."""
    split: str = "test"
    """The states: test, train (what is learnt from these must not be measured on them) or all."""
    seeds: tuple[int, ...] = (1,)
    """Seeds of the noise, one trial of each state a seed."""
    seconds: float = survival.SECONDS
    """Length of a trial [s]."""

    def run(self) -> None:
        """Do it."""
        if self.split not in ("test", "train", "all"):
            raise MovlrError(f"There is no split '{self.split}': give test, train or all.")
        bank, results = FallBank.load(self.path).of(split=None if self.split == "all" else self.split), TrialFile(self.results)
        more = {"reward": self.reward, "seeds": self.seeds, "seconds": self.seconds, "threads": self.threads}
        what = Measured(bank=bank, label=self.label, planner=self.planner, **more)
        trials = survival.measure(what, self.body, results, lambda trial: print(trial, file=sys.stderr, flush=True))
        print(table(results, {(bank.body, self.label): trials}))


@dataclass(frozen=True, kw_only=True)
class Table:
    """Print what was measured."""

    results: Path = HERE / "results" / "fall_bank.json"
    """The file of trials."""
    base: str = "mppi"
    """The label that the others are compared with."""

    def run(self) -> None:
        """Do it."""
        results = TrialFile(self.results)
        print(table(results, {which: results.trials(*which) for which in results.labels()}, self.base))


def table(results: TrialFile, trials: Mapping[tuple[str, str], Sequence[survival.Trial]], base: str = "") -> str:
    """Return trials as a table, a row a planner on a body."""
    cells = []
    for (body, label), those in sorted(trials.items()):
        row = [body, label]
        for kind in (*KINDS, None):
            found = survival.share(those, kind)
            row.append(f"{found.survived} of {found.count} ({found.interval[0]:.2f} to {found.interval[1]:.2f})")
        others = results.trials(body, base) if base and base != label else []
        paired = survival.compare(those, others)
        row.append(f"{paired.first} better, {paired.second} worse, p {paired.p:.2g}" if others else "")
        plans = sum(trial.lasted for trial in those)
        row.append(f"{sum(trial.simulated * trial.lasted for trial in those) / plans:.0f}" if plans else "")
        row.append(f"{sum(trial.cpu for trial in those):.0f}")
        cells.append(row)
    headings = (
        "body",
        "planner",
        "before a fall, survived (95 %)",
        "harmless",
        "all",
        f"against {base}" if base else "",
        "steps a plan",
        "CPU s",
    )
    return tables.markdown(headings, cells)


def read(options: type[T], argv: Sequence[str], action: str) -> T:
    """Return the options that words give; the planner is of the kind that --planner.name names."""
    named = [after for word, after in itertools.pairwise(argv) if word == "--planner.name"]
    named += [word.partition("=")[2] for word in argv if word.startswith("--planner.name=")]
    default = options(**({"planner": MPPI().as_kind(named[-1])} if named else {}))
    config = (tyro.conf.HelptextFromCommentsOff,)
    return tyro.cli(options, prog=f"fall_bank.py {action}", args=list(argv), default=default, config=config)


ACTIONS: dict[str, type[Collect] | type[Measure] | type[Table]] = {"collect": Collect, "measure": Measure, "table": Table}


def main(argv: Sequence[str] | None = None) -> int:
    argv = sys.argv[1:] if argv is None else argv
    if not argv or argv[0] in ("-h", "--help"):
        print(__doc__)
        return 0 if argv else 2
    if argv[0] not in ACTIONS:
        print(f"There is no action '{argv[0]}': give {', '.join(ACTIONS)}.", file=sys.stderr)
        return 2
    try:
        read(ACTIONS[argv[0]], argv[1:], argv[0]).run()
    except MovlrError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
