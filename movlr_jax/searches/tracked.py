"""What trackers are told of a finished iteration: its numbers as curves, its clip; at the end the heat maps.

In: the run's folder. Out: calls of trackers, and tracked.json, by which a run that goes on knows who was told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from movlr_jax import atomic
from movlr_jax.facts import Term
from movlr_jax.runs.iteration_record import IterationRecord
from movlr_jax.runs.run_folder import Candidate, RunFolder
from movlr_jax.tracking.base import Tracker


def track(folder: RunFolder, number: int, trackers: Sequence[Tracker]) -> None:
    """Tell trackers of a finished iteration."""
    rows = folder.rows()[: number + 1]
    row = rows[number]
    chosen = None if row.candidate is None else folder.chosen(number)
    curves = scalars(row, chosen.facts().terms if chosen else {})
    kept = [r.score for r in rows if r.kept and r.score is not None]
    if kept:
        curves["best_score"] = kept[-1]  # what a sweep goes by: the score of what was kept so far
    videos = _videos(chosen, folder.seeds[0]) if chosen else {}
    for tracker in trackers:
        tracker.log(number, curves, {}, videos)
    atomic.write_json(folder.iteration(number)["tracked.json"], {"by": [tracker.name for tracker in trackers]})


def _videos(chosen: Candidate, first: int) -> dict[str, Path]:
    """Return an iteration's clips by their names in a tracker: clip, the first seed's, and where they are others clip_worst, clip_best."""
    clips, names = chosen.clips(), {first: "clip"}
    if len(clips) > 1:
        names = {extreme.seed: f"clip_{extreme.place}" for extreme in chosen.facts().extremes} | names
    return {name: clips[seed] for seed, name in sorted(names.items(), key=lambda item: item[1]) if seed in clips}


def show_heat_maps(folder: RunFolder, number: int, trackers: Sequence[Tracker]) -> None:
    """Show trackers the heat maps of a run that has come to an iteration."""
    images = {path.stem: path for path in sorted(folder["heatmaps"].glob("*.png"))}
    for tracker in trackers if images else ():
        tracker.log(number, {}, images, {})


def scalars(row: IterationRecord, terms: Mapping[str, Term]) -> dict[str, float]:
    """Return the numbers of an iteration: metrics, gates, seconds, and what each term did."""
    curves = {"kept": float(row.kept), "refusals": float(len(row.refusals)), "simulated_s": row.simulated_s}
    if row.score is not None:
        curves["score"] = row.score
    for group, numbers in (("metrics", row.metrics.root), ("gates", row.gates), ("seconds", row.seconds)):
        curves |= {f"{group}/{name}": float(value) for name, value in numbers.items() if value is not None}
    for name, term in terms.items():
        did = {"weight": term.weight, "mean": term.mean, "std": term.std, "share_of_spread": term.share_of_spread}
        if term.share_among_candidates is not None:
            did["share_among_candidates"] = term.share_among_candidates
        curves |= {f"terms/{name}/{key}": value for key, value in did.items()}
    return curves
