"""Every verb that writes, on a disk that is full, and on one that cannot be written: path, cause, how to go on; nothing half-written."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from movlr_jax.cli.main import main

TINY = ["--seconds", "0.1", "--planner.candidates", "8", "--planner.elites", "2", "--planner.horizon", "0.08", "--threads", "1"]
HONEST = Path(__file__).parents[1] / "data" / "run-of-0.1"
TRAIN = ["train", "stand", "--reward", "start", "--engine", "jax", "--steps", "8", "--worlds", "2", "--starts", "1"]
TRAIN += ["--ppo.minibatches", "1", "--ppo.unroll", "2"]
SWEEP = "name: x\nbase: {task: stand, iterations: 0, seconds: 0.1, threads: 1, morphology: %s}\ngrid: {seed: [1]}\nout: %s\n"

# What each verb is asked to write to `out`, and with which body.
Words = Callable[[Path, str], list[str]]
VERBS: dict[str, Words] = {
    "rollout": lambda out, body: ["rollout", "stand", "--morphology", body, "--reward", "start", "--out", str(out), *TINY],
    "eval": lambda out, body: ["eval", "--reward", "start", "--task", "stand", "--morphology", body, "--out", str(out), *TINY],
    "transfer": lambda out, body: ["transfer", "--from", "stand", "--to", "stand", "--morphology", body, "--out", str(out), *TINY],
    "run": lambda out, body: ["run", "stand", "--morphology", body, "--iterations", "0", "--out", str(out), *TINY],
    "ablate": lambda out, body: ["ablate", "start", "--task", "stand", "--morphology", body, "--out", str(out), *TINY],
    "tune": lambda out, body: ["tune", "start", "--task", "stand", "--morphology", body, "--trials", "1", "--out", str(out), *TINY],
    "train": lambda out, body: [*TRAIN, "--morphology", body, "--out", str(out)],
    "sweep": lambda out, body: ["sweep", str(out.parent.parent / "sweep.yaml"), "--on", "here"],
    "show": lambda out, body: ["morphologies", "show", body, "--out", str(out / "x.png")],
    "parity": lambda out, body: ["parity", "--engine", "jax", "--morphology", body, "--out", str(out / "x.json")],
}

QUICK = ("rollout", "eval", "transfer", "run", "ablate", "tune")


@pytest.fixture
def disk(small_disk) -> Path:  # type: ignore[no-untyped-def]
    """A small file system of its own."""
    return small_disk(256)


def fill(disk: Path, left: int) -> Path:
    """Leave so many bytes, in pages of 4096."""
    ballast = disk / "ballast"
    free = os.statvfs(disk)
    ballast.write_bytes(b"x" * (free.f_bavail * free.f_bsize - left))
    return ballast


def whole(folder: Path) -> None:
    """Whatever stands in a folder under its final name can be read."""
    for path in folder.rglob("*.json"):
        if not path.name.startswith("."):
            json.loads(path.read_text())
    assert not [path for path in folder.rglob(".unfinished-*") if path.is_file() and path.stat().st_size]


@pytest.mark.parametrize("verb", VERBS)
def test_a_disk_that_cannot_be_written(verb: str, disk: Path, own_body: Callable[[], Path], capsys: pytest.CaptureFixture[str]) -> None:
    body, out = str(own_body()), disk / "out"
    (disk.parent / "sweep.yaml").write_text(SWEEP % (body, out))
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    assert main(VERBS[verb](out, body)) == 1
    said = capsys.readouterr().err
    assert "ead-only file system" in said and str(disk) in said and "defect" not in said, said


@pytest.mark.gl
@pytest.mark.parametrize(("left", "verb"), [*((0, verb) for verb in VERBS if verb != "parity"), *((12288, verb) for verb in QUICK)])
def test_a_full_disk(left: int, verb: str, disk: Path, own_body: Callable[[], Path], capsys: pytest.CaptureFixture[str]) -> None:
    body, out = str(own_body()), disk / "out"
    (disk.parent / "sweep.yaml").write_text(SWEEP % (body, out))
    fill(disk, left)
    code = main(VERBS[verb](out, body))
    said = capsys.readouterr().err
    assert "defect" not in said
    whole(disk)
    if left and code == 0:
        return  # it had room enough
    assert code == 1 and "o space left on device" in said and str(disk) in said, said
    if verb in ("rollout", "eval", "show"):
        (disk / "ballast").unlink()
        assert main(VERBS[verb](out, body)) == 0


@pytest.mark.parametrize("verb", ["resume", "report", "replay"])
@pytest.mark.parametrize("full", [False, True])
def test_a_run_on_such_a_disk(full: bool, verb: str, disk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    subprocess.run(["mount", "-o", "remount,size=4m", str(disk)], check=True)
    run = disk / "run"
    shutil.copytree(HONEST, run, symlinks=True)
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    if full:
        fill(disk, 0)
    else:
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    more = ["--iterations", "9"] if verb == "resume" else []
    assert main([verb, str(run), *more]) == 1
    said = capsys.readouterr().err
    assert ("o space left on device" if full else "ead-only file system") in said and str(disk) in said and "defect" not in said, said
    assert {path: path.read_bytes() for path in before} == before
