"""The suite of sentences: a search for each, and whether what it found does what the sentence says, by a measure that no search sees.

    python experiments/sentences.py --small --only lean_forward kick     # minutes on two cores
    python experiments/sentences.py --plan                               # what the whole would execute
    python experiments/sentences.py --threads 1 --only seen              # a group; started twice, the two share the work
    python experiments/sentences.py --threads 1                          # all forty

Each sentence of sentences.yaml is searched for offline on the task `free`, episodes of 3 s, `--max-simulated` seconds of motion, or as
much more as completes the last iteration. The best reward of each moves the body on seeds that no search saw, and sentence_measures.py,
which has nothing of how a search reads a sentence, says of every episode whether the sentence was done. A sentence counts as done where
most of its episodes do it. The groups are told apart: only the first was seen while goals, critics and writers were worked on.

Every search and every episode is saved as it comes; the same command goes on where it was stopped. Writes sentences.md and sentences.json.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import bench
import forecast
import numpy as np
import sentence_measures
from sentence_measures import GROUPS, MEASURES, Found, Sentence

from movlr_jax import atomic, goals
from movlr_jax.control.episode import Rollout
from movlr_jax.errors import MovlrError, did_you_mean
from movlr_jax.evaluation.work_items import Row, Work
from movlr_jax.media import tables
from movlr_jax.morphologies import Morphology
from movlr_jax.rewards.features import feature_layout
from movlr_jax.tasks import Task, get

SECONDS = 3.0  # s of an episode
MAX_SIMULATED = 24.0  # s of motion that a search executes
VALUE, REACHED, FELL = "sentence_value", "sentence_reached", "sentence_fell"


def chosen(asked: argparse.Namespace) -> list[Sentence]:
    """Return the sentences asked for.

    Raises:
        MovlrError: a word names neither a sentence nor a group.
    """
    suite = sentence_measures.sentences()
    known = [*GROUPS, *(sentence.name for sentence in suite)]
    for word in asked.only:
        if word not in known:
            hint = did_you_mean(word, known)
            raise MovlrError(f"There is no sentence '{word}': {hint}name one of {sentence_measures.FILE.name}, or a group.")
    return [sentence for sentence in suite if not asked.only or {sentence.name, sentence.group} & set(asked.only)]


def search(asked: argparse.Namespace, sentence: Sentence) -> bench.Search:
    """Return the search for a sentence."""
    return bench.Search(get("free"), asked.body or sentence.body, {"goal": sentence.sentence})


def work(asked: argparse.Namespace, sentence: Sentence) -> Work:
    """Return what was found for a sentence, to be measured by it."""
    of = search(asked, sentence)
    found = bench.learned(asked, of.task, of.body, sentence.name, **of.more)
    return replace(found, task=of.task.with_sentence(sentence.sentence))


def found(task: Task, morphology: Morphology, rollout: Rollout) -> Found:
    """Measure an episode of a sentence."""
    return MEASURES[sentence_measures.by_words(task.sentence).measure].found(feature_layout(morphology), rollout)


# What is kept of each episode.
_KEPT: dict[str, Any] = {
    VALUE: lambda *episode: found(*episode).value,
    REACHED: lambda *episode: float(found(*episode).reached),
    FELL: lambda *episode: float(bool(found(*episode).fall)),
}


def record(sentence: Sentence, row: Row, simulated_s: float | None) -> dict[str, Any]:
    """Return what came of a sentence."""
    measure, episodes = MEASURES[sentence.measure], row.episodes
    values = [e[VALUE] for e in episodes if e.get(VALUE) is not None]
    reached = sum(bool(e[REACHED]) for e in episodes)
    own = [e[goals.REACHED] for e in episodes if e.get(goals.REACHED) is not None]
    return {
        "name": sentence.name,
        "group": sentence.group,
        "sentence": sentence.sentence,
        "measure": sentence.measure,
        "what": measure.what,
        "unit": measure.unit,
        "threshold": measure.threshold,
        "value": float(np.mean(values)) if values else None,
        "episodes_reached": reached,
        "episodes_fell": sum(bool(e[FELL]) for e in episodes),
        "reached": bool(episodes) and 2 * reached > len(episodes),
        "goal_reached": float(np.mean(own)) if own else None,
        "simulated_s": simulated_s,
        "row": row.document(),
    }


def summary(records: Sequence[dict[str, Any]]) -> dict[str, dict[str, int]]:
    """Return group -> how many of its sentences were measured and reached, and how many episodes."""
    made = {}
    for group in GROUPS:
        of = [r for r in records if r["group"] == group and r["row"]["episodes"]]
        if any(r["group"] == group for r in records):
            made[group] = {
                "sentences": len(of),
                "reached": sum(r["reached"] for r in of),
                "episodes": sum(len(r["row"]["episodes"]) for r in of),
                "episodes_reached": sum(r["episodes_reached"] for r in of),
            }
    return made


def table(records: Sequence[dict[str, Any]]) -> tuple[list[str], list[list[str]]]:
    """Return headings and cells: a line a sentence."""
    cells = []
    for r in records:
        count, unit = len(r["row"]["episodes"]), f" {r['unit']}" if r["unit"] else ""
        cells.append(
            [
                r["sentence"],
                r["row"]["morphology"],
                r["what"],
                f"{tables.number(r['value'], '.2f')}{unit}, {r['threshold']:g} needed",
                f"{r['episodes_reached']} of {count}" if count else "-",
                f"{r['episodes_fell']} of {count}" if count else "-",
                tables.number(r["goal_reached"], ".2f"),
                tables.number(r["simulated_s"], ".0f"),
            ]
        )
    headings = ["sentence", "body", "measured", "mean", "episodes that do it", "fell", "share by the search's own reading"]
    return [*headings, "motion executed [s]"], cells


def page(records: Sequence[dict[str, Any]], groups: dict[str, dict[str, int]]) -> str:
    """Return the tables of the groups."""
    text = "# Sentences\n\n"
    for group, of in groups.items():
        remarks = [f"not measured: {r['name']}: {r['row']['refused']}" for r in records if r["group"] == group and not r["row"]["episodes"]]
        head = f"{of['reached']} of {of['sentences']} sentences are done, in {of['episodes_reached']} of {of['episodes']} episodes."
        text += f"## {group}\n\n{head}\n\n{tables.markdown(*table([r for r in records if r['group'] == group]), remarks)}\n"
    return text


def main(argv: Sequence[str] | None = None) -> int:
    parser = bench.parser(__doc__, "sentences", plan=True, tasks=False)
    parser.set_defaults(max_simulated=MAX_SIMULATED)
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help=f"sentences by name, or groups ({', '.join(GROUPS)})")
    parser.add_argument("--body", default="", metavar="BODY", help="a body for all, in place of those that the sentences name")
    asked = parser.parse_args(argv)
    if asked.seconds is None and not asked.small:
        asked.seconds = SECONDS
    suite = chosen(asked)
    wanted = [search(asked, sentence) for sentence in suite]
    if asked.plan:
        return forecast.show(asked, wanted, [(of.task, of.body, 1) for of in wanted])
    bench.search_all(asked, wanted)
    works = [work(asked, sentence) for sentence in suite]
    code, words = (hashlib.sha256(path.read_bytes()).hexdigest() for path in (Path(sentence_measures.__file__), sentence_measures.FILE))
    # Measured anew where the measures are others than those that measured what is there.
    with bench.evaluation(asked, asked.out / f"measured-{code[:8]}", _KEPT) as opened:
        rows = opened.run(works)
    by_work = {id(row.work): row for row in rows}
    records = [
        record(sentence, by_work[id(each)], None if each.reward is None else bench.executed(asked, of))
        for sentence, each, of in zip(suite, works, wanted, strict=True)
    ]
    groups = summary(records)
    head = {"measures_sha256": code, "sentences_sha256": words, "max_simulated_s": asked.max_simulated}
    text = page(records, groups)
    atomic.write_text(asked.out / "sentences.md", text)
    atomic.write_json(asked.out / "sentences.json", {**head, "groups": groups, "sentences": records})
    bench.print_text(text)
    print(f"saved in {asked.out} (sentences.md, sentences.json)")
    return 0 if any(row.episodes for row in rows) else 1


if __name__ == "__main__":
    bench.run(main)
