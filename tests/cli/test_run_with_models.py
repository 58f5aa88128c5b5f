"""movlr run with a critic and a writer over loopback, movlr prompt show, and movlr replay without either."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from support.gemini_server import GeminiServer
from support.openai_server import OpenAIServer

from movlr_jax.cli.main import main
from movlr_jax.media import video_file
from movlr_jax.prompts import prompt

pytestmark = pytest.mark.gl
TINY = ["--seconds", "0.1", "--planner.candidates", "16", "--planner.horizon", "0.1", "--threads", "1"]
KEY = "sk-planted-0123456789abcdef"
TERM = '        "lean": -smooth_abs(m.trunk.pitch),\n'


def watch(body: dict) -> str:
    """Judge by what the request holds: a comparison has two clips."""
    parts = body["contents"][0]["parts"]
    clips = [p for p in parts if "videoMetadata" in p]
    assert clips and all(p["videoMetadata"] == {"fps": 8.0} for p in clips)
    if len(clips) == 2:
        return json.dumps({"winner": "a", "reason": "The first leans less."})
    fault = {"kind": "lean_forward", "what": "It leans.", "body_part": "trunk", "phase": "middle", "severity": 0.5, "stage": "stability"}
    wish = {"action": "add", "term": "lean", "weight": 20.0, "words": "Keep the trunk upright.", "addresses": "lean_forward"}
    return json.dumps({"success": False, "summary": "It leans forward.", "faults": [fault], "suggestions": [wish]})


class Writer:
    """Leaves out the program first, then imports, then writes one that is fine."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, body: dict) -> str:
        self.count += 1
        content = body["messages"][-1]["content"]
        words = content if isinstance(content, str) else "".join(part.get("text", "") for part in content)
        if self.count == 1:
            return "The trunk should be kept upright."
        source = re.search(r"The best program so far:\n```python\n(.*?\n)```", words, re.DOTALL)[1]  # type: ignore[index]
        source = source.replace("WEIGHTS = {\n", 'WEIGHTS = {\n    "lean": 20.0,\n').replace("return {\n", f"return {{\n{TERM}")
        if self.count == 2:
            source = "import jax\n" + source
        return f"EDIT: add lean {self.count}\nWHY: It leans.\n```python\n{source}```"


def test_a_run_its_prompts_and_its_replay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "run"
    for name in ("GEMINI_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.setenv(name, KEY)
    with OpenAIServer(Writer(), key=KEY) as writer, GeminiServer(watch, key=KEY) as critic:
        words = ["--critic", "gemini", "--writer", "openai", "--models.critic-model", "gemini-test", "--models.writer-model", "tiny"]
        words += ["--models.critic-url", critic.address, "--models.writer-url", writer.url]
        assert main(["run", "stand", "--iterations", "1", "--show.width", "240", *TINY, *words, "--out", str(folder)]) == 0, (
            capsys.readouterr().err
        )
        assert len(writer.asked) == 3 and len(critic.asked) >= 2
    rows = json.loads((folder / "summary.json").read_text())["iterations"]
    assert len(rows) == 2 and "no block of code" in rows[1]["refusals"][0] and "import is not allowed" in rows[1]["refusals"][1]
    assert rows[1]["edit"] == "add lean 3" and rows[1]["weights"]["lean"] == 20.0 and rows[0]["critique"] == "It leans forward."
    shot = video_file.read_info(folder / "best" / "clip.mp4")
    assert (shot.width, shot.height) == (240 + 180, 180)  # from the side, and from the front
    capsys.readouterr()
    assert main(["prompt", "show", str(folder), "1"]) == 0
    shown = capsys.readouterr().out
    assert all(f"{name}@{prompt.load(name).version}" in shown for name in ("critique", "write"))
    assert "Your last answer was refused: Line 1: import is not allowed" in shown and "Fault 1, lean_forward" in shown
    assert "m.goal.speed: Forward speed asked for (m/s)." in shown and "[video: " in shown
    assert not [path for path in folder.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]
    # The servers are gone, and so are the keys.
    for name in ("GEMINI_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name)
    assert main(["replay", str(folder), "--out", str(tmp_path / "again")]) == 0
    assert "bit for bit" in capsys.readouterr().out
