"""The report opens without a network, tells what is in the folder, and lets nothing in the folder act."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from movlr_jax.errors import MovlrError
from movlr_jax.media.report import write_report

VOID = {"meta", "img", "br"}
HOSTILE = "\"'><img src=x onerror=alert(1)><script>alert(2)</script><video src=//evil.example/x></details></main>\u202e\u200b\ud800"


class Page(HTMLParser):
    """What a browser would see: elements, attributes, text; and whether every element is closed in order."""

    def __init__(self, text: str):
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.faults: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):  # type: ignore[no-untyped-def]
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):  # type: ignore[no-untyped-def]
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):  # type: ignore[no-untyped-def]
        if not self.open or self.open.pop() != tag:
            self.faults.append(tag)

    def handle_data(self, data):  # type: ignore[no-untyped-def]
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(self.words)

    def count(self, tag: str) -> int:
        return sum(t == tag for t, _ in self.elements)


def _write(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(value, bytes):
        path.write_bytes(value)
    else:
        path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8", errors="surrogatepass")


def _source(weight: float, extra: str = "") -> str:
    return f'WEIGHTS = {{"speed": {weight}}}\n\n\ndef terms(m):\n    return {{"speed": m.com.velocity_forward{extra}}}\n'


def make_run(folder: Path, say: str = "plain") -> Path:
    """Fill a run's folder: a start that falls, an edit that was dropped, and one that was kept."""
    rows = []
    for n, (fell, kept, distance) in enumerate([(True, True, 0.4), (True, False, 0.3), (False, True, 3.25)]):
        here = folder / "iterations" / f"{n:03d}"
        mean = {"seed": 0, "seconds": 4.0, "fell": fell, "fall_time_s": 2.1 if fell else None, "diverged": False, "distance_m": distance}
        mean |= {"mean_speed_mps": distance / 4, "lateral_drift_m": -0.2, "effort": 0.031, f"odd_{say}_m": 1.5}
        gates = {"fell": fell, "diverged": False, "moved": True}
        row = {"iteration": n, "reward": say, "metrics": mean, "gates": gates, "score": -10.0 + 20 * n, "kept": kept, "why": f"why {say}"}
        row |= {"weights": {"speed": 10.0 + n, say: 5.0}, "term_classes": {"speed": "progress", say: say}, "critique": say}
        row |= {"edit": f"edit {say}" if n else "", "parent": None if n == 0 else 0, "refusals": [f"line 3: {say}"] if n == 1 else []}
        row |= {"seconds": {"write": 0.1, "prove": 0.6, "move": 30.0, "film": 1.5, say: 0.2}}
        rows.append(row)
        _write(here / "reward.py", _source(10.0 + n, f"  # {say}" if n else ""))
        _write(here / "metrics.json", {"episodes": [mean, mean], "mean": mean, "falls": int(fell), "score": row["score"], "gates": gates})
        fault = {
            "kind": say,
            "body_part": say,
            "phase": say,
            "severity": 0.9,
            "what": f"what {say}",
            "stage": "stability",
            f"new {say}": [say],
        }
        suggestion = {"action": "add", "term": say, "weight": 5.0, "words": f"words {say}", "addresses": say}
        _write(
            here / "critique.json",
            {"success": n == 2, "summary": f"summary {say}", "faults": [fault], "suggestions": [suggestion], "x": say},
        )
        _write(here / "verdict.json", {"trusted": True, "sentence": say, "layers": {say: True}})
        _write(here / "clip.mp4", b"\0\0\0\x18ftypisom" + bytes([n]) * 3000)
    _write(folder / "iterations/001/refusals/00.json", {"trusted": False, "sentence": f"refused {say}", "line": 3})
    _write(folder / "iterations/001/drafts/00.json", {"source": f"import os  # {say}", "edit": say})
    _write(folder / "iterations/002/candidates/1/metrics.json", {"score": 3.5})
    _write(folder / "iterations/002/candidates/1/drafts/00.json", {"edit": f"other {say}"})
    _write(folder / "iterations/002/calls/write-00.json", [])
    failure = {"name": "drift", "iteration": 2, "sentence": f"drift {say}"}
    summary = {"task": say, "goal": f"Walk {say}", "morphology": "myolegs", "engine": "native", "seed": 0, "best": 2}
    _write(folder / "summary.json", summary | {"stopped": "iterations", "named_failures": [failure], "iterations": rows})
    _write(folder / "run.json", {"versions": {"mujoco": "3.17.0", say: say}, "commit": say})
    _write(folder / "config.yaml", f"task: {say}\nmorphology: ostrich\n")
    _write(folder / "heatmaps/weights.png", b"\x89PNG\r\n\x1a\n" + b"0" * 50)
    return folder


def _page(folder: Path, **options: int) -> Page:
    return Page(write_report(folder, **options).read_text(encoding="utf-8"))


def test_the_story_of_a_hand_is_told_in_its_words(tmp_path):  # type: ignore[no-untyped-def]
    folder = make_run(tmp_path / "run")
    summary = json.loads((folder / "summary.json").read_text())
    for row in summary["iterations"]:
        fell = row["metrics"]["fell"]
        ends = {"dropped": float(fell), "drop_time_s": 1.2 if fell else None, "final_position_error_m": 0.031}
        row["metrics"] = {"seconds": 4.0, "fell": fell, "diverged": 0.0, **ends, "final_orientation_error_rad": 0.25}
        (folder / f"iterations/{row['iteration']:03d}/metrics.json").unlink()  # a body's, which has the time of a fall
    _write(folder / "summary.json", summary)
    text = _page(folder).text
    assert "The start: dropped it at 1.2 s" in text and "held it for 4.0 s, 0.031 m from its place, 0.25 rad from its orientation" in text
    assert "final position error [m]" in text and "grasp" in text
    assert "stayed up" not in text and "standing" not in text and "fell" not in text


def test_of_several_seeds_it_says_which_is_which(tmp_path):  # type: ignore[no-untyped-def]
    folder = make_run(tmp_path / "run")
    here = folder / "iterations/002"
    record = json.loads((here / "metrics.json").read_text())
    _write(here / "metrics.json", {**record, "episodes": record["episodes"][:1] * 3})
    extremes = [{"seed": 7, "place": "worst"}, {"seed": 0, "place": "best"}, {"seed": "../../000/clip", "place": "best"}, {"seed": [1]}]
    _write(here / "facts.json", {"seed": 0, "extremes": extremes})
    _write(here / "clip_7.mp4", b"\0\0\0\x18ftypisom" + b"7" * 3000)
    page = _page(folder)
    assert "shown: seed 0, the best of 3" in page.text and page.text.count("seed 7, the worst of 3") == 1
    assert page.text.count("shown: ") == 1, "a run of one seed, or of an earlier version, has no captions"
    assert len([v for v in page.elements if v[0] == "video" and "src" in v[1]]) == 4


def test_it_tells_the_story(tmp_path):  # type: ignore[no-untyped-def]
    page = _page(make_run(tmp_path / "run"))
    assert page.faults == [] and page.open == []
    for words in (
        "Walk plain",
        "Iteration 2 is the best of 3 iterations: stayed up for 4.0 s, 3.25 m",
        "The start: fell at 2.1 s",
        "what plain",
        "words plain",
        "refused plain",
        "import os",
        "drift plain",
        "why plain",
        "other plain",
        "write-00.json",
        "mujoco",
        "movlr resume run",
        "movlr check run/best/reward.py --task plain --morphology ostrich",
        "task: plain",
        "distance [m]",
        "speed [m/s]",
    ):
        assert words in page.text, words
    diff = page.text
    assert '-WEIGHTS = {"speed": 10.0}' in diff and '+WEIGHTS = {"speed": 12.0}' in diff
    assert '-WEIGHTS = {"speed": 11.0}' not in diff, "an edit is shown against the best, not against a dropped one"


def test_gait_figures_are_folded_away_from_the_few_numbers(tmp_path):  # type: ignore[no-untyped-def]
    folder = make_run(tmp_path / "run")
    assert "Gait" not in _page(folder).words  # a run of an earlier version
    for n in range(3):
        (folder / f"iterations/{n:03d}/metrics.json").unlink()
    summary = json.loads((folder / "summary.json").read_text())
    for row in summary["iterations"]:
        row["metrics"] |= {"stride_time_s": 1.125, "peak_load_bw": None}
    _write(folder / "summary.json", summary)
    page = _page(folder)
    assert page.words.count("Gait") == page.words.count("stride time [s]") == 3  # one an iteration, in no comparison and no column
    assert "1.12" in page.text and "peak load" not in page.text and page.faults == []


def test_gates_that_are_passed_are_not_told_as_faults(tmp_path):  # type: ignore[no-untyped-def]
    folder = make_run(tmp_path / "run")
    summary = json.loads((folder / "summary.json").read_text())
    for row, moved, looks in zip(summary["iterations"], (True, False, True), (True, False, False), strict=True):
        row["gates"] = {"fell": row["iteration"] == 0, "diverged": False, "moved": moved, "looks": looks}
    _write(folder / "summary.json", summary)
    text = _page(folder).text
    assert "fell at 2.1 s" in text and text.count("standing still") == 1 and text.count("not looking like the goal") == 2


def test_clips_and_pictures_are_embedded_once(tmp_path):  # type: ignore[no-untyped-def]
    folder = make_run(tmp_path / "run")
    page = _page(folder)
    sources = [a["src"] for t, a in page.elements if t == "video" and a.get("src")]
    assert len(sources) == 3 and all(s.startswith("data:video/mp4;base64,") for s in sources if s)
    assert sorted(a["id"] for t, a in page.elements if t == "video" and a.get("id")) == ["clip-0", "clip-1", "clip-2"]
    assert next(a["src"] for t, a in page.elements if t == "img").startswith("data:image/png;base64,")  # type: ignore[union-attr]


def test_the_budget_keeps_the_best_and_the_first(tmp_path):  # type: ignore[no-untyped-def]
    page = _page(make_run(tmp_path / "run"), clip_budget=7000)
    by_id = {a["id"]: a["src"] for t, a in page.elements if t == "video" and a.get("id")}
    assert by_id["clip-2"].startswith("data:") and by_id["clip-0"].startswith("data:")  # type: ignore[union-attr]
    assert by_id["clip-1"] == "iterations/001/clip.mp4" and "not embedded" in page.text


def test_nothing_comes_from_elsewhere(tmp_path):  # type: ignore[no-untyped-def]
    folder = make_run(tmp_path / "run")
    page = _page(folder)
    for tag, attributes in page.elements:
        assert tag not in ("link", "iframe", "object", "embed", "base", "form")
        for name in ("src", "href", "poster", "data", "xlink:href"):
            value = attributes.get(name) or ""
            assert not re.match(r"\s*([a-z]+:)?//|\s*javascript:", value, re.IGNORECASE), (tag, value)
    style = (folder / "report.html").read_text(encoding="utf-8").split("<style>")[1].split("</style>")[0]
    assert "url(" not in style and "@import" not in style
    policy = next(a["content"] for t, a in page.elements if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None and "default-src 'none'" in policy and "'unsafe-inline'" not in policy.split("script-src")[1]


def test_hostile_text_is_shown_and_does_nothing(tmp_path):  # type: ignore[no-untyped-def]
    honest, hostile = _page(make_run(tmp_path / "honest")), _page(make_run(tmp_path / "hostile", HOSTILE))
    assert hostile.faults == [] and hostile.open == []
    for tag in ("script", "img", "video", "details", "main", "style", "meta"):
        assert hostile.count(tag) == honest.count(tag), tag
    for tag, attributes in hostile.elements:
        assert not [n for n in attributes if n.startswith("on")], (tag, attributes)
        assert "evil.example" not in (attributes.get("src") or "") + (attributes.get("href") or "")
    assert hostile.text.count("<script>alert(2)</script>") > 20, "it is shown as text"
    page = (tmp_path / "hostile" / "report.html").read_text(encoding="utf-8")
    assert "\u202e" not in page and "\u200b" not in page and "\\u202e" in page, "what cannot be seen is spelled out"
    assert page.count("<script>") == 1


@pytest.mark.parametrize(
    "value", ["[]", "null", "3", '"text"', "{", "[" * 100_000, '{"iterations": 5, "best": "x"}', '{"iterations": [1, {"iteration": "0"}]}']
)
def test_damaged_records_do_not_stop_it(tmp_path, value):  # type: ignore[no-untyped-def]
    folder = make_run(tmp_path / "run")
    for name in ("summary.json", "run.json", "iterations/000/metrics.json", "iterations/001/critique.json", "iterations/002/verdict.json"):
        _write(folder / name, value)
    page = _page(folder)
    assert page.faults == [] and page.open == [] and "Iteration 2" in page.text


@pytest.mark.parametrize(
    "missing",
    ["summary.json", "run.json", "config.yaml", "reward.py", "clip.mp4", "metrics.json", "critique.json", "verdict.json", "*.png"],
)
def test_missing_pieces_do_not_stop_it(tmp_path, missing):  # type: ignore[no-untyped-def]
    folder = make_run(tmp_path / "run")
    for path in folder.rglob(missing):
        path.unlink()
    page = _page(folder)
    assert page.faults == [] and page.open == [] and "Iteration 2" in page.text


def test_a_run_that_has_just_begun(tmp_path):  # type: ignore[no-untyped-def]
    _write(tmp_path / "run.json", {"seed": 0})
    page = _page(tmp_path)
    assert "Nothing has run yet" in page.text and "unfinished" in page.text
    (tmp_path / "iterations" / "000" / "candidates" / "0").mkdir(parents=True)
    assert "No iteration has been judged yet" in _page(tmp_path).text
    assert [p.name for p in tmp_path.glob(".unfinished*")] == []


def test_no_run_is_said_in_one_sentence(tmp_path):  # type: ignore[no-untyped-def]
    with pytest.raises(MovlrError, match="holds no run"):
        write_report(tmp_path)


def test_folders_above_the_run_are_not_named(tmp_path):  # type: ignore[no-untyped-def]
    folder = make_run(tmp_path / "somebody" / "run")
    assert "somebody" not in write_report(folder).read_text(encoding="utf-8")
