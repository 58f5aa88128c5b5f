"""The page that compares a sweep's trials: one HTML file that opens without a network.

Flows in: the rows of the trials, and the clips of their best iterations. Flows out: `compare.html`: a table that sorts by any column, the
best score over the iterations of every trial, and clips that play where the mouse is.
"""

from __future__ import annotations

import base64
import html
import itertools
import json
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from movlr_jax import atomic
from movlr_jax.errors import MovlrError
from movlr_jax.media import tables
from movlr_jax.media.markup import policy, text
from movlr_jax.tasks import metric_registry

PAGE = "compare.html"
CLIP_BUDGET = 24_000_000  # bytes of mp4 embedded; base64 adds a third
_COLOURS = ("#1f5f9e", "#cf6f3c", "#2f8f83", "#b07cc6", "#c9a227", "#b3261e", "#6f86b8", "#1a7f45", "#8d96a3", "#7a4f2b")
_ENDS = {"iterations": "finished"}  # how a run ended, where its own word could be misread beside the column of that name
_RIGHT = ' class="n"'
_WIDTH, _HEIGHT = 1080, 300
_STYLE = """
th button { all: unset; cursor: pointer; color: inherit; font: inherit; } th button:hover { color: var(--accent); }
th[aria-sort=ascending] button::after { content: ' ▲'; } th[aria-sort=descending] button::after { content: ' ▼'; }
tr[data-t]:hover td, tr.on td { background: color-mix(in srgb, var(--accent) 12%, transparent); }
svg .curve { fill: none; stroke-width: 1.6; opacity: .75; } svg .curve.on { stroke-width: 4; opacity: 1; }
svg.some .curve:not(.on) { opacity: .15; }
.chip .key { margin-left: 0; }
figure.on video { border-color: var(--accent); }
#preview { position: fixed; right: 18px; bottom: 18px; width: 340px; border-radius: 10px; border: 1px solid var(--line); display: none;
  background: var(--card); z-index: 2; } #preview.on { display: block; }
"""
_SCRIPT = """
const table = document.querySelector('table.sortable'), preview = document.getElementById('preview');
const key = (row, i) => {
  const v = row.cells[i].dataset.v;
  return v === undefined ? row.cells[i].textContent : v === '' ? null : Number(v);
};
table.querySelectorAll('th button').forEach(b => b.addEventListener('click', () => {
  const th = b.parentElement, i = th.cellIndex, up = th.getAttribute('aria-sort') === 'descending';
  table.querySelectorAll('th').forEach(o => o.removeAttribute('aria-sort'));
  th.setAttribute('aria-sort', up ? 'ascending' : 'descending');
  const body = table.tBodies[0], rows = [...body.rows];
  rows.sort((p, q) => {
    const a = key(p, i), b = key(q, i);
    if (a === null || b === null) return (a === null) - (b === null);
    const order = typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b));
    return up ? order : -order;
  });
  body.append(...rows);
}));
const show = (t, on) => {
  document.querySelectorAll(`[data-t="${t}"]`).forEach(e => e.classList.toggle('on', on));
  document.querySelectorAll('svg').forEach(s => s.classList.toggle('some', on));
};
document.querySelectorAll('[data-t]').forEach(e => {
  const clip = document.getElementById('clip-' + e.dataset.t), own = e.contains(clip) ? clip : preview;
  e.addEventListener('mouseenter', () => {
    show(e.dataset.t, true);
    if (!clip) return;
    if (own === preview) { preview.src = clip.src; preview.classList.add('on'); }
    own.currentTime = 0;
    own.play();
  });
  e.addEventListener('mouseleave', () => {
    show(e.dataset.t, false);
    if (clip) { own.pause(); preview.classList.remove('on'); }
  });
});
"""


def write_page(out: Path, name: str, rows: Sequence[Mapping[str, Any]], paths: Sequence[str], *, clip_budget: int = CLIP_BUDGET) -> Path:
    """Write a sweep's page and return its path.

    Args:
        out: the sweep's folder.
        name: its name.
        rows: one a trial, as in results.parquet.
        paths: the values that vary.
        clip_budget: bytes of clips to embed, those of the highest scores first; a clip beyond it is linked.

    Raises:
        MovlrError: the file cannot be written.
    """
    clips = _clips(out, rows, clip_budget)
    done = sum(row["state"] == "done" for row in rows)
    colours = _colours(rows, paths)
    style = resources.files("movlr_jax.media").joinpath("report.css").read_text(encoding="utf-8")
    page = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy(_SCRIPT)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{text(name)}</title><style>{style}{_STYLE}</style></head><body><main><h1>{text(name)}</h1>"
        f'<p class="lead">{done} of {len(rows)} trials are done. A column sorts by its heading; a trial shows itself under the mouse.</p>'
        f"<h2>Trials</h2>{_table(rows, paths)}<h2>Best score over the iterations</h2>{_curves(rows, paths, colours)}"
        f"<h2>Clips</h2>{_gallery(rows, clips)}"
        f'</main><video id="preview" muted loop playsinline></video><script>{_SCRIPT}</script></body></html>\n'
    )
    path = out / PAGE
    try:
        atomic.write_bytes(path, page.encode("utf-8", errors="replace"))
    except OSError as error:
        raise MovlrError(f"Cannot write {path} ({error.strerror}): make room; the same command writes it again.") from None
    return path


def _clips(out: Path, rows: Sequence[Mapping[str, Any]], budget: int) -> dict[int, str]:
    """Return clip sources by trial: data, or a path beside the page for those beyond the budget."""
    found: dict[int, str] = {}
    for row in sorted(rows, key=lambda r: (r["score"] is None, -(r["score"] or 0.0), r["trial"])):
        if row["best"] is None:
            continue
        beside = f"{row['folder']}/iterations/{row['best']:03d}/clip.mp4"
        try:
            size = (out / beside).stat().st_size
            if size <= budget:
                found[row["trial"]] = "data:video/mp4;base64," + base64.b64encode(atomic.read_bytes(out / beside, size)).decode()
                budget -= size
            else:
                found[row["trial"]] = beside
        except (OSError, ValueError):
            continue
    return found


def _table(rows: Sequence[Mapping[str, Any]], paths: Sequence[str]) -> str:
    metrics = [m for m in metric_registry.shown() if any(tables.cell(tables.metrics_of(row), m) != "-" for row in rows)]
    headings = ["trial", *paths, "state", "iterations", "best", "score", "fell", *map(tables.heading, metrics), "USD"]
    words = {"state", *(path for path in paths if any(_is_word(row["values"].get(path)) for row in rows))}
    head = "".join(f"<th{'' if h in words else _RIGHT}><button>{text(h)}</button></th>" for h in headings)
    body = "".join(
        f'<tr data-t="{row["trial"]}">{_number(row["trial"], "")}'
        + "".join(_value(row["values"].get(path)) for path in paths)
        + f"<td>{_state(row)}</td>{_number(row['iterations'], '')}{_number(row['best'], '')}{_number(row['score'], '.2f')}"
        + _number(row.get("metrics.fell"), "")
        + "".join(_number(row.get(f"metrics.{m}"), tables.spec(m), tables.cell(tables.metrics_of(row), m)) for m in metrics)
        + f"{_number(row['usd'], '.2f')}</tr>"
        for row in rows
    )
    return f'<div class="card scroll"><table class="sortable"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _state(row: Mapping[str, Any]) -> str:
    if row["state"] == "done":
        report = html.escape(f"{row['folder']}/report.html", quote=True)
        return f'<a href="{report}">{text(_ENDS.get(row["stopped"], row["stopped"]))}</a>'
    return f'<span class="warn">{text(row["state"])}</span> {text(row["sentence"])}'


def _number(value: Any, spec: str, said: str = "") -> str:
    plain = "" if value is None else f"{float(value):.9g}"
    return f'<td class="n" data-v="{plain}">{said or tables.number(value, spec)}</td>'


def _value(value: Any) -> str:
    if not _is_word(value):
        return f'<td class="n" data-v="{value:.9g}">{value:.4g}</td>'
    return f"<td>{text(value if isinstance(value, str) else json.dumps(value))}</td>"


def _is_word(value: Any) -> bool:
    return isinstance(value, bool) or not isinstance(value, int | float)


def _colours(rows: Sequence[Mapping[str, Any]], paths: Sequence[str]) -> dict[str, str]:
    """Return value of the first thing that varies -> colour."""
    seen = dict.fromkeys(_group(row, paths) for row in rows)
    return {group: _COLOURS[n % len(_COLOURS)] for n, group in enumerate(seen)}


def _group(row: Mapping[str, Any], paths: Sequence[str]) -> str:
    value = row["values"].get(paths[0]) if paths else None
    return value if isinstance(value, str) else json.dumps(value)


def _best_so_far(row: Mapping[str, Any]) -> list[tuple[int, float]]:
    held, points = None, []
    for number, (score, kept) in enumerate(zip(row["scores"], row["kept"], strict=True)):
        held = score if kept and score is not None else held
        if held is not None:
            points.append((number, held))
    return points


def _curves(rows: Sequence[Mapping[str, Any]], paths: Sequence[str], colours: Mapping[str, str]) -> str:
    curves = {row["trial"]: _best_so_far(row) for row in rows}
    values = [value for points in curves.values() for _, value in points]
    if not values:
        return '<p class="soft">No iteration has been judged yet.</p>'
    low, high, last = min(values), max(values), max(number for points in curves.values() for number, _ in points)
    span = high - low or 1.0

    def x(number: float) -> float:
        return 60 + number / max(last, 1) * (_WIDTH - 90)

    def y(value: float) -> float:
        return 18 + (high - value) / span * (_HEIGHT - 58)

    drawn = []
    for row in rows:
        points = curves[row["trial"]]
        if points:
            # A trial of one iteration is a line too, and can be seen.
            ends = [*points, (points[-1][0] + 0.15, points[-1][1])] if len(points) == 1 else points
            # The best stays what it is until the next: a step, as in a run's report.
            steps = [(n, held) for (_, held), (n, _) in itertools.pairwise(ends)]
            corners = [point for pair in itertools.zip_longest(ends, steps) for point in pair if point is not None]
            trace = " ".join(f"{x(number):.1f},{y(value):.1f}" for number, value in corners)
            said = text(f"{row['name']}: {points[-1][1]:.2f}")
            colour = colours[_group(row, paths)]
            curve = f'<polyline data-t="{row["trial"]}" class="curve" stroke="{colour}" points="{trace}"><title>{said}</title></polyline>'
            drawn.append(curve)
    every = max(1, -(-last // 20))
    ticks = "".join(f'<text x="{x(n):.1f}" y="{_HEIGHT - 22}" text-anchor="middle">{n}</text>' for n in range(0, last + 1, every))
    scale = "".join(f'<text x="52" y="{y(v) + 4:.1f}" text-anchor="end">{v:.4g}</text>' for v in {low, high})
    keys = "".join(f'<span class="chip"><span class="key" style="background:{c}"></span>{text(g)}</span>' for g, c in colours.items())
    axes = (
        f'<line class="axis" x1="57" x2="57" y1="12" y2="{_HEIGHT - 38}"/>'
        f'<line class="axis" x1="57" x2="{_WIDTH - 20}" y1="{_HEIGHT - 38}" y2="{_HEIGHT - 38}"/>'
        f'<text x="{_WIDTH / 2}" y="{_HEIGHT - 4}" text-anchor="middle">iteration</text>'
    )
    legend = f'<div class="chips"><span class="chip"><b>{text(paths[0])}</b></span>{keys}</div>' if paths else ""
    return (
        f'<div class="card"><svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="best score by iteration">'
        f"{axes}{ticks}{scale}{''.join(drawn)}</svg>{legend}</div>"
    )


def _gallery(rows: Sequence[Mapping[str, Any]], clips: Mapping[int, str]) -> str:
    figures = []
    for row in (row for row in rows if row["trial"] in clips):
        source = clips[row["trial"]]
        beside = "" if source.startswith("data:") else f' <span class="soft">(not embedded: {text(source)})</span>'
        said = f"<b>{text(row['name'])}</b> {tables.number(row['score'], '.2f')}{beside}"
        figures.append(
            f'<figure data-t="{row["trial"]}"><video id="clip-{row["trial"]}" controls muted loop playsinline preload="metadata" '
            f'src="{html.escape(source, quote=True)}"></video><figcaption>{said}</figcaption></figure>'
        )
    return f'<div class="clips">{"".join(figures)}</div>' if figures else '<p class="soft">No clip has been filmed.</p>'
