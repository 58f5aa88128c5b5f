"""Ways to search, side by side: what the method comparison and the feedback ablation share.

A variant is a name and what it changes in a run's configuration. Each is searched with on every task and body, `--searches-each` times; the
best reward of each search is measured on the seeds that are reported. Searches and episodes are saved as they come.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bench
import forecast
import numpy as np

from movlr_jax import atomic
from movlr_jax.evaluation import work_items
from movlr_jax.evaluation.work_items import Row, Work
from movlr_jax.llm import addresses
from movlr_jax.llm.config import ModelsConfig
from movlr_jax.media import bars, tables
from movlr_jax.runs import permissions
from movlr_jax.runs.iteration_record import IterationRecord
from movlr_jax.runs.run_folder import RunFolder
from movlr_jax.searches import RunConfig, state
from movlr_jax.tasks import Task


@dataclass(frozen=True)
class Variant:
    """One way to search.

    Attributes:
        name: what tables call it.
        changes: values of the run's configuration.
        reward: for a way that searches nothing, the task's reward that it is: "start" or "human".
        searches: how many searches it has, where not as many as the flags say.
        refused: why nothing can be searched with it; "" where it can.
    """

    name: str
    changes: dict[str, Any] = field(default_factory=dict)
    reward: str = ""
    searches: int = 0
    refused: str = ""


def parser(about: str | None, name: str, *, plan: bool = False) -> argparse.ArgumentParser:
    """Return a parser with the flags of an experiment that searches with models."""
    made = bench.parser(about, name, plan=plan)
    made.add_argument("--critic", default="offline", help="who watches: offline, gemini or openai")
    made.add_argument("--writer", default="offline", help="who writes: offline, random, gemini or openai")
    for flag in ("critic-model", "writer-model", "critic-url", "writer-url"):
        made.add_argument(f"--{flag}", default="", help=f"as --models.{flag} of movlr run")
    made.add_argument("--searches-each", type=int, help="searches a variant, with run seeds 0, 1, ...; 3, or 1 where small")
    return made


def models(asked: argparse.Namespace) -> ModelsConfig:
    """Return which models are asked, and where."""
    config = ModelsConfig(asked.critic_model, asked.writer_model, asked.critic_url, asked.writer_url)
    for _, service, url in permissions.servers(RunConfig(critic=asked.critic, writer=asked.writer, models=config)):
        addresses.give(service, url)
    return config


def compare(asked: argparse.Namespace, variants: Sequence[Variant]) -> tuple[list[Row], dict[str, dict[str, Any]]]:
    """Return a row a task, body and variant, the episodes of its searches together, and what the searches of each variant took.

    Raises:
        MovlrError: a model cannot be asked, or nothing can be measured.
        Stopped: the user interrupted; the same command goes on.
    """
    bench.search_all(asked, [search for variant, at in _places(asked, variants) for search in searches(asked, *at, variant)])
    works: list[tuple[str, Work]] = []
    taken: dict[str, dict[str, Any]] = {variant.name: {} for variant in variants}
    for variant, at in _places(asked, variants):
        works += [(variant.name, work) for work in _works(asked, *at, variant, taken[variant.name])]
    rows = bench.measure(asked, [work for _, work in works])
    # Rows come as they are finished; a work knows its own.
    return together([(name, next(row for row in rows if row.work is work)) for name, work in works]), taken


def plan(asked: argparse.Namespace, variants: Sequence[Variant]) -> int:
    """Print what `compare` would execute; what cannot be searched is said, and not counted."""
    wanted: list[bench.Search] = []
    rewards: list[tuple[Task, str, int]] = []
    for variant, at in _places(asked, variants):
        found = searches(asked, *at, variant)
        if why := variant.refused or next(filter(None, (bench.refusal(asked, search) for search in found)), ""):
            bench.say(f"{variant.name}, {at[0].name}: {why}")
            continue
        wanted += found
        rewards.append((*at, len(found) or 1))
    return forecast.show(asked, wanted, rewards)


def _places(asked: argparse.Namespace, variants: Sequence[Variant]) -> list[tuple[Variant, tuple[Task, str]]]:
    """Return every variant at every task and body."""
    where = [(task, body) for task in bench.tasks(asked) for body in asked.morphologies or work_items.bodies_of(task)]
    return [(variant, at) for at in where for variant in variants]


def searches(asked: argparse.Namespace, task: Task, body: str, variant: Variant) -> list[bench.Search]:
    """Return a variant's searches on a task and body."""
    if variant.reward or variant.refused:
        return []
    count = variant.searches or asked.searches_each or (1 if asked.small else 3)
    more = {"critic": asked.critic, "writer": asked.writer, "models": models(asked), **variant.changes}
    return [bench.Search(task, body, {"seed": seed, **more}) for seed in range(count)]


def _works(asked: argparse.Namespace, task: Task, body: str, variant: Variant, taken: dict[str, Any]) -> list[Work]:
    if variant.reward:
        return work_items.combinations((variant.reward,), [task], [body])
    if variant.refused:
        return [Work(None, variant.name, task, body, variant.refused)]
    made = searches(asked, task, body, variant)
    found = []
    for seed, search in enumerate(made):
        work = bench.learned(asked, task, body, variant.name if len(made) == 1 else f"{variant.name}, search {seed}", **search.more)
        found.append(work)
        if work.reward is not None:
            add(taken, bench.searched(asked, task, body, **search.more))
    return found


def add(taken: dict[str, Any], folder: RunFolder, rows: Sequence[IterationRecord] | None = None) -> None:
    """Add what a search took: model calls, tokens, money, refused texts, iterations that brought a new best, motion executed.

    Args:
        taken: what is added to.
        folder: the search.
        rows: those of its iterations that count; all if left out.
    """
    rows = folder.rows() if rows is None else rows
    spent = atomic.read_json(folder["summary.json"]).get("calls", {}).values()
    later = rows[1:]
    for name, value in (
        ("searches", 1),
        ("calls", sum(s["calls"] for s in spent)),
        ("tokens", sum(s["tokens_in"] + s["tokens_out"] for s in spent)),
        ("usd", sum(s["usd"] for s in spent)),
        ("refused", sum(len(row.refusals) for row in later)),
        ("new_bests", sum(row.kept for row in later)),
        ("iterations", len(later)),
        ("simulated_s", state.simulated(rows)),
    ):
        taken[name] = taken.get(name, 0) + value


def together(rows: Sequence[tuple[str, Row]]) -> list[Row]:
    """Return a row a task, body and variant, with the episodes of all its searches."""
    pooled: dict[tuple[str, str, str], list[Row]] = {}
    for name, row in rows:
        pooled.setdefault((row.work.task.name, row.work.morphology, name), []).append(row)
    made = []
    for (_, _, name), of in pooled.items():
        first = next((row for row in of if row.episodes), of[0])
        work = Work(first.work.reward, name, first.work.task, first.work.morphology)
        episodes = tuple(episode for row in of for episode in row.episodes)
        made.append(Row(work, first.engine, first.seconds, first.goal_speed, episodes, first.refused, first.injury))
    return made


def value(row: Row) -> tuple[float, float, str]:
    """Return mean, standard deviation and note of the task's own metric; NaN where there is none."""
    values = work_items.metric_of(row, row.work.task.metric)
    return (
        float(np.mean(values)) if values else np.nan,
        float(np.std(values)) if len(values) > 1 else np.nan,
        "\n".join(row.early_ends().rsplit(" ", 1)),  # bars are narrow
    )


def metric_label(task: Task) -> str:
    """Return the heading of a task's own metric."""
    return tables.heading(task.metric)


def panels(rows: Sequence[Row], names: Sequence[str]) -> list[bars.Panel]:
    """Return a panel of bars for each metric that tasks are measured by."""
    by_metric: dict[str, list[Row]] = {}
    for row in (row for row in rows if row.work.name in names):
        by_metric.setdefault(row.work.task.metric, []).append(row)
    made = []
    for of in by_metric.values():
        places = list(dict.fromkeys((row.work.task.name, row.work.morphology) for row in of))
        mean = np.full((len(names), len(places)), np.nan)
        std, notes = mean.copy(), [[""] * len(places) for _ in names]
        for row in of:
            m, p = names.index(row.work.name), places.index((row.work.task.name, row.work.morphology))
            mean[m, p], std[m, p], notes[m][p] = value(row)
        made.append(bars.Panel(metric_label(of[0].work.task), [f"{task}\n{body}" for task, body in places], mean, std, notes))
    return made


def compact(rows: Sequence[Row], variants: Sequence[Variant]) -> tuple[list[str], list[list[str]]]:
    """Return headings and cells: a line a variant, a column a task and body, each cell the task's own metric."""
    places = list(dict.fromkeys((row.work.task.name, row.work.morphology) for row in rows))
    by_place = {(row.work.name, row.work.task.name, row.work.morphology): row for row in rows}
    headings = [f"{task} on {body}, {metric_label(bench.get(task))}" for task, body in places]
    cells = []
    for variant in variants:
        of = [by_place.get((variant.name, task, body)) for task, body in places]
        cells.append([variant.name, *("-" if row is None or not row.episodes else cell(row) for row in of)])
    return ["", *headings], cells


def cell(row: Row) -> str:
    """Write the task's own metric, and how many episodes ended early."""
    ends = row.early_ends()
    return tables.measured(row.document(), row.work.task.metric) + (f" ({ends})" if ends else "")


def costs(taken: dict[str, dict[str, Any]]) -> tuple[list[str], list[list[str]]]:
    """Return headings and cells of what the searches took."""
    keys = ("searches", "iterations", "new_bests", "refused", "calls", "tokens")
    cells = [
        [name, *(str(record[key]) for key in keys), f"{record['usd']:.2f}", f"{record['simulated_s']:.1f}"]
        for name, record in taken.items()
        if record.get("searches")
    ]
    return ["", "searches", "iterations", "new bests", "texts refused", "model calls", "tokens", "cost [USD]", "motion executed [s]"], cells


def save(
    asked: argparse.Namespace,
    name: str,
    title: str,
    rows: Sequence[Row],
    variants: Sequence[Variant],
    taken: dict[str, dict[str, Any]],
    panels: Sequence[bars.Panel],
    series: Sequence[str],
) -> None:
    """Write table, data and figure, and print the table."""
    documents = [row.document() for row in rows]
    headings, cells, remarks = tables.evaluation(documents, list(dict.fromkeys(row.work.task.metric for row in rows)))
    first, second = compact(rows, variants), costs(taken)
    text = f"# {title}\n\n{tables.markdown(*first)}\n## What the searches took\n\n{tables.markdown(*second)}\n"
    atomic.write_text(asked.out / f"{name}.md", f"{text}## All metrics\n\n{tables.markdown(headings, cells, remarks)}")
    atomic.write_json(asked.out / f"{name}.json", {"rows": documents, "searches": taken})
    most = max(len(row.episodes) for row in rows)
    note = f"mean and standard deviation over up to {most} episodes" if most > 1 else ""
    bars.grouped(panels, series, Path(asked.out) / f"{name}.png", title=title, note=note)
    bench.show(asked, first, remarks, f"{name}.md", f"{name}.json", f"{name}.png")
