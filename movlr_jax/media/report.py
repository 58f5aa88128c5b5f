"""The report: one HTML file that tells a run's story and opens without a network.

Flows in: a run's folder, finished or not; only its files are read (module report_data). Flows out: `report.html`, with clips and pictures
embedded, made from `templates/report.html.j2`. Much of the text was written by models, and is shown as text (module pages).
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from movlr_jax import code_names, folders, goals
from movlr_jax.errors import MovlrError
from movlr_jax.media import next_steps, pages
from movlr_jax.media.report_data import Iteration, Run, mapping, number, sequence
from movlr_jax.media.tables import UNMEASURED, ends, heading
from movlr_jax.tasks import gates, metric_registry

STAGES: tuple[str, ...] = ("write", "prove", "move", "film", "judge", "save", "tune")  # by colour; tune only where weights are tuned
_CLIP = "clip.mp4"  # the first seed's
_ELSEWHERE = ("seed", "seconds", "dropped", "diverged")  # the gates tell of the last two
_TOO_MUCH = ("fall_time_s", "drop_time_s", "effort", "heading_error_rad")  # for the table of all iterations
# A sentence may forbid what another asks for: which way its own numbers should go is not told by their names.
_EITHER_WAY = frozenset(target.metric for target in goals.TARGETS)
_MAPS = {
    "weights": "Weight of each term by iteration, classes from global stability to fine coordination.",
    "contributions": "What each term of the best reward added over the rollout.",
    "activations": "Muscle activation of the best rollout, by group.",
    "gait": "How the best walks, over its steady strides, beside people at its speed (`movlr gait` tells the figures).",
}


def write_report(run_dir: Path | str, *, clip_budget: int = pages.CLIP_BUDGET) -> Path:
    """Write a run's `report.html`.

    Args:
        run_dir: the run's folder; files that are missing or damaged are left out, so an unfinished run has a report too.
        clip_budget: bytes of clips to embed, the best's and the first's before the others; a clip beyond it is linked.

    Returns:
        The report's path.

    Raises:
        MovlrError: there is no such folder, it holds what no run holds (a link to elsewhere), or the file cannot be written.
    """
    run_dir = Path(run_dir)
    if not run_dir.is_dir() or not ((run_dir / "run.json").is_file() or (run_dir / "iterations").is_dir()):
        raise MovlrError(f"{run_dir} holds no run (no run.json, no iterations): give the folder that `movlr run` printed.")
    folders.admit(run_dir)
    run = Run(run_dir)

    def difference(i: Iteration) -> tuple[int | None, list[tuple[str, str]]]:
        return _difference(i, run.parent(i))

    filters = {
        "outcome": outcome,
        "heading": heading,
        "metric": _metric,
        "cell": _cell,
        "number": number,
        "mapping": mapping,
        "ends": ends,
        "faults": _faults,
        "metric_names": metric_names,
        "stages": _stages,
        "table": _table,
        "without": _without,
        "terms": _terms,
        "tuning": _tuning,
        "flat": _flat,
        "count": _count,
        "duration": _duration,
        "pretty": pages.pretty,
        "difference": difference,
    }
    data = _data(run, clip_budget)
    return pages.write(run_dir / "report.html", "report.html.j2", data, style=["page.css"], script="report.js", filters=filters)


def _data(run: Run, clip_budget: int) -> dict[str, Any]:
    """Return what the template shows of a run."""
    ends_now = [i for i in (run.best, run.start) if i is not None]
    ordered = ends_now + [i for i in reversed(run.iterations) if i not in ends_now]
    films = {i.number: i.clips() for i in ordered}
    # The first seed's, by which start and best are compared, come before those of other seeds.
    filmed = [(i, name) for i in ordered for name, _ in films[i.number]]
    filmed.sort(key=lambda film: film[1] != _CLIP)
    files = [((i.number, name), i.folder / name, f"iterations/{i.number:03d}/{name}") for i, name in filmed]
    addresses = pages.clips(files, clip_budget)
    clips = {number: address for (number, name), address in addresses.items() if name == _CLIP}
    captions = {(number, name): caption for number, named in films.items() for name, caption in named}
    others: dict[int, list[tuple[str, str]]] = {number: [] for number in films}
    for key in addresses:
        if key[1] != _CLIP:
            others[key[0]].append((addresses[key], captions[key]))
    judged = [i for i in run.iterations if i.score is not None]
    scores = [(i.number, i.score) for i in judged if i.score is not None]
    state = str(run.summary.get("stopped") or "running")
    seconds: dict[str, float] = {}
    for name, raw in ((name, raw) for i in run.iterations for name, raw in i.seconds.items()):
        seconds[name] = seconds.get(name, 0.0) + (number(raw) or 0.0)
    maps = sorted((run.folder / "heatmaps").glob("*.png"), key=lambda p: (list(_MAPS).index(p.stem) if p.stem in _MAPS else 9, p.name))
    return {
        "title": run.summary.get("goal") or run.header.get("goal") or "A run without a goal sentence",
        "run": run,
        "nan": float("nan"),
        "chips": [
            *((name, run.stated(name)) for name in ("task", "morphology", "engine", "seed")),
            ("state", {"running": "unfinished", "iterations": "finished"}.get(state, state)),
        ],
        # What is measured of the goal, what is not, and when an episode ends; a run of an earlier version says none of it.
        "measures": [s for s in [*sequence(run.summary.get("goal_measures")), run.summary.get("ends_when")] if s],
        "lead": _lead(run),
        "clips": clips,
        "captions": {number: captions[number, _CLIP] for number in clips},
        "others": others,
        "pair": [i for i in run.iterations if (i.first or i.best) and i.number in clips],
        "gallery": [i for i in run.iterations if not (i.first or i.best) and i.number in clips],
        "changes": _changes(run),
        "judged": judged,
        "plot": pages.axes(760, 190, scores) if len(judged) > 1 else None,
        "frontier": pages.steps([point for i, point in zip(judged, scores, strict=True) if i.kept], scores[-1][0] if scores else 0),
        "columns": [name for name in metric_names(run.iterations) if name not in _TOO_MUCH][:6],
        "keys": [(k, stage) for k, stage in enumerate(STAGES) if stage in (seconds or STAGES[:6])],
        "maps": [(path.stem, pages.picture(path), _MAPS.get(path.stem, path.stem)) for path in maps],
        "failures": [mapping(f) or {"sentence": f} for f in sequence(run.summary.get("named_failures"))],
        "spent": seconds,
        "total": sum(seconds.values()),
        "calls": mapping(run.summary.get("calls")),
        "moved": sum(number(i.row.get("simulated_s")) or 0.0 for i in run.iterations),
        "commands": _commands(run),
    }


def _lead(run: Run) -> str:
    several = _count(len(run.iterations), "iteration")
    if run.start is None or run.best is None:
        return "No iteration has been judged yet."
    if run.best is run.start:
        return f"The start reward is still the best of {several}: {outcome(run.best)}."
    return f"Iteration {run.best.number} is the best of {several}: {outcome(run.best)}. The start: {outcome(run.start)}."


def outcome(i: Iteration) -> str:
    """Return in one line what an iteration's body did."""
    m = i.metrics
    if not m:
        return "has not been measured"
    early, late, time = ends(m)
    if m.get("diverged"):
        parts = ["the simulation diverged"]
    else:
        length = number(m.get(time if m.get("fell") else "seconds"))
        words, before = (early, "at") if m.get("fell") else (late, "for")
        parts = [words if length is None else f"{words} {before} {length:.1f} s"]
    if (away := number(m.get("final_position_error_m"))) is not None:
        parts.append(f"{away:.3f} m from its place")
    if (turned := number(m.get("final_orientation_error_rad"))) is not None:
        parts.append(f"{turned:.2f} rad from its orientation")
    if (distance := number(m.get("distance_m"))) is not None:
        parts.append(f"{distance:.2f} m")
    if (speed := number(m.get("mean_speed_mps"))) is not None:
        parts[-1] += f" at {speed:.2f} m/s"
    if goals.REACHED in m:
        reached = number(m[goals.REACHED])
        parts.append("the goal is unmeasured" if reached is None else f"{reached:.0%} of the goal")
    return ", ".join(parts)


def metric_names(iterations: Iterable[Iteration], details: bool = False) -> list[str]:
    """Return the metrics that any of some iterations has, in the order in which they are shown: details, or all others."""
    measured = [item for i in iterations for item in i.metrics.items()]
    present = dict.fromkeys(k for k, v in measured if k == goals.REACHED or (number(v) is not None and not isinstance(v, bool)))
    names = dict.fromkeys([*metric_registry.shown(), *present])
    return [n for n in names if n in present and n not in _ELSEWHERE and metric_registry.metric(n).detail == details]


def _changes(run: Run) -> list[tuple[str, Any, Any, str]]:
    """Return name, value before, value after, and which is better ("good": the later) of each metric of the start and the best."""
    start, best = run.start, run.best
    if start is None or best is None or best is start:
        return []
    pairs = [("score", start.score, best.score), *((n, start.metrics.get(n), best.metrics.get(n)) for n in metric_names([start, best]))]
    changes = []
    for name, before, after in pairs:
        mood, a, b = "", number(before), number(after)
        if a is not None and b is not None and abs(a - b) > 1e-9 and name in metric_registry.METRICS and name not in _EITHER_WAY:
            mood = "good" if (abs(b) < abs(a) if metric_registry.metric(name).better == "lower" else b > a) else "bad"
        changes.append((name, before, after, mood))
    return changes


def _faults(state: Mapping[str, Any], metrics: Mapping[str, Any]) -> list[str]:
    early, _, time = ends(metrics)
    fall = number(metrics.get(time))
    words = {**gates.FAULTS, **dict.fromkeys(("fell", "late"), early if fall is None else f"{early} at {fall:.1f} s")}
    return [words[name] for name in gates.failed(state)]


def _stages(seconds: Mapping[str, Any]) -> tuple[str, list[tuple[int, str]], str]:
    """Return the sum of some stages' wall times, each one's colour and share [%], and all in words."""
    spent = {k: v for k, raw in seconds.items() if (v := number(raw)) is not None and v >= 0}
    total = sum(spent.values())
    order = [stage for stage in (*STAGES, *(k for k in spent if k not in STAGES)) if stage in spent] if total else []
    colour = {stage: STAGES.index(stage) if stage in STAGES else len(STAGES) - 1 for stage in order}
    shares = [(colour[stage], f"{100 * spent[stage] / total:.1f}") for stage in order]
    return f"{total:.1f}" if total else "", shares, ", ".join(f"{stage} {spent[stage]:.1f} s" for stage in order)


def _table(records: Any, *first: str) -> dict[str, Any]:
    """Return a list of flat records as a table, whatever fields they have; known ones come first."""
    rows = [r if isinstance(r, dict) else {"what": r} for r in sequence(records)]
    present = dict.fromkeys(name for row in rows for name in row)
    return {"rows": rows, "names": [n for n in first if n in present] + [n for n in present if n not in first]}


def _without(record: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {k: v for k, v in record.items() if k not in names and v not in (None, "", [], {})}


def _terms(weights: Iterable[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(term for trial in weights for term in trial))


def _tuning(tuned: Mapping[str, Any], trials: int, episodes: int, parameters: bool = False) -> str:
    """Return what came of tuning the weights, and the parameters where those were varied, in a sentence."""
    count, what = _count(trials, "trial"), "weights and parameters" if parameters else "weights"
    if tuned.get("unmoved"):
        return f"{count} came out the same: the {what} stay as written, and none is the best"
    if tuned.get("trial") == 0:
        return f"None of {count} bettered the {what} as written"
    before, after = (_cell(tuned.get(name)) for name in ("score_as_written", "score"))
    luck = ", on one seed, which tells no difference from luck" if tuned.get("trial") and episodes == 1 else ""
    return f"{count}: score {before} became {after}{luck}"


def _difference(i: Iteration, parent: Iteration | None) -> tuple[int | None, list[tuple[str, str]]]:
    """Return the iteration that a source is shown against, and the lines that differ, each with its kind."""
    if parent is None or parent.source is None or i.source is None:
        return None, []
    before, after = (text[: pages.LONGEST_TEXT].splitlines() for text in (parent.source, i.source))
    old, new = (f"iterations/{n:03d}/reward.py" for n in (parent.number, i.number))
    lines = difflib.unified_diff(before, after, old, new, lineterm="")
    kinds = {"+": "a", "-": "d", "@": "h"}
    return parent.number, [("h" if line.startswith(("+++", "---")) else kinds.get(line[:1], "c"), line) for line in lines]


def _flat(record: Mapping[str, Any], prefix: str = "", depth: int = 0) -> list[tuple[str, str]]:
    """Return a record's names and values, those of records inside it under joined names."""
    rows = []
    for key, value in record.items():
        if isinstance(value, dict) and value and depth < 3:
            rows += _flat(value, f"{prefix}{key}.", depth + 1)
        else:
            rows.append((f"{prefix}{key}", value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)))
    return rows


def _commands(run: Run) -> list[tuple[str, str]]:
    where, task = _command_path(run.folder), str(run.stated("task") or "TASK")
    # A user's own task is named by its file, which the configuration keeps.
    if (own := re.search(r"^task: *([\w./:-]+) *$", run.config, re.MULTILINE)) and code_names.names_code(own[1]):
        task = own[1]
    # Left out where the configuration leaves it to the task.
    body = re.search(r"^morphology: *([\w./-]+) *$", run.config, re.MULTILINE)
    return [
        (next_steps.resume(where), "go on where it stopped"),
        *next_steps.with_best(where, task, body[1] if body else ""),
        (next_steps.report(where), "write this page anew"),
    ]


def _command_path(path: Path) -> str:
    """Return the run's folder as a user would type it; folders above it, which name the host, are left out."""
    try:
        relative = path.resolve().relative_to(Path.cwd())
        return relative.as_posix() if relative.parts else path.resolve().name
    except (ValueError, OSError):
        return path.resolve().name


def _metric(value: Any, name: str) -> str:
    """Return a metric as people read it; a goal that nothing measures is told from a run that did not ask."""
    return UNMEASURED if name == goals.REACHED and value is None else _cell(value)


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or (isinstance(value, float) and number(value) is None):
        return "–"
    n = number(value)
    if n is None:
        return str(value)
    if abs(n) >= 1e5 or (n and abs(n) < 1e-3):
        return f"{n:.3g}"
    return f"{n:.0f}" if n == round(n) and abs(n) >= 1000 else f"{n:.3f}".rstrip("0").rstrip(".")


def _count(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else (f"{seconds / 60:.1f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h")
