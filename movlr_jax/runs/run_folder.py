"""A run's folder, `runs/NAME/`: the interface between a run, the people who read it and the processes that go on with
it.

    config.yaml                 every value of the run's configuration
    run.json                    versions, engine, seed, commit, identifiers: nothing that names the host
    iterations/NNN/             one iteration; the files of the candidate that was chosen:
        reward.py, reward.stablehlo, verdict.json       the text, the trusted artifact, the proof
        rollout.npz, rollout_SEED.npz                   the first seed's episode; the others'
        metrics.json, facts.json, critique.json         unadvised.json: the critique before a person advised
        clip.mp4, clip_SEED.mp4                         the first seed's film; of several seeds also the worst's and the best's
        no_clip.json                                    why there is none
        drafts/NN.json                                  each text that was written, with its edit; refusals/NN.json why
        one was refused calls/                                          model calls as they were made
        written/                                        the text as it was written and its proof, where weights are tuned;
        tune/NN/trial.json                              each set of values that was tried (refusal.json: why a proof refused
        the best of them); tuned.json which was taken
        rungs/NN/metrics.json, facts.json               what it did at each rung of the race
        rungs/00/part.npz, after.npz                    the beginning of its first episode and what continues it, until it is whole
        extra/rollout_SEED.npz                          episodes of further seeds, for near decisions
        candidates/K/                                   the candidates that were not chosen, with the same files but
        the clip choice.json, decision.json, iteration.json      which candidate; kept or not, and why; the iteration's
        row
        race/NN.json                                    who was compared at a rung, and who was eliminated
        pairs/NN.json                                   the chosen one and the best, seed by seed, with NN further seeds
    calls/KEY.json              every model call, by its request (`movlr_jax.llm.ledger`)
    best -> iterations/NNN      the iteration kept as best
    summary.json                one row an iteration
    metrics.jsonl               what the local tracker logged
    heatmaps/, report.html

While an iteration is under way all its candidates stand under candidates/; the chosen one's files move up, by renames,
when it is decided. Every file is written atomically (`atomic.py`), and what is finished is never rewritten.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from movlr_jax import atomic, folders
from movlr_jax.errors import BadFile, MovlrError
from movlr_jax.facts import Facts
from movlr_jax.media import next_steps
from movlr_jax.processes import alone
from movlr_jax.runs import records
from movlr_jax.runs.iteration_record import IterationRecord, Tuned
from movlr_jax.runs.records import (
    Choice,
    Decision,
    DraftRecord,
    Elimination,
    Judgement,
    MetricsRecord,
    Pairing,
    RaceRecord,
    TrialRecord,
    VerdictRecord,
)
from movlr_jax.writers.base import Draft

# The chosen candidate's drafts and calls are folders; they move up whole, like files.
_LOCK = ".lock"


class Candidate:
    """The folder of one candidate of one iteration, wherever it stands now."""

    def __init__(self, path: Path, index: int, seeds: tuple[int, ...]):
        self.path, self.index, self._seeds = path, index, seeds

    def __getitem__(self, name: str) -> Path:
        return self.path / name

    def has(self, name: str) -> bool:
        """Return whether a product is finished."""
        return (self.path / name).exists()

    def draft(self, attempt: int) -> Path:
        """Return the path of an attempt's text."""
        return self.path / "drafts" / f"{attempt:02d}.json"

    def save_draft(self, attempt: int, draft: Draft, given_up: str = "") -> None:
        """Save a text as it was written; `given_up` says why there is none."""
        atomic.write_json(
            self.draft(attempt),
            {
                "name": draft.name,
                "edit": draft.edit,
                "rationale": draft.rationale,
                "given_up": given_up,
                "refusal": draft.refusal,
                "builds_on": draft.builds_on,
                # A proof speaks of lines and of a hash: one kind of line end, before anything is made of it.
                "source": draft.source.replace("\r\n", "\n").replace("\r", "\n"),
            },
        )

    def read_draft(self, attempt: int) -> DraftRecord:
        """Return an attempt's text as it was written."""
        record: DraftRecord = records.read(self.draft(attempt))
        return record

    def drafts(self) -> list[DraftRecord]:
        """Return the texts that were written, in the order of the attempts."""
        return [records.read(path) for path in _numbered(self.path / "drafts", ".json")]

    def read(self, name: str) -> Any:
        """Return the value of one of its JSON files, checked."""
        return records.read(self.path / name)

    def metrics(self) -> MetricsRecord:
        """Return its metrics, gates and score."""
        record: MetricsRecord = self.read("metrics.json")
        return record

    def weights(self) -> dict[str, float]:
        """Return its reward's weights, term -> weight."""
        return dict(self.read("weights.json"))

    def verdict(self) -> VerdictRecord:
        """Return the verdict on its text."""
        record: VerdictRecord = self.read("verdict.json")
        return record

    def facts(self) -> Facts:
        """Return what was measured of its motion."""
        return Facts.read(self.read("facts.json"))

    def critique(self) -> Judgement:
        """Return what was said of its motion."""
        return Judgement.model_validate(self.read("critique.json"))

    def tuned(self) -> Tuned | None:
        """Return what tuning did to its weights, or None where they were not tuned."""
        return Tuned.read(self.read("tuned.json")) if self.has("tuned.json") else None

    def text(self) -> str:
        """Return the text of its reward."""
        return atomic.read_text(self.path / "reward.py")

    def artifact(self) -> bytes:
        """Return its compiled program, to compare; it is never run."""
        return atomic.read_bytes(self.path / "reward.stablehlo")

    def refusal(self, attempt: int) -> Path:
        """Return the path of an attempt's refusal."""
        return self.path / "refusals" / f"{attempt:02d}.json"

    def rollout(self, seed: int) -> Path:
        """Return the path of an episode: rollout.npz for the first seed."""
        return self.path / ("rollout.npz" if seed == self._seeds[0] else f"rollout_{seed}.npz")

    def extra(self, seed: int) -> Path:
        """Return the path of an episode of a further seed, which a near decision took."""
        return self.path / "extra" / f"rollout_{seed}.npz"

    @property
    def part(self) -> Path:
        """The path of the beginning of its first episode, as the race's first rung left it."""
        return self.rung(0)["part.npz"]

    @property
    def after(self) -> Path:
        """The path of what continues that beginning; there is none where the episode is over."""
        return self.rung(0)["after.npz"]

    def rung(self, number: int) -> Candidate:
        """Return the folder of what it did at a rung of the race."""
        return Candidate(self.path / "rungs" / f"{number:02d}", self.index, self._seeds)

    def rungs(self) -> list[Candidate]:
        """Return the folders of the rungs at which it was measured, in order."""
        folders = (self.rung(int(path.name)) for path in _numbered(self.path / "rungs"))
        return [rung for rung in folders if rung.has("metrics.json")]

    def last_rung(self) -> Candidate:
        """Return the folder of the last rung at which it was measured.

        Raises:
            BadFile: there is none.
        """
        rungs = self.rungs()
        if not rungs:
            raise BadFile(f"{self.path} holds nothing of the race that it was eliminated in: restore its rungs/, or start the run again.")
        return rungs[-1]

    def clip(self, seed: int) -> Path:
        """Return the path of an episode's film: clip.mp4 for the first seed."""
        return self.path / ("clip.mp4" if seed == self._seeds[0] else f"clip_{seed}.mp4")

    def clips(self) -> dict[int, Path]:
        """Return the films that there are, by seed, in the order of the seeds."""
        return {seed: path for seed in self._seeds if (path := self.clip(seed)).exists()}

    def unfilmed(self) -> list[int]:
        """Return the seeds that are to be filmed and are not: the first, by which iterations are compared, the worst and the best.

        None where a film failed, and none of an iteration that an earlier version measured and filmed.
        """
        if self.has("no_clip.json"):
            return []
        to_film = self._seeds[:1] if len(self._seeds) < 2 else (*self._seeds[:1], *self.facts().seeds)
        return [seed for seed in dict.fromkeys(to_film) if seed in self._seeds and not self.clip(seed).exists()]

    @property
    def proven(self) -> bool:
        """Whether a trusted artifact stands here (verdict.json is written after it)."""
        return self.has("verdict.json")

    def keep(self, source: str, artifact: bytes, weights: Mapping[str, float], verdict: Mapping[str, Any]) -> None:
        """Save a proven text with its artifact, weights and verdict."""
        atomic.write_text(self["reward.py"], source)
        atomic.write_bytes(self["reward.stablehlo"], artifact)
        atomic.write_json(self["weights.json"], dict(weights))
        atomic.write_json(self["verdict.json"], dict(verdict))  # last: it says that the others are whole

    @property
    def as_written(self) -> Candidate:
        """Where its text stands as its writer wrote it, tuned or not."""
        return self.written if self.written.proven else self

    @property
    def written(self) -> Candidate:
        """Where the text stands as it was written while its weights are tuned, and afterwards."""
        return Candidate(self.path / "written", self.index, self._seeds)

    def trial(self, number: int) -> Candidate:
        """Return the folder of one set of weights that is tried for this candidate."""
        return Candidate(self.path / "tune" / f"{number:02d}", self.index, self._seeds)

    def trials(self) -> list[TrialRecord]:
        """Return the records of the trials that are over, in order."""
        paths = (folder / "trial.json" for folder in _numbered(self.path / "tune"))
        return [records.read(path) for path in paths if path.exists()]

    def refusals(self) -> list[VerdictRecord]:
        """Return the refusals, in the order of the attempts."""
        return [records.read(path) for path in _numbered(self.path / "refusals", ".json")]

    def record_calls(self, stage: str, calls: Any) -> None:
        """Save model calls as they were made; nothing is written when there were none."""
        if calls:
            atomic.write_json(self.path / "calls" / f"{stage}.json", list(calls))


class Iteration:
    """The folder of one iteration."""

    def __init__(self, path: Path, number: int, seeds: tuple[int, ...]):
        self.path, self.number, self._seeds = path, number, seeds

    def __getitem__(self, name: str) -> Path:
        return self.path / name

    def has(self, name: str) -> bool:
        """Return whether a product is finished."""
        return (self.path / name).exists()

    def read(self, name: str) -> Any:
        """Return the value of one of its JSON files, checked."""
        return records.read(self.path / name)

    def candidate(self, index: int) -> Candidate:
        """Return a candidate's folder while the iteration is under way; afterwards, of one that was not chosen."""
        return Candidate(self.path / "candidates" / str(index), index, self._seeds)

    def race(self, rung: int) -> Path:
        """Return the path of the record of a rung of the race."""
        return self.path / "race" / f"{rung:02d}.json"

    def races(self) -> list[RaceRecord]:
        """Return the records of the rungs that are over, in order."""
        return [records.read(path) for path in _numbered(self.path / "race", ".json")]

    def eliminated(self) -> dict[int, Elimination]:
        """Return candidate -> why it was eliminated in the race."""
        return {record["candidate"]: record for race in self.races() for record in race["eliminated"]}

    def pairing(self, extra: int) -> Path:
        """Return the path of the comparison, seed by seed, with so many further seeds."""
        return self.path / "pairs" / f"{extra:02d}.json"

    def pairings(self) -> list[Pairing]:
        """Return the comparisons seed by seed, in order."""
        return [records.read(path) for path in _numbered(self.path / "pairs", ".json")]

    def choice(self) -> Choice:
        """Return which candidate went on, and why."""
        record: Choice = self.read("choice.json")
        return record

    def decision(self) -> Decision:
        """Return whether it became the best, and why."""
        record: Decision = self.read("decision.json")
        return record

    def chosen(self) -> Candidate | None:
        """Return the chosen candidate as it stands after promotion, or None where every draft was refused."""
        index = self.choice()["candidate"]
        return None if index is None else Candidate(self.path, index, self._seeds)

    def promote(self, index: int) -> None:
        """Move the chosen candidate's files up, each by one rename; a promotion that was cut short is completed."""
        source = self.candidate(index).path
        if not source.is_dir():
            return
        for item in sorted(source.iterdir()):
            item.replace(self.path / item.name)
        source.rmdir()
        with contextlib.suppress(OSError):  # other candidates stay
            source.parent.rmdir()

    def add_seconds(self, stage: str, seconds: float) -> None:
        """Add to the wall time spent in a stage [s]."""
        spent = self.seconds()
        spent[stage] = round(spent.get(stage, 0.0) + seconds, 4)
        atomic.write_json(self["seconds.json"], spent)

    def seconds(self) -> dict[str, float]:
        """Return the wall time spent per stage so far [s]."""
        return dict(self.read("seconds.json")) if self.has("seconds.json") else {}


class RunFolder:
    """A run's folder.

    Args:
        path: the folder.
        seeds: the episodes' seeds, whose first names rollout.npz.
    """

    def __init__(self, path: Path, seeds: tuple[int, ...] = (0,)):
        self.path, self.seeds = path, seeds

    def __getitem__(self, name: str) -> Path:
        return self.path / name

    @staticmethod
    def create(path: Path, config_yaml: str, run: dict[str, Any], seeds: tuple[int, ...] = (0,), start: Draft | None = None) -> RunFolder:
        """Make a new run's folder, whole or not at all.

        Args:
            path: the folder.
            config_yaml: its configuration.
            run: what run.json says.
            seeds: the episodes' seeds.
            start: the start reward, copied into the folder, so that a run needs no file outside it; None: it is written like any other.

        Raises:
            MovlrError: something stands there already.
        """
        RunFolder.refuse_taken(path)
        try:
            with atomic.new_folder(path) as partial:
                (partial / "iterations").mkdir()
                atomic.write_text(partial / "config.yaml", config_yaml)
                atomic.write_json(partial / "run.json", run)
                if start is not None:
                    RunFolder(partial, seeds).iteration(0).candidate(0).save_draft(0, start)
        except OSError as error:
            raise folders.unwritable(path, error) from error
        return RunFolder(path, seeds)

    @staticmethod
    def refuse_taken(path: Path) -> None:
        """Raise MovlrError, in one sentence, if a new run cannot have this folder."""
        if (path / "run.json").exists():
            raise MovlrError(f"{path} already holds a run: go on with `{next_steps.resume(path)}`, or choose another --out.")
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise MovlrError(f"{path} exists and is not empty: choose another --out.")
        folders.require_writable(path)

    @staticmethod
    def find(path: Path) -> RunFolder:
        """Return an existing run's folder, looked through: it may come from someone else.

        Raises:
            MovlrError: there is no run, or it holds what none holds, such as a link to somewhere else.
        """
        if not (path / "run.json").is_file() or not (path / "config.yaml").is_file():
            raise MovlrError(f"{path} holds no run (no run.json): give the folder that `movlr run` printed.")
        folders.admit(path)
        return RunFolder(path)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder against other processes; the system lets go when this one ends, however it ends.

        Raises:
            MovlrError: another process holds it.
        """
        with alone(self[_LOCK], f"Another process is working in {self.path}: wait for it, or end it first."):
            yield

    def iteration(self, number: int) -> Iteration:
        """Return an iteration's folder."""
        return Iteration(self.path / "iterations" / f"{number:03d}", number, self.seeds)

    def rows(self) -> list[IterationRecord]:
        """Return the records of the finished iterations, in order."""
        rows: list[IterationRecord] = []
        while (path := self.iteration(len(rows))["iteration.json"]).exists():
            rows.append(_row(path, len(rows)))
        return rows

    def chosen(self, number: int) -> Candidate:
        """Return the chosen candidate of a finished iteration that has one.

        Raises:
            MovlrError: it has none.
        """
        chosen = self.iteration(number).chosen()
        if chosen is None:
            raise MovlrError(f"Iteration {number} of {self.path} has no reward: its files were changed; start the run again.")
        return chosen

    def best(self) -> int | None:
        """Return the iteration kept as best, from the rows; the link `best` follows it."""
        kept = [row.iteration for row in self.rows() if row.kept]
        return kept[-1] if kept else None

    def point_best(self) -> None:
        """Make the link `best` agree with the rows."""
        best = self.best()
        if best is not None:
            atomic.link(self["best"], f"iterations/{best:03d}")

    def base(self, draft: DraftRecord, best: int) -> int:
        """Return the iteration whose program a draft was made from.

        Args:
            draft: as it was written; one of an earlier version was made from the best.
            best: the best iteration when it was written.

        Raises:
            BadFile: it names an iteration that has no program.
        """
        stated = draft.get("builds_on")
        number = best if stated is None else stated
        rows = self.rows()
        if number >= len(rows) or rows[number].candidate is None:
            raise BadFile(f"A draft in {self.path} builds on iteration {number}, which has no program: restore the file, or start anew.")
        return number

    def programs(self) -> dict[int, str]:
        """Return iteration -> the text of its program, of every finished iteration that has one."""
        return {row.iteration: self.chosen(row.iteration).text() for row in self.rows() if row.candidate is not None}

    def sources(self) -> dict[str, str]:
        """Return the text of every proven candidate -> where it was tried ("iteration 3")."""
        found: dict[str, str] = {}
        for path in sorted((self.path / "iterations").rglob("reward.py")):
            if not path.with_name("verdict.json").exists():
                continue  # a kill came between the text and its proof; it is being proven again
            number = path.relative_to(self.path).parts[1]
            if number.isascii() and number.isdigit():
                found.setdefault(atomic.read_text(path).strip(), f"iteration {int(number)}")
        return found


def _row(path: Path, number: int) -> IterationRecord:
    """Return a record whose numbers are those of its place; a draft that was not chosen has no score, and is not kept."""
    row = IterationRecord.read(records.read(path))
    measured = row.candidate is not None and row.score is not None
    if row.iteration != number or (row.parent is not None and row.parent >= number) or (row.kept and not measured):
        raise BadFile(f"{path} is not what a run writes there (it is not iteration {number}'s): restore the file, or start the run again.")
    return row


def _numbered(folder: Path, suffix: str = "") -> list[Path]:
    """Return what is called by a number in a folder, in the order of the numbers."""
    if not folder.is_dir():
        return []
    named = [path for path in folder.iterdir() if path.name.endswith(suffix) and not path.name.startswith(".")]
    numbered = [(path.name.removesuffix(suffix), path) for path in named]
    return [path for name, path in sorted((int(n), p) for n, p in numbered if n.isascii() and n.isdigit() and len(n) < 9)]


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays of an episode.

    Raises:
        MovlrError: the file is damaged.
    """
    try:
        return atomic.read_npz(path)
    except (OSError, ValueError) as error:
        raise MovlrError(f"{path} cannot be read ({error}): delete it and resume; the episode is run again.") from error
