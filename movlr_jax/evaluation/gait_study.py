"""Gaits of recorded motion: what the gait laboratory measures of a run's best, of saved episodes, or of an evaluation's rows.

In: a run's folder (its best iteration, every seed), a folder of episodes or one rollout.npz, or the folder of an evaluation. Out: figures
by name beside people's, and of episodes also their curves: a page of figures, and an archive for mm-evalkit. Nothing is simulated; no
reward's text is run.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from movlr_jax import atomic, code_names, folders, morphologies
from movlr_jax.control.episode import Rollout
from movlr_jax.errors import MovlrError
from movlr_jax.evaluation import archives
from movlr_jax.gait import mm_evalkit, norms, people
from movlr_jax.gait.analysis import GaitAnalysis, analyse, usable
from movlr_jax.gait.norms import Fact
from movlr_jax.gait.trajectory import Trajectory
from movlr_jax.media import gait_figure, gait_page, metrics_table, tables
from movlr_jax.media.gait_page import Column
from movlr_jax.morphologies import Morphology
from movlr_jax.rewards.features import feature_layout
from movlr_jax.runs import permissions
from movlr_jax.runs.config import RunConfig
from movlr_jax.runs.run_folder import RunFolder
from movlr_jax.tasks import Task, gait_metrics, metrics

_SHOWN = ("step_symmetry", *(metric.name for metric in gait_metrics.GAIT_METRICS))  # in this order


@dataclass(frozen=True, eq=False)
class Episode:
    """One recorded episode, its motion by name, and its gait."""

    rollout: Rollout
    trajectory: Trajectory
    analysis: GaitAnalysis


@dataclass(frozen=True, eq=False)
class Row:
    """What one body did under one reward.

    Attributes:
        name: a few words.
        task, morphology: names.
        records: figures of each episode, with its "seed".
        leg_m: the leg's length of a body that is built as a human is (m); None: it is compared with nobody.
        episodes: the motions; none of an evaluation, which keeps figures alone.
    """

    name: str
    task: str
    morphology: str
    records: tuple[Mapping[str, Any], ...]
    leg_m: float | None
    episodes: tuple[Episode, ...] = ()

    def summary(self) -> dict[str, Any]:
        """Return {"episodes", "mean", "std"} of the figures; figures that no episode has are left out."""
        names = [name for name in _SHOWN if any(record.get(name) is not None for record in self.records)]
        made = [{"seed": record["seed"], **{name: record.get(name) for name in names}} for record in self.records]
        summed = metrics.summarize(made)
        return {
            "episodes": made,
            "mean": {name: summed["mean"][name] for name in names},
            "std": {name: summed["std"][name] for name in names},
        }

    def people(self) -> dict[str, Fact]:
        """Return what people have of its figures, at its speed; nothing for a body that is built otherwise."""
        if self.leg_m is None:
            return {}
        mean = self.summary()["mean"]
        facts = {name: people.fact(name, self.speed_mps(), self.leg_m) for name in mean}
        return {name: fact for name, fact in facts.items() if fact is not None}

    def speed_mps(self) -> float | None:
        """Return the mean speed of its strides (m/s); None without any."""
        mean = self.summary()["mean"]
        length, time = mean.get("stride_length_m"), mean.get("stride_time_s")
        return length / time if length is not None and time else None

    def document(self) -> dict[str, Any]:
        """Return it for JSON, with what people have beside each figure and how each joint compares with theirs."""
        facts = {name: dataclasses.asdict(fact) for name, fact in self.people().items()}
        return {
            "name": self.name,
            "task": self.task,
            "morphology": self.morphology,
            **self.summary(),
            "people": facts,
            **({"comparisons": [_compared(episode) for episode in self.episodes]} if self.episodes else {}),
        }


def _compared(episode: Episode) -> dict[str, Any] | None:
    """Return how the joints of an episode compare with people's; None where they do not."""
    found = episode.analysis.comparison
    if found is None:
        return None
    joints = [{**dataclasses.asdict(joint), "rmse_ratio": joint.rmse_ratio} for joint in found.joints]
    return {
        "seed": episode.rollout.seed,
        "speed": found.speed,
        "norm_speed": found.norm_speed,
        "speed_matched": found.matched,
        "shift_percent": dict(found.shift_percent),
        "joints": joints,
    }


@dataclass(frozen=True, eq=False)
class GaitStudy:
    """Gaits that were measured; printed, they are a table beside people's.

    Attributes:
        source: where the motions are from.
        rows: one a reward, task and body.
    """

    source: Path
    rows: tuple[Row, ...]

    def document(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {"source": self.source.name, "rows": [row.document() for row in self.rows], "remarks": self.remarks()}

    def columns(self) -> list[Column]:
        """Return the columns of the table: of one row each episode and their mean, of several rows each row's mean."""
        out: list[Column] = []
        for row in self.rows:
            summed = row.summary()
            if len(self.rows) == 1:
                out += [Column(f"seed {record['seed']}", record, {}) for record in summed["episodes"]]
            if len(self.rows) > 1 or len(summed["episodes"]) > 1:
                out.append(Column(row.name if len(self.rows) > 1 else "mean", summed["mean"], summed["std"]))
        return out

    def remarks(self) -> list[str]:
        """Say which episodes have no gait to measure."""
        without = [e.rollout.seed for row in self.rows for e in row.episodes if not e.analysis.steady]
        if not without:
            return []
        seeds = f"seed{'s' if len(without) > 1 else ''} {', '.join(map(str, without))}"
        return [f"Without a steady stride, and so without figures: {seeds} (a foot's first stride, from rest, and a stumble do not count)."]

    def table(self) -> tuple[list[str], list[list[str]]]:
        """Return headings and cells: a row a figure, what people have last."""
        columns = self.columns()
        facts: dict[str, tuple[Fact, float | None]] = {}
        for row in self.rows:  # of several speeds, people at the first's
            facts = {**{name: (fact, row.speed_mps()) for name, fact in row.people().items()}, **facts}
        names = [name for name in _SHOWN if any(column.values.get(name) is not None for column in columns)]
        cells = [
            [tables.heading(name), *(column.cell(name) for column in columns), gait_page.people_cell(name, *facts.get(name, (None, None)))]
            for name in names
        ]
        return ["figure", *(column.name for column in columns), "people"], cells

    def save(self, folder: Path | str) -> Path | None:
        """Write gait.json, and where there are motions gait.html with its pictures gait_SEED.png; return the page's path.

        Raises:
            MovlrError: the folder cannot be written.
        """
        folder = Path(folder)
        folders.require_writable(folder)
        atomic.write_json(folder / "gait.json", self.document())
        drawn = [(row, row.episodes) for row in self.rows if row.episodes]
        if not drawn:
            return None
        ((row, episodes),) = drawn
        title = f"Gait: {row.task} on {row.morphology}"
        headings, cells = self.table()
        sources = sorted({fact.source for fact in row.people().values()} | ({norms.ON_TIMES_SOURCE} if row.leg_m else set()))
        drawings = [(episode.rollout.seed, episode.analysis) for episode in episodes]
        return gait_page.write_page(folder, title, drawings, headings, cells, sources, self.remarks())

    def export(self, path: Path | str) -> Path:
        """Write the motions as an archive that mm-evalkit reads, and return its path.

        Raises:
            MovlrError: there are no motions, or the body has not what it compares.
        """
        made = [(episode.trajectory, episode.analysis.contacts) for row in self.rows for episode in row.episodes]
        if not made:
            raise MovlrError(f"{self.source} keeps no motions: save some with movlr rollout --out DIR, and export those.")
        return mm_evalkit.export(Path(path), made)

    def __str__(self) -> str:
        headings, cells = self.table()
        return "\n".join([metrics_table.aligned(headings, cells), *self.remarks()])


def study(path: Path | str, task: Task | str | None = None, morphology: str | None = None, injury: Sequence[str] = ()) -> GaitStudy:
    """Measure the gaits of recorded motion.

    Args:
        path: the folder of a run, of an iteration, of saved episodes or of an evaluation, or a rollout.npz.
        task, morphology: of episodes beside which nothing says so, or says otherwise than meant; a task or its word.
        injury: muscles that were weakened, PATTERN=FRACTION, beside the task's own; a run's configuration says so itself.

    Raises:
        MovlrError: there is nothing of the kind, the body is not on this machine, or the motion is another body's.
    """
    path = Path(path)
    if (path / "eval.json").is_file():
        return _of_evaluation(path)
    files, found, word, hurt = _recorded(path, task, morphology)
    body = found.prepared(word, (*hurt, *injury))
    row = _row(found.name, found.name, body, [archives.load_episode(file, body) for file in files])
    return GaitStudy(path, (row,))


def illustrate(folder: Path, body: Morphology) -> Path | None:
    """Draw how the best of a run walks (its first seed) as heatmaps/gait.png, and return the picture's path; None, and no picture of an
    earlier best, where there is no walk to draw.

    Args:
        folder: the run's.
        body: of its task.
    """
    picture = folder / "heatmaps" / "gait.png"
    with contextlib.suppress(MovlrError, OSError, KeyError, ValueError):
        run = RunFolder(folder)
        best = run.best()
        if best is not None and not body.fixed:
            analysis = analyse(body, archives.load_episode(run.chosen(best).path / "rollout.npz", body))
            if analysis.steady:
                return gait_figure.draw(analysis, picture, f"How the best walks (iteration {best}, its first seed)")
    picture.unlink(missing_ok=True)
    return None


def _row(name: str, task: str, body: Morphology, rollouts: Sequence[Rollout]) -> Row:
    layout = feature_layout(body)
    episodes = [Episode(r, Trajectory(r.instants[: max(usable(r), 1)], layout), analyse(body, r)) for r in rollouts]
    if not any(episode.analysis.contacts for episode in episodes):
        raise MovlrError(f"{body.name} has no feet, so it has no gait: give the motion of a body that walks.")
    records = tuple({"seed": episode.rollout.seed, **episode.analysis.figures()} for episode in episodes)
    return Row(name, task, body.name, records, norms.leg_length(layout) if norms.comparable(layout) else None, tuple(episodes))


def _recorded(path: Path, task: Task | str | None, morphology: str | None) -> tuple[list[Path], Task, str | None, tuple[str, ...]]:
    """Return the episodes' files, the task, the word for the body and its injuries.

    Raises:
        MovlrError: there are none, or nothing says of what they are.
    """
    if (path / "run.json").is_file():
        run = RunFolder.find(path)
        best = run.best()
        if best is None:
            raise MovlrError(f"{path} has no best iteration yet: let the run finish one.")
        return _of_run(run, run.chosen(best).path, task, morphology)
    folder = path.parent if path.is_file() else path
    files = [path] if path.is_file() else sorted(path.glob("rollout*.npz")) if path.is_dir() else []
    if not files:
        raise MovlrError(
            f"{path} holds no recorded motion: give the folder of a run or of an evaluation, or one that movlr rollout --out has written."
        )
    above = folder.resolve().parents
    if len(above) > 1 and (above[1] / "run.json").is_file() and above[0].name == "iterations":
        return _of_run(RunFolder.find(above[1]), folder, task, morphology, files)
    told: Any = {}
    with contextlib.suppress(OSError, ValueError):
        told = atomic.read_json(folder / "metrics.json")
    said = {name: str(told[name]) for name in ("task", "morphology") if isinstance(told, dict) and isinstance(told.get(name), str)}
    name, body = task or said.get("task", ""), morphology or said.get("morphology", "")
    if not name or not body:
        raise MovlrError(f"Nothing beside {path} says of what task and body it is: add --task and --morphology.")
    return files, _task(name, folder / "metrics.json"), body, ()


def _task(task: Task | str, where: Path) -> Task:
    return task if isinstance(task, Task) else permissions.task(code_names.settled(task), where)


def _of_run(
    run: RunFolder, folder: Path, task: Task | str | None, morphology: str | None, files: Sequence[Path] = ()
) -> tuple[list[Path], Task, str | None, tuple[str, ...]]:
    config = RunConfig.load(run["config.yaml"])
    files = list(files) or sorted(folder.glob("rollout*.npz"))
    if not files:
        raise MovlrError(f"{folder} holds no recorded motion (no rollout.npz): its files were removed.")
    return list(files), _task(task or config.task, run["config.yaml"]), morphology or config.morphology, tuple(config.injury)


def _of_evaluation(path: Path) -> GaitStudy:
    """Return the figures that an evaluation has kept of its episodes.

    Raises:
        MovlrError: the file is damaged, or none of its episodes has such figures.
    """
    try:
        rows = [
            Row(
                f"{row['reward']}, {row['task']}, {row['morphology']}" + (f", {row['strength']:g}" if "strength" in row else ""),
                str(row["task"]),
                str(row["morphology"]),
                tuple(_numbers(record) for record in row["episodes"]),
                None,
            )
            for row in atomic.read_json(path / "eval.json")["rows"]
            if row["episodes"]
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MovlrError(f"{path / 'eval.json'} is no evaluation ({type(error).__name__}): run the same movlr eval again.") from None
    known = [
        row for row in rows if any(record.get(metric.name) is not None for record in row.records for metric in gait_metrics.GAIT_METRICS)
    ]
    if not known:
        raise MovlrError(
            f"No episode of {path} has figures of its gait (no steady strides, no feet, or an earlier version measured it): save the "
            "motion with movlr rollout --out DIR, and give that folder."
        )
    return GaitStudy(path, tuple(_with_leg(row) for row in known))


def _numbers(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return an episode's seed and its figures."""
    known = {name: record.get(name) for name in _SHOWN}
    return {"seed": int(record["seed"]), **{name: None if value is None else float(value) for name, value in known.items()}}


def _with_leg(row: Row) -> Row:
    """Return a row with the leg of its body, where that is one of the catalog and on this machine."""
    with contextlib.suppress(MovlrError):
        layout = feature_layout(morphologies.load(row.morphology))
        return dataclasses.replace(row, leg_m=norms.leg_length(layout) if norms.comparable(layout) else None)
    return row
