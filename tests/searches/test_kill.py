"""A run that is killed with SIGKILL and resumed ends as an undisturbed one: every file, the clock aside."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from support.pendulum_stages import tree

DRIVER = Path(__file__).parents[1] / "support" / "kill_driver.py"
# One moment of each kind at least; "saving" is cut before and after the rename.
MOMENTS = {
    "writing": ("before write", "after write", "before saving 00.json"),
    "proving": ("before prove", "after prove", "before saving reward.stablehlo", "before saving verdict.json"),
    "planning": ("planning", "before saving rollout.npz", "after saving rollout_1.npz"),
    "rendering": ("rendering half", "before saving clip.mp4", "after saving clip.mp4"),
    "saving": (
        "before saving decision.json",
        "before saving drafts",
        "after saving metrics.json",
        "before saving iteration.json",
        "after saving iteration.json",
        "before saving best",
        "before saving summary.json",
        "before saving metrics.jsonl",
        "before saving tracked.json",
    ),
    "starting": ("before saving killed", "after saving killed"),
}


def drive(folder: Path, *words: str) -> str:
    done = subprocess.run([sys.executable, str(DRIVER), str(folder), *words], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kill")
    events = json.loads(drive(folder))
    return folder, [e.replace("whole", "killed") for e in events], tree(folder / "whole")


def test_killed_anywhere_and_resumed_equals_undisturbed(whole):
    folder, events, expected = whole
    moments = set()
    for labels in MOMENTS.values():
        for label in labels:
            at = [n for n, event in enumerate(events) if event == label]
            assert at, f"no event {label!r} in an undisturbed run"
            moments |= {at[len(at) // 2]}  # in the middle of the run, where there is a best to lose
    moments |= {n for n, event in enumerate(events) if event == "before saving best"}
    assert len(moments) >= 12
    drive(folder, *map(str, sorted(moments)))
    for at in sorted(moments):
        found = tree(folder / f"killed-{at}")
        differing = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
        assert not differing, f"killed at event {at} ({events[at]}): {differing}"


def test_killed_again_and_again_still_arrives(whole):
    folder, _, expected = whole
    # An episode is some twenty events: fewer a life, and no life could finish one.
    assert int(drive(folder, "every", "31")) > 10
    assert tree(folder / "hounded") == expected
