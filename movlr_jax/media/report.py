"""The report: one HTML file that tells a run's story and opens without a network.

Flows in: a run's folder, finished or not; only its files are read. Flows out: `report.html`, with clips and pictures embedded.
Much of the text was written by models, and is treated as hostile: everything goes through `_text`, which escapes markup and shows
invisible characters, and a content policy in the page itself lets no script run but its own and loads nothing from elsewhere.
"""

from __future__ import annotations

import base64
import difflib
import html
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from movlr_jax import atomic, code_names, folders, goals
from movlr_jax.errors import MovlrError
from movlr_jax.media import next_steps
from movlr_jax.media.markup import LONGEST_TEXT as _LONGEST_TEXT
from movlr_jax.media.markup import policy as _policy
from movlr_jax.media.markup import text as _text
from movlr_jax.media.tables import GOAL_DETAILS, UNMEASURED, ends
from movlr_jax.media.tables import heading as _heading
from movlr_jax.tasks import gates, metric_registry

_LARGEST_PICTURE = 20_000_000  # bytes
CLIP_BUDGET = 24_000_000  # bytes of mp4 embedded; base64 adds a third
STAGES: tuple[str, ...] = ("write", "prove", "move", "film", "judge", "save", "tune")  # by colour; tune only where weights are tuned
# Shown in tables in this order; a task's own metrics follow.
METRICS: tuple[str, ...] = (
    *GOAL_DETAILS,
    "distance_m",
    "mean_speed_mps",
    "fall_time_s",
    "drop_time_s",
    "final_position_error_m",
    "final_orientation_error_rad",
    "lateral_drift_m",
    "heading_error_rad",
    "step_symmetry",
    "effort",
)
# A sentence may forbid what another asks for: which way its own numbers should go is not told by their names.
_JUDGED = {name: metric for name, metric in metric_registry.METRICS.items() if name not in {target.metric for target in goals.TARGETS}}
_SCRIPT = """
document.querySelectorAll('video[data-same]').forEach(v => {
  const o = document.getElementById(v.dataset.same);
  if (o) v.closest('details').addEventListener('toggle', () => { if (!v.src) v.src = o.src; });
  if (o && v.closest('details').open) v.src = o.src;
});
document.querySelectorAll('button[data-do]').forEach(b => b.addEventListener('click', () => {
  document.querySelectorAll('#' + b.dataset.of + ' video').forEach(v => {
    if (b.dataset.do === 'play') { v.currentTime = 0; v.play(); }
    if (b.dataset.do === 'pause') v.pause();
    if (b.dataset.do === 'rate') v.playbackRate = Number(b.dataset.rate);
  });
}));
"""


@dataclass
class _Iteration:
    number: int
    folder: Path
    row: dict[str, Any]
    metrics: dict[str, Any] = field(default_factory=dict)  # the mean over the seeds
    episodes: list[Any] = field(default_factory=list)
    critique: Any = None
    decision: dict[str, Any] = field(default_factory=dict)
    verdict: Any = None
    source: str | None = None

    @property
    def score(self) -> float | None:
        return _number(self.row.get("score"))

    @property
    def kept(self) -> bool:
        return bool(self.row.get("kept"))


def write_report(run_dir: Path | str, *, clip_budget: int = CLIP_BUDGET) -> Path:
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
    page = _Report(run_dir, clip_budget).page()
    path = run_dir / "report.html"
    try:
        atomic.write_bytes(path, page.encode("utf-8", errors="replace"))
    except OSError as error:
        raise MovlrError(f"Cannot write {path} ({error.strerror}): make the folder writable.") from error
    return path


class _Report:
    def __init__(self, run_dir: Path, clip_budget: int):
        self.dir = run_dir
        self.summary = _dict(_json(run_dir / "summary.json"))
        self.run = _dict(_json(run_dir / "run.json"))
        self.iterations = self._read()
        self.best = self._find_best()
        self.start = self.iterations[0] if self.iterations else None
        self.stopped = str(self.summary.get("stopped") or "running")
        self.clips = self._embed(clip_budget)

    # reading

    def _read(self) -> list[_Iteration]:
        rows = {r["iteration"]: r for r in map(_dict, _list(self.summary.get("iterations"))) if isinstance(r.get("iteration"), int)}
        numbers = set(rows)
        root = self.dir / "iterations"
        if root.is_dir():
            numbers |= {int(p.name) for p in root.iterdir() if p.name.isascii() and p.name.isdigit() and len(p.name) < 9 and p.is_dir()}
        found = []
        for number in sorted(numbers):
            folder = root / f"{number:03d}"
            row = _dict(_json(folder / "iteration.json")) | rows.get(number, {})
            record = _dict(_json(folder / "metrics.json"))
            row.setdefault("score", record.get("score"))
            row.setdefault("gates", record.get("gates"))
            found.append(
                _Iteration(
                    number,
                    folder,
                    row,
                    metrics=_dict(record.get("mean")) | _dict(row.get("metrics")),
                    episodes=_list(record.get("episodes")),
                    critique=_json(folder / "critique.json"),
                    decision=_dict(_json(folder / "decision.json")),
                    verdict=_json(folder / "verdict.json"),
                    source=_file_text(folder / "reward.py"),
                )
            )
        return found

    def _find_best(self) -> _Iteration | None:
        number = self.summary.get("best")
        by_number = {i.number: i for i in self.iterations}
        if isinstance(number, int) and number in by_number:
            return by_number[number]
        kept = [i for i in self.iterations if i.kept]
        return kept[-1] if kept else None

    def _parent(self, iteration: _Iteration) -> _Iteration | None:
        """Return the iteration whose reward this one edited: the best before it."""
        number = iteration.row.get("parent", iteration.decision.get("against"))
        earlier = [i for i in self.iterations if i.number < iteration.number]
        for other in earlier:
            if other.number == number:
                return other
        kept = [i for i in earlier if i.kept]
        return kept[-1] if kept else None

    def _embed(self, budget: int) -> dict[int, str]:
        """Return clip sources by iteration: data, or a path beside the report for those beyond the budget."""
        first = [i for i in (self.best, self.start) if i is not None]
        order = first + [i for i in reversed(self.iterations) if i not in first]
        sources: dict[int, str] = {}
        for iteration in order:
            path = iteration.folder / "clip.mp4"
            if iteration.number in sources or not path.is_file():
                continue
            size = path.stat().st_size
            if size <= budget:
                budget -= size
                sources[iteration.number] = "data:video/mp4;base64," + base64.b64encode(atomic.read_bytes(path, size)).decode()
            else:
                sources[iteration.number] = f"iterations/{iteration.number:03d}/clip.mp4"
        return sources

    # the page

    def page(self) -> str:
        goal = self.summary.get("goal") or self.run.get("goal") or "A run without a goal sentence"
        parts = [
            ("story", "What came out", self._story()),
            ("clips", "Clips", self._gallery()),
            ("table", "Iterations", self._table()),
            ("each", "Each iteration", "".join(map(self._one, self.iterations)) or _none("No iteration has begun.")),
            ("maps", "Heat maps", self._maps()),
            ("failures", "Named failures", self._failures()),
            ("cost", "Time and cost", self._cost()),
            ("environment", "Environment", self._environment()),
            ("next", "How to go on", self._next()),
        ]
        links = "".join(f'<a href="#{key}">{title}</a>' for key, title, _ in parts)
        body = "".join(f'<h2 id="{key}">{title}</h2>{content}' for key, title, content in parts)
        style = resources.files("movlr_jax.media").joinpath("report.css").read_text(encoding="utf-8")
        return (
            '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
            f'<meta http-equiv="Content-Security-Policy" content="{_policy(_SCRIPT)}">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{_text(goal)}</title><style>{style}</style></head><body><main>"
            f"<h1>{_text(goal)}</h1>{self._chips()}{self._measures()}<nav>{links}</nav>{body}"
            f"</main><script>{_SCRIPT}</script></body></html>\n"
        )

    def _chips(self) -> str:
        names = ("task", "morphology", "engine", "seed")
        values = [(n, self.summary.get(n, self.run.get(n))) for n in names]
        values.append(("state", {"running": "unfinished", "iterations": "finished"}.get(self.stopped, self.stopped)))
        return (
            '<div class="chips">'
            + "".join(f'<span class="chip"><b>{n}</b>{_text(v)}</span>' for n, v in values if v is not None)
            + "</div>"
        )

    def _measures(self) -> str:
        """Return what is measured of the goal, what is not, and when an episode ends; a run of an earlier version says none of it."""
        said = [*map(str, _list(self.summary.get("goal_measures"))), str(self.summary.get("ends_when") or "")]
        return "".join(f'<p class="soft">{_text(sentence)}</p>' for sentence in said if sentence)

    def _story(self) -> str:
        if self.start is None:
            return _none("Nothing has run yet.")
        best, start = self.best, self.start
        if best is None:
            lead = "No iteration has been judged yet."
        elif best is start:
            lead = f"The start reward is still the best of {_count(len(self.iterations), 'iteration')}: {_did(best)}."
        else:
            several = _count(len(self.iterations), "iteration")
            lead = f"Iteration {best.number} is the best of {several}: {_did(best)}. The start: {_did(start)}."
        return f'<p class="lead">{_text(lead)}</p>' + self._pair() + self._progress() + self._best_reward()

    def _pair(self) -> str:
        shown = list(dict.fromkeys(x.number for x in (self.start, self.best) if x is not None))
        figures = [self._figure(n, "best" if self.best and n == self.best.number else "") for n in shown if n in self.clips]
        if not figures:
            return _none("No clip has been filmed yet.")
        return _buttons("pair") + f'<div class="pair" id="pair">{"".join(figures)}</div>'

    def _figure(self, number: int, mark: str = "", identified: bool = True) -> str:
        iteration = next(i for i in self.iterations if i.number == number)
        source = self.clips[number]
        names = [w for w, on in (("start", iteration is self.start), ("best", iteration is self.best)) if on]
        known = f" ({', '.join(names)})" if names else ""
        what = f"<b>Iteration {number}{known}</b>: {_text(_did(iteration))}"
        identity = f' id="clip-{number}"' if identified else ""
        beside = "" if source.startswith("data:") else f' <span class="soft">(not embedded: {_text(source)})</span>'
        return (
            f'<figure class="{mark}"><video{identity} controls muted loop playsinline preload="metadata" '
            f'src="{html.escape(source, quote=True)}"></video><figcaption>{what}{beside}</figcaption></figure>'
        )

    def _progress(self) -> str:
        table, chart = self._before_after(), self._chart()
        return f'<div class="two">{table}{chart}</div>' if table and chart else table + chart

    def _before_after(self) -> str:
        if self.best is None or self.start is None or self.best is self.start:
            return ""
        lines = []
        for name in ["score", *_metric_names([self.start, self.best])]:
            before = self.start.score if name == "score" else self.start.metrics.get(name)
            after = self.best.score if name == "score" else self.best.metrics.get(name)
            mood = ""
            a, b = _number(before), _number(after)
            if a is not None and b is not None and abs(a - b) > 1e-9 and name in _JUDGED:
                mood = "good" if (abs(b) < abs(a) if _JUDGED[name].better == "lower" else b > a) else "bad"
            cells = f'<td class="n">{_shown(name, before)}</td><td class="n {mood}">{_shown(name, after)}</td>'
            lines.append(f"<tr><td>{_text(_heading(name))}</td>{cells}</tr>")
        fell = [_bad_or_good(bool(i.metrics.get("fell")), *ends(i.metrics)[:2]) for i in (self.start, self.best)]
        at = "grasp" if "dropped" in self.best.metrics else "standing"
        lines.insert(0, f'<tr><td>{at}</td><td class="n">{fell[0]}</td><td class="n">{fell[1]}</td></tr>')
        return (
            '<div class="card scroll"><table class="plain"><tr><th>before and after</th><th class="n">start</th>'
            f'<th class="n">iteration {self.best.number}</th></tr>{"".join(lines)}</table></div>'
        )

    def _chart(self) -> str:
        points = [(i.number, i.score, i.kept) for i in self.iterations if i.score is not None]
        if len(points) < 2:
            return ""
        numbers, scores = [p[0] for p in points], [float(p[1] or 0.0) for p in points]
        low, high = min(scores), max(scores)
        span, width, height = max(high - low, 1e-9), 760, 190
        x = lambda n: 60 + (n - numbers[0]) / max(numbers[-1] - numbers[0], 1) * (width - 90)  # noqa: E731
        y = lambda s: 22 + (high - s) / span * (height - 62)  # noqa: E731
        trace = " ".join(f"{x(n):.1f},{y(s):.1f}" for n, s in zip(numbers, scores, strict=True))
        steps, held = [], None
        for n, s, kept in zip(numbers, scores, [p[2] for p in points], strict=True):
            if held is not None:
                steps.append(f"{x(n):.1f},{y(held):.1f}")
            if kept:
                held = s
                steps.append(f"{x(n):.1f},{y(s):.1f}")
        dots = "".join(
            f'<circle class="{"kept" if kept else "drop"}" cx="{x(n):.1f}" cy="{y(s):.1f}" r="5">'
            f"<title>iteration {n}: {s:.2f}</title></circle>"
            for (n, _, kept), s in zip(points, scores, strict=True)
        )
        every = max(1, math.ceil(len(numbers) / 20))
        ticks = "".join(f'<text x="{x(n):.1f}" y="{height - 20}" text-anchor="middle">{n}</text>' for n in numbers[::every])
        scale = "".join(f'<text x="50" y="{y(s) + 4:.1f}" text-anchor="end">{s:.4g}</text>' for s in {low, high})
        return (
            f'<div class="card"><svg viewBox="0 0 {width} {height}" role="img" aria-label="score by iteration">'
            f'<line class="axis" x1="56" x2="56" y1="14" y2="{height - 36}"/>'
            f'<line class="axis" x1="56" x2="{width - 20}" y1="{height - 36}" y2="{height - 36}"/>'
            f'<polyline class="trace" points="{trace}"/><polyline class="frontier" points="{" ".join(steps)}"/>{dots}{ticks}{scale}'
            f'<text x="{width / 2}" y="{height - 4}" text-anchor="middle">'
            "score by iteration; filled: kept, line: the best so far</text></svg></div>"
        )

    def _best_reward(self) -> str:
        if self.best is None or self.best.source is None:
            return ""
        name = f"The best reward: <code>iterations/{self.best.number:03d}/reward.py</code>"
        return _fold(name, _code(self.best.source))

    def _gallery(self) -> str:
        told = {x.number for x in (self.start, self.best) if x is not None}
        rest = [i.number for i in self.iterations if i.number in self.clips and i.number not in told]
        if not rest:
            return _none("Every clip there is stands above." if self.clips else "No clip has been filmed yet.")
        return _buttons("gallery") + f'<div class="clips" id="gallery">{"".join(self._figure(n) for n in rest)}</div>'

    def _table(self) -> str:
        if not self.iterations:
            return _none("No iteration has begun.")
        names = [n for n in _metric_names(self.iterations) if n not in ("fall_time_s", "drop_time_s", "effort", "heading_error_rad")][:6]
        head = (
            '<tr><th class="n">#</th><th>edit</th><th>gates</th>'
            + "".join(f'<th class="n">{_text(_heading(n))}</th>' for n in names)
            + '<th class="n">score</th><th>kept</th><th class="n">seconds</th></tr>'
        )
        lines = []
        for i in self.iterations:
            mark = "best" if i is self.best else ("" if i.kept else "dropped")
            metrics = "".join(f'<td class="n">{_shown(n, i.metrics.get(n, math.nan))}</td>' for n in names)
            edit = i.row.get("edit") or ("start" if i is self.start else "")
            if _dict(i.row.get("tuned")).get("trial"):
                edit = f"{edit}; then weights tuned"
            total, bar = _seconds(i.row.get("seconds"))
            kept = '<span class="good">★ best</span>' if i is self.best else ("kept" if i.kept else "no")
            if i.score is None:
                kept = '<span class="warn">unfinished</span>' if not i.row.get("refusals") else '<span class="bad">refused</span>'
            lines.append(
                f'<tr class="{mark}"><td class="n"><a href="#iteration-{i.number}">{i.number}</a></td><td class="e">{_text(edit)}</td>'
                f'<td class="k">{_gates(i)}</td>{metrics}<td class="n">{_value(i.score)}</td><td class="k">{kept}</td>'
                f'<td class="n">{total}<br>{bar}</td></tr>'
            )
        spent = {stage for i in self.iterations for stage in _dict(i.row.get("seconds"))} or set(STAGES[:6])
        keys = "".join(f'<span class="key s{k}"></span>{stage}' for k, stage in enumerate(STAGES) if stage in spent)
        return f'<div class="card scroll"><table>{head}{"".join(lines)}</table><p class="soft">Seconds per stage:{keys}</p></div>'

    def _one(self, i: _Iteration) -> str:
        state = "best" if i is self.best else ("kept" if i.kept else ("not kept" if i.score is not None else "unfinished"))
        edit = i.row.get("edit") or ("the start reward" if i is self.start else "")
        head = f"<b>Iteration {i.number}</b> · {state} · {_text(edit)}"
        left = ""
        if i.number in self.clips:
            left = f'<figure><video data-same="clip-{i.number}" controls muted loop playsinline></video></figure>'
        left += self._numbers(i)
        why = i.row.get("why") or i.decision.get("reason")
        right = f"<h3>Decision</h3><p>{_text(why)}</p>" if why else ""
        right += _critique(i.critique)
        rest = self._diff(i) + self._tuning(i) + self._refusals(i) + self._verdict(i) + self._others(i)
        opened = " open" if i is self.best else ""
        content = f'<div class="two"><div>{left}</div><div>{right}</div></div>{rest}'
        return f'<details id="iteration-{i.number}"{opened}><summary>{head}</summary><div>{content}</div></details>'

    def _numbers(self, i: _Iteration) -> str:
        rows = [("score", i.score), *((n, i.metrics.get(n)) for n in _metric_names([i]))]
        lines = "".join(f'<tr><td>{_text(_heading(n))}</td><td class="n">{_shown(n, v)}</td></tr>' for n, v in rows)
        seeds = f'<p class="soft">Means over {_count(len(i.episodes), "episode")}.</p>' if len(i.episodes) > 1 else ""
        classes = _dict(i.row.get("term_classes"))
        weights = "".join(
            f'<tr><td>{_text(t)}</td><td class="n">{_value(w)}</td><td class="soft">{_text(classes.get(t) or "")}</td></tr>'
            for t, w in _dict(i.row.get("weights")).items()
        )
        table = f'<h3>Weights</h3><div class="scroll"><table class="plain">{weights}</table></div>' if weights else ""
        return f'<h3>Numbers</h3><div class="scroll"><table class="plain">{lines}</table></div>{seeds}{table}'

    def _diff(self, i: _Iteration) -> str:
        if i.source is None:
            return ""
        parent = self._parent(i)
        if parent is None or parent.source is None:
            return f"<h3>Source</h3>{_code(i.source)}"
        lines = list(
            difflib.unified_diff(
                parent.source[:_LONGEST_TEXT].splitlines(),
                i.source[:_LONGEST_TEXT].splitlines(),
                f"iterations/{parent.number:03d}/reward.py",
                f"iterations/{i.number:03d}/reward.py",
                lineterm="",
            )
        )
        shown = "".join(f'<span class="{_diff_class(line)}">{_text(line)}</span>' for line in lines)
        diff = f'<pre class="diff">{shown}</pre>' if lines else _none("No difference in the text.")
        title = f"<h3>Source against iteration {parent.number}, the best before</h3>"
        return title + diff + _fold("whole source", _code(i.source))

    def _tuning(self, i: _Iteration) -> str:
        """Return what came of tuning the weights: the outcome in a sentence, the trials in a fold."""
        tuned = _dict(_json(i.folder / "tuned.json"))
        if not tuned:
            return ""
        paths = [p for p in i.folder.glob("tune/[0-9]*/trial.json") if p.parent.name.isascii() and p.parent.name.isdigit()]
        paths.sort(key=lambda p: int(p.parent.name))
        trials = [_dict(_json(path)) for path in paths]
        terms = list(dict.fromkeys(term for trial in trials for term in _dict(trial.get("weights"))))
        head = '<th class="n">trial</th><th class="n">score</th><th>gates</th>' + "".join(f'<th class="n">{_text(t)}</th>' for t in terms)
        lines = ""
        for path, trial in zip(paths, trials, strict=True):
            number, weights = int(path.parent.name), _dict(trial.get("weights"))
            refused = path.with_name("refusal.json").is_file()
            notes = [
                ("as written", number == 0),
                ("★ taken", number == tuned.get("trial") and not tuned.get("unmoved")),
                ("refused", refused),
            ]
            note = ", ".join(word for word, on in notes if on)
            passed = _gates_of(_dict(trial.get("gates")), _dict(trial.get("mean")))
            lines += (
                f'<tr><td class="n">{number}{f" ({note})" if note else ""}</td><td class="n">{_value(trial.get("score"))}</td>'
                f"<td>{passed}</td>" + "".join(f'<td class="n">{_value(weights.get(t))}</td>' for t in terms) + "</tr>"
            )
        before, after = (_value(tuned.get(name)) for name in ("score_as_written", "score"))
        count = _count(len(trials), "trial")
        said = f"None of {count} bettered the weights as written" if tuned.get("trial") == 0 else f"{count}: score {before} became {after}"
        if tuned.get("unmoved"):
            said = f"{count} came out the same: the weights stay as written, and none is the best"
        elif tuned.get("trial") and len(i.episodes) == 1:
            said += ", on one seed, which tells no difference from luck"
        table = f'<div class="scroll"><table><tr>{head}</tr>{lines}</table></div>'
        return f"<h3>Weights tuned</h3><p>{said}.</p>{_fold('the trials', table)}"

    def _refusals(self, i: _Iteration) -> str:
        listed: list[str] = []
        for path in sorted(i.folder.rglob("refusals/*.json")):
            verdict = _dict(_json(path))
            draft = _dict(_json(path.parent.parent / "drafts" / path.name))
            where = f" (line {_text(verdict['line'])})" if verdict.get("line") is not None else ""
            source = draft.get("source")
            text = _fold("the refused text", _code(str(source))) if source else ""
            listed.append(f'<li><span class="bad">Refused{where}:</span> {_text(verdict.get("sentence", ""))}{text}</li>')
        if not listed:
            listed = [f'<li><span class="bad">Refused:</span> {_text(s)}</li>' for s in _list(i.row.get("refusals"))]
        return f"<h3>Refusals</h3><ul>{''.join(listed)}</ul>" if listed else ""

    def _verdict(self, i: _Iteration) -> str:
        if i.verdict is None:
            return ""
        verdict = _dict(i.verdict)
        trusted = verdict.get("trusted")
        word = "" if trusted is None else _bad_or_good(not trusted, "refused", "trusted")
        sentence = _text(verdict.get("sentence") or "")
        return f"<h3>Proof</h3><p>{word} {sentence}</p><details><summary>verdict.json</summary><div>{_pretty(i.verdict)}</div></details>"

    def _others(self, i: _Iteration) -> str:
        lines = []
        for folder in sorted((i.folder / "candidates").glob("*")):
            record = _dict(_json(folder / "metrics.json"))
            drafts = sorted((folder / "drafts").glob("*.json"))
            edit = _dict(_json(drafts[-1])).get("edit") if drafts else None
            lines.append(
                f'<tr><td>{_text(folder.name)}</td><td>{_text(edit or "")}</td><td class="n">{_value(record.get("score"))}</td></tr>'
            )
        calls = [p.name for p in sorted(i.folder.glob("calls/*.json"))]
        found = (
            f'<h3>Candidates that were not chosen</h3><table class="plain"><tr><th>#</th><th>edit</th><th class="n">score</th></tr>'
            f"{''.join(lines)}</table>"
            if lines
            else ""
        )
        if calls:
            found += f'<p class="soft">Model calls on record: {_text(", ".join(calls))}</p>'
        return found

    def _maps(self) -> str:
        told = {
            "weights": "Weight of each term by iteration, classes from global stability to fine coordination.",
            "contributions": "What each term of the best reward added over the rollout.",
            "activations": "Muscle activation of the best rollout, by group.",
        }
        paths = sorted((self.dir / "heatmaps").glob("*.png"), key=lambda p: (list(told).index(p.stem) if p.stem in told else 9, p.name))
        figures = [
            f'<figure class="card"><img alt="{_text(p.stem)}" src="data:image/png;base64,{_picture(p)}">'
            f"<figcaption>{_text(told.get(p.stem, p.stem))}</figcaption></figure>"
            for p in paths
        ]
        return "".join(figures) or _none("No heat map has been drawn yet.")

    def _failures(self) -> str:
        named = _list(self.summary.get("named_failures"))
        if not named:
            return _none("None: no stagnation, no collapse, no drift.")
        lines = []
        for failure in named:
            f = _dict(failure) or {"sentence": failure}
            name, sentence, when = (_text(f.get(k, "")) for k in ("name", "sentence", "iteration"))
            lines.append(f'<li><b class="warn">{name}</b> {sentence} <span class="soft">(iteration {when})</span></li>')
        return f"<ul>{''.join(lines)}</ul>"

    def _cost(self) -> str:
        """Return the wall time of each stage, and what the model calls of each purpose came to."""
        stages: dict[str, float] = {}
        for iteration in self.iterations:
            for name, raw in _dict(iteration.row.get("seconds")).items():
                stages[name] = stages.get(name, 0.0) + (_number(raw) or 0.0)
        if not stages:
            return _none("Nothing has run yet.")
        rows = "".join(f'<tr><td>{_text(n)}</td><td class="n">{_duration(s)}</td></tr>' for n, s in stages.items())
        tables = f'<div class="card scroll"><table class="plain"><tr><th>stage</th><th class="n">time</th></tr>{rows}</table></div>'
        calls = {name: _dict(sums) for name, sums in _dict(self.summary.get("calls")).items()}
        if not calls:
            return tables + _none("No model was asked.")
        shown = ("calls", "reused", "tokens_in", "tokens_out", "usd", "unpriced", "seconds")
        head = "".join(f'<th class="n">{_text(name.replace("_", " ").replace("usd", "USD"))}</th>' for name in shown)
        lines = "".join(
            f"<tr><td>{_text(purpose)}</td>" + "".join(f'<td class="n">{_value(sums.get(name))}</td>' for name in shown) + "</tr>"
            for purpose, sums in calls.items()
        )
        return tables + f'<div class="card scroll"><table class="plain"><tr><th>calls for</th>{head}</tr>{lines}</table></div>'

    def _environment(self) -> str:
        config = _file_text(self.dir / "config.yaml")
        total = sum(_number(s) or 0.0 for i in self.iterations for s in _dict(i.row.get("seconds")).values())
        moved = sum(_number(i.row.get("simulated_s")) or 0.0 for i in self.iterations)
        executed = f", {_duration(moved)} of motion executed" if moved else ""
        parts = f"<p>{_text(_duration(total))} of work in {_count(len(self.iterations), 'iteration')}{executed}.</p>" if total else ""
        if self.run:
            parts += f'<div class="card scroll"><table class="plain">{_flat_rows(self.run)}</table></div>'
        if config:
            parts += _fold("config.yaml", _code(config))
        return parts or _none("run.json is missing.")

    def _next(self) -> str:
        where = _command_path(self.dir)
        task = str(self.summary.get("task") or self.run.get("task") or "TASK")
        config = _file_text(self.dir / "config.yaml") or ""
        # A user's own is named by its file, which the configuration keeps.
        if (own := re.search(r"^task: *([\w./:-]+) *$", config, re.MULTILINE)) and code_names.names_code(own[1]):
            task = own[1]
        # Left out where the configuration leaves it to the task.
        asked = re.search(r"^morphology: *([\w./-]+) *$", config, re.MULTILINE)
        commands = [
            (next_steps.resume(where), "go on where it stopped"),
            *next_steps.with_best(where, task, asked[1] if asked else ""),
            (next_steps.report(where), "write this page anew"),
        ]
        return "".join(f'<p><code>{_text(c)}</code> <span class="soft">{w}</span></p>' for c, w in commands)


# --- pieces


def _critique(critique: Any) -> str:
    if critique is None:
        return ""
    if not isinstance(critique, dict):
        return f"<h3>Critique</h3>{_pretty(critique)}"
    success = critique.get("success")
    verdict = "" if success is None else _bad_or_good(not success, "does not do it yet", "does what was asked")
    parts = f"<h3>Critique</h3><p>{verdict} {_text(critique.get('summary') or '')}</p>"
    parts += _records(
        "Faults, the most important first", _list(critique.get("faults")), ("severity", "stage", "kind", "body_part", "phase", "what")
    )
    parts += _records("Suggestions", _list(critique.get("suggestions")), ("action", "term", "weight", "words", "addresses"))
    rest = {
        k: v
        for k, v in critique.items()
        if k not in ("success", "summary", "faults", "suggestions", "calls") and v not in (None, "", [], {})
    }
    return parts + (_fold("more", _pretty(rest)) if rest else "")


def _records(title: str, records: Sequence[Any], first: Sequence[str]) -> str:
    """Render a list of flat records as a table, whatever fields they have; known ones come first."""
    if not records:
        return ""
    rows = [r if isinstance(r, dict) else {"what": r} for r in records]
    names = [n for n in first if any(n in r for r in rows)]
    names += [n for n in dict.fromkeys(k for r in rows for k in r) if n not in names]
    head = "".join(f"<th>{_text(str(n).replace('_', ' '))}</th>" for n in names)
    body = ""
    for row in rows:
        cells = ""
        for name in names:
            value = row.get(name)
            severity = _number(value) if name == "severity" else None
            if severity is not None:
                width = round(100 * min(max(severity, 0.0), 1.0))
                bar = f'<span class="bar" style="width:56px"><i class="severity" style="width:{width}%"></i></span>'
                cells += f'<td title="{severity:.2f}">{bar}</td>'
            else:
                cells += f"<td>{_value(value) if isinstance(value, int | float) else _text('' if value is None else value)}</td>"
        body += f"<tr>{cells}</tr>"
    return f'<p class="soft">{title}</p><div class="scroll"><table><tr>{head}</tr>{body}</table></div>'


def _did(i: _Iteration) -> str:
    """Say in one line what an iteration's body did."""
    m = i.metrics
    distance, speed, seconds = (_number(m.get(k)) for k in ("distance_m", "mean_speed_mps", "seconds"))
    early, late, time = ends(m)
    fall = _number(m.get(time))
    if not m:
        return "has not been measured"
    if m.get("diverged"):
        words = "the simulation diverged"
    elif m.get("fell"):
        words = early + (f" at {fall:.1f} s" if fall is not None else "")
    else:
        words = late + (f" for {seconds:.1f} s" if seconds is not None else "")
    if (away := _number(m.get("final_position_error_m"))) is not None:
        words += f", {away:.3f} m from its place"
    if (turned := _number(m.get("final_orientation_error_rad"))) is not None:
        words += f", {turned:.2f} rad from its orientation"
    if distance is not None:
        words += f", {distance:.2f} m"
    if speed is not None:
        words += f" at {speed:.2f} m/s"
    if goals.REACHED in m:
        reached = _number(m[goals.REACHED])
        words += ", the goal is unmeasured" if reached is None else f", {reached:.0%} of the goal"
    return words


def _metric_names(iterations: Iterable[_Iteration]) -> list[str]:
    found = [item for i in iterations for item in i.metrics.items()]
    present = dict.fromkeys(k for k, v in found if k == goals.REACHED or (_number(v) is not None and not isinstance(v, bool)))
    skipped = ("seed", "seconds", "dropped", "diverged")  # the gates tell of the last two
    return [n for n in METRICS if n in present] + [n for n in present if n not in METRICS and n not in skipped]


def _gates(i: _Iteration) -> str:
    return _gates_of(_dict(i.row.get("gates")), i.metrics)


def _gates_of(said: Mapping[str, Any], metrics: Mapping[str, Any]) -> str:
    words = dict(gates.FAULTS)
    early, _, time = ends(metrics)
    fall = _number(metrics.get(time))
    words["fell"] = early + (f" at {fall:.1f} s" if fall is not None else "")
    found = [f'<span class="bad">{words[name]}</span>' for name in gates.failed(said)]
    return ", ".join(found) or ('<span class="good">passed</span>' if said else "")


def _seconds(seconds: Any) -> tuple[str, str]:
    spent = {k: v for k, raw in _dict(seconds).items() if (v := _number(raw)) is not None and v >= 0}
    total = sum(spent.values())
    if not total:
        return "", ""
    order = [*STAGES, *(k for k in spent if k not in STAGES)]
    last = len(STAGES) - 1
    pieces = "".join(
        f'<i class="s{min(k, last)}" style="width:{100 * spent[stage] / total:.1f}%"></i>'
        for k, stage in enumerate(order)
        if stage in spent
    )
    told = ", ".join(f"{stage} {spent[stage]:.1f} s" for stage in order if stage in spent)
    return f"{total:.1f}", f'<span class="bar" title="{_text(told)}">{pieces}</span>'


def _buttons(of: str) -> str:
    actions = (("play", "", "▶ play together"), ("pause", "", "pause"), ("rate", "0.25", "¼ speed"), ("rate", "1", "full speed"))
    return (
        "<p>"
        + "".join(f'<button type="button" data-of="{of}" data-do="{a}" data-rate="{r}">{words}</button>' for a, r, words in actions)
        + "</p>"
    )


def _flat_rows(record: Mapping[str, Any], prefix: str = "", depth: int = 0) -> str:
    rows = ""
    for key, value in record.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and value and depth < 3:
            rows += _flat_rows(value, f"{name}.", depth + 1)
        else:
            told = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
            rows += f"<tr><td>{_text(name)}</td><td>{_text(told)}</td></tr>"
    return rows


def _diff_class(line: str) -> str:
    if line.startswith(("+++", "---", "@@")):
        return "h"
    return {"+": "a", "-": "d"}.get(line[:1], "c")


def _bad_or_good(bad: bool, if_bad: str, if_good: str) -> str:
    return f'<span class="{"bad" if bad else "good"}">{if_bad if bad else if_good}</span>'


def _fold(summary: str, content: str) -> str:
    return f"<details><summary>{summary}</summary><div>{content}</div></details>"


def _code(text: str) -> str:
    return f"<pre><code>{_text(text)}</code></pre>"


def _pretty(value: Any) -> str:
    return f'<pre class="wrap">{_text(json.dumps(value, indent=1, ensure_ascii=False, default=str))}</pre>'


def _none(sentence: str) -> str:
    return f'<p class="soft">{sentence}</p>'


def _shown(name: str, value: Any) -> str:
    """Return a metric as people read it; a goal that nothing measures is told from a run that did not ask."""
    return UNMEASURED if name == goals.REACHED and value is None else _value(value)


def _value(value: Any) -> str:
    number = _number(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if number is None:
        return "–" if value is None or isinstance(value, float) else _text(value)
    if abs(number) >= 1e5 or (number and abs(number) < 1e-3):
        return f"{number:.3g}"
    return f"{number:.0f}" if number == round(number) and abs(number) >= 1000 else f"{number:.3f}".rstrip("0").rstrip(".")


def _number(value: Any) -> float | None:
    if isinstance(value, int | float):
        try:
            number = float(value)
        except OverflowError:
            return None
        return number if math.isfinite(number) else None
    return None


def _count(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else (f"{seconds / 60:.1f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h")


def _command_path(path: Path) -> str:
    """Return the run's folder as a user would type it; folders above it, which name the host, are left out."""
    try:
        relative = path.resolve().relative_to(Path.cwd())
        return relative.as_posix() if relative.parts else path.resolve().name
    except (ValueError, OSError):
        return path.resolve().name


def _picture(path: Path) -> str:
    """Return a picture's bytes in base64; none for a file that cannot be read."""
    try:
        return base64.b64encode(atomic.read_bytes(path, _LARGEST_PICTURE)).decode()
    except (OSError, ValueError):
        return ""


def _json(path: Path) -> Any:
    try:
        return atomic.read_json(path)
    except (OSError, ValueError):
        return None


def _file_text(path: Path) -> str | None:
    try:
        return atomic.read_bytes(path).decode("utf-8", errors="replace")
    except (OSError, ValueError):
        return None


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
