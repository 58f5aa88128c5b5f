"""A run's folder as its report reads it: whatever is there, nothing required, nothing trusted.

Flows in: the folder of a run, finished or not, of this version or an earlier one; files that are missing or damaged count as not there.
Flows out: its iterations in order, which of them is the best, and what each tried beside the reward that it kept.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from movlr_jax import atomic


@dataclass
class Iteration:
    """One iteration: its row of the summary and the records in its folder.

    Attributes:
        metrics: the mean over the seeds.
        first, best: whether it is the start, or the best of the run.
    """

    number: int
    folder: Path
    row: dict[str, Any]
    metrics: dict[str, Any] = field(default_factory=dict)
    episodes: list[Any] = field(default_factory=list)
    critique: Any = None
    decision: dict[str, Any] = field(default_factory=dict)
    verdict: Any = None
    source: str | None = None
    first: bool = False
    best: bool = False

    @property
    def score(self) -> float | None:
        """The score, where it was judged."""
        return number(self.row.get("score"))

    @property
    def kept(self) -> bool:
        """Whether it was the best when it was judged."""
        return bool(self.row.get("kept"))

    @property
    def gates(self) -> dict[str, Any]:
        """What its motion passed and did not."""
        return mapping(self.row.get("gates"))

    @property
    def seconds(self) -> dict[str, Any]:
        """Wall time of each stage [s]."""
        return mapping(self.row.get("seconds"))

    def refusals(self) -> list[dict[str, Any]]:
        """Return what the sandbox refused: sentence, line, source."""
        refused = []
        for path in sorted(self.folder.rglob("refusals/*.json")):
            verdict, draft = mapping(json_of(path)), mapping(json_of(path.parent.parent / "drafts" / path.name))
            refused.append({"sentence": verdict.get("sentence", ""), "line": verdict.get("line"), "source": draft.get("source")})
        return refused or [{"sentence": s, "line": None, "source": None} for s in sequence(self.row.get("refusals"))]

    def candidates(self) -> list[dict[str, Any]]:
        """Return what was written and not chosen: name, edit, score, and why it was eliminated in the race."""
        others, out = [], {str(one.get("candidate")): one for rung in self.race() for one in map(mapping, sequence(rung.get("eliminated")))}
        for folder in sorted((self.folder / "candidates").glob("*")):
            drafts = sorted((folder / "drafts").glob("*.json"))
            edit = mapping(json_of(drafts[-1])).get("edit") if drafts else None
            score = mapping(json_of(folder / "metrics.json")).get("score")
            others.append({"name": folder.name, "edit": edit, "score": score, "why": out.get(folder.name, {}).get("reason")})
        return others

    def race(self) -> list[dict[str, Any]]:
        """Return the rungs of the race that are over: what was run, each candidate's score and the best's, and who went out."""
        return [mapping(json_of(path)) for path in sorted(self.folder.glob("race/*.json"))]

    def pairing(self) -> dict[str, Any]:
        """Return the last comparison with the best, seed by seed; nothing where there was none."""
        paths = sorted(self.folder.glob("pairs/*.json"))
        return mapping(json_of(paths[-1])) if paths else {}

    def calls(self) -> list[str]:
        """Return the names of the records of model calls."""
        return [path.name for path in sorted(self.folder.glob("calls/*.json"))]

    def clips(self) -> list[tuple[str, str]]:
        """Return its films, name and caption, that of the first seed first: where several episodes were filmed, which is which."""
        facts = mapping(json_of(self.folder / "facts.json"))
        extremes = map(mapping, sequence(facts.get("extremes")))
        # A name is made of a seed: of a number, whatever the file says.
        places = {seed: e.get("place") for e in extremes if type(seed := e.get("seed")) is int}
        first = seed if type(seed := facts.get("seed")) is int else None
        named = {"clip.mp4": first} | {f"clip_{seed}.mp4": seed for seed in places if seed != first}
        captions = {
            name: "" if seed is None else f"seed {seed}" + (f", the {places[seed]} of {len(self.episodes)}" if seed in places else "")
            for name, seed in named.items()
        }
        return [(name, caption) for name, caption in captions.items() if (self.folder / name).is_file()]

    def tuned(self) -> dict[str, Any]:
        """Return what came of tuning its weights; nothing where they were not tuned."""
        return mapping(json_of(self.folder / "tuned.json"))

    def trials(self) -> list[dict[str, Any]]:
        """Return the trials of tuning: number, score, weights, parameters, gates, mean metrics, and whether it was refused."""
        paths = [p for p in self.folder.glob("tune/[0-9]*/trial.json") if p.parent.name.isascii() and p.parent.name.isdigit()]
        trials = []
        for path in sorted(paths, key=lambda p: int(p.parent.name)):
            record = mapping(json_of(path))
            trial = {name: mapping(record.get(name)) for name in ("weights", "parameters", "gates", "mean")}
            refused = path.with_name("refusal.json").is_file()
            trials.append({**trial, "number": int(path.parent.name), "score": record.get("score"), "refused": refused})
        return trials


class Run:
    """A run.

    Args:
        folder: its folder.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.summary = mapping(json_of(folder / "summary.json"))
        self.header = mapping(json_of(folder / "run.json"))
        self.config = text_of(folder / "config.yaml") or ""
        self.iterations = self._iterations()
        self.start = self.iterations[0] if self.iterations else None
        self.best = self._best()
        if self.start is not None:
            self.start.first = True
        if self.best is not None:
            self.best.best = True

    def _iterations(self) -> list[Iteration]:
        rows = {r["iteration"]: r for r in map(mapping, sequence(self.summary.get("iterations"))) if isinstance(r.get("iteration"), int)}
        numbers = set(rows)
        root = self.folder / "iterations"
        if root.is_dir():
            numbers |= {int(p.name) for p in root.iterdir() if p.name.isascii() and p.name.isdigit() and len(p.name) < 9 and p.is_dir()}
        iterations = []
        for n in sorted(numbers):
            folder = root / f"{n:03d}"
            record = mapping(json_of(folder / "metrics.json"))
            row = {**{k: record.get(k) for k in ("score", "gates")}, **mapping(json_of(folder / "iteration.json")), **rows.get(n, {})}
            iterations.append(
                Iteration(
                    n,
                    folder,
                    row,
                    metrics=mapping(record.get("mean")) | mapping(row.get("metrics")),
                    episodes=sequence(record.get("episodes")),
                    critique=json_of(folder / "critique.json"),
                    decision=mapping(json_of(folder / "decision.json")),
                    verdict=json_of(folder / "verdict.json"),
                    source=text_of(folder / "reward.py"),
                )
            )
        return iterations

    def _best(self) -> Iteration | None:
        stated = self.summary.get("best")
        kept = [i for i in self.iterations if i.kept]
        return next((i for i in self.iterations if isinstance(stated, int) and i.number == stated), kept[-1] if kept else None)

    def parent(self, iteration: Iteration) -> Iteration | None:
        """Return the iteration whose reward this one edited: the best before it."""
        stated = iteration.row.get("parent", iteration.decision.get("against"))
        earlier = [i for i in self.iterations if i.number < iteration.number]
        kept = [i for i in earlier if i.kept]
        return next((i for i in earlier if i.number == stated), kept[-1] if kept else None)

    def stated(self, name: str) -> Any:
        """Return a value of the summary, or else of the run's header."""
        return self.summary.get(name, self.header.get(name))


def number(value: Any) -> float | None:
    """Return a value as a finite number, or None."""
    try:
        return float(value) if isinstance(value, int | float) and math.isfinite(value) else None
    except OverflowError:
        return None


def json_of(path: Path) -> Any:
    """Return the value in a JSON file, or None."""
    try:
        return atomic.read_json(path)
    except (OSError, ValueError):
        return None


def text_of(path: Path) -> str | None:
    """Return the text of a file, or None."""
    try:
        return atomic.read_bytes(path).decode("utf-8", errors="replace")
    except (OSError, ValueError):
        return None


def mapping(value: Any) -> dict[str, Any]:
    """Return a value if it is a record, else an empty one."""
    return value if isinstance(value, dict) else {}


def sequence(value: Any) -> list[Any]:
    """Return a value if it is a list, else an empty one."""
    return value if isinstance(value, list) else []
