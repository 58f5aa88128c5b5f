"""Whatever a user types, every verb answers with a sentence: no defect, no traceback, and nothing left behind by what was refused."""

from __future__ import annotations

import contextlib
import importlib
import io
import itertools
import os
import random
import secrets
import signal
import tempfile
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import pytest
from support.odd_commands import COMMANDS, command, furnish

from movlr_jax.cli import main as front
from movlr_jax.control.episode import EpisodeRunner
from movlr_jax.errors import MovlrError
from movlr_jax.physics import engines

# `tools/fuzz_commands.py` asks for more, drawn anew each time.
MORE = float(os.environ.get("MOVLR_FUZZ_SECONDS", "0"))
SECONDS = MORE or 20.0
LONGEST = 20  # seconds of one command: what takes longer was understood, and works


class Reached(MovlrError):
    """Motion would be planned now: the words were understood."""


@pytest.fixture(scope="module", autouse=True)
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Commands that are understood end where they would begin to plan."""

    def build(*words: object, **more: object) -> None:
        raise Reached("Reached.")

    # An import that the alarm interrupts is not made again.
    for name in (
        "physics.mjx",
        "learning.rl.brax_compat",
        "learning.rl.training",
        "physics.parity",
        "sandbox.prove",
        "media.portrait",
        "searches.loop",
    ):
        importlib.import_module(f"movlr_jax.{name}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EpisodeRunner, "build", build)
        patch.setattr(engines, "make", build)
        patch.setattr("movlr_jax.learning.rl.training.train", build)
        patch.setattr("movlr_jax.sweeps.drive.run", build)
        patch.setenv("MOVLR_MODELS_PATH", "")
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        patch.delenv(front.TRACEBACK_VARIABLE, raising=False)
        yield


class Late(Reached):
    """The command was at it for long enough."""


def listing(place: Path) -> set[str]:
    return {str(path.relative_to(place)) for path in place.rglob("*")}


def tried(words: list[str]) -> str:
    """Give a command in a furnished folder of its own; return what is wrong with the answer, or ""."""
    here = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        furnish(place)
        before = listing(place)
        out, err = io.StringIO(), io.StringIO()
        os.chdir(place)

        def late(number: int, frame: FrameType | None) -> None:
            waits = frame is not None and frame.f_code.co_name in ("read_bytes", "read_text", "open", "read")
            raise Late("It hangs on a file." if waits else "Reached.")

        old = signal.signal(signal.SIGALRM, late)
        signal.alarm(LONGEST)
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                try:
                    code = front.main(words)
                except SystemExit as stopped:
                    code = int(stopped.code or 0)
                except Exception:
                    code = -1
                    traceback.print_exc()
        finally:
            signal.alarm(0)
            signal.signal(signal.SIGALRM, old)
            os.chdir(here)
        said = err.getvalue()
        left = listing(place) ^ before if code and said and "Reached." not in said else set()
        if "A defect" in said or "Traceback" in said:
            return said
        if code not in (0, 1, 2) or (code and not (said + out.getvalue()).strip()):
            return f"exits with {code}, and says {said!r}"
        return f"refused, and {sorted(left)[:3]} left behind: {said}" if left else ""


def test_every_verb_answers_with_a_sentence() -> None:
    seed = int(os.environ.get("MOVLR_FUZZ_SEED", "0")) or (secrets.randbits(32) if MORE else 0)
    rng, end = random.Random(seed), time.monotonic() + SECONDS
    problems: dict[str, str] = {}  # the first of each kind
    count = 0
    for name in itertools.cycle(COMMANDS):
        if time.monotonic() > end:
            break
        words = command(rng, name)
        if problem := tried(words):
            problems.setdefault(f"{name} {problem[:60]}", f"{words}: {problem}")
        count += 1
    assert not problems, f"{len(problems)} kinds in {count} commands (seed {seed}):\n" + "\n".join(problems.values())


REFUSED = [
    ["parity", "--engine", "jax", "--out", "run.yaml"],
    ["parity", "--engine", "jax", "--out", "torn.json"],
    ["parity", "--engine", "jax", "--out", "folder"],
    ["parity", "--engine", "jax", "--out", "empty/x"],
    ["eval", "--engine", "nosuch"],
    ["transfer", "--engine", "nosuch"],
    ["ablate", "start", "--planner.law", "nosuch"],
    ["tune", "start", "--planner.law", "nosuch"],
    ["eval", "--planner.horizon", "1e308"],
    ["rollout", "--seeds", "9" * 25],
    ["rollout", "--seconds", "1e308"],
    ["rollout", "stand", "--out", "made/here", "--planner.law", "nosuch"],
    ["run", "stand", "--out", "made/here", "--planner.law", "nosuch"],
    ["replay", "circle"],
    ["sweep", "sweep.yaml"],
]


@pytest.mark.parametrize("words", REFUSED, ids=" ".join)
def test_what_was_refused_leaves_nothing(words: list[str]) -> None:
    assert tried(words) == ""
