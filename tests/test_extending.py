"""The package that docs/extending.md shows, installed as it stands there: its names are listed, and move a body, beside this package's."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TINY = ["--seconds", "0.04", "--planner.candidates", "8", "--planner.horizon", "0.06"]
OURS = ["--planner.name", "predictive-sampling", "--planner.law", "stretch", "--planner.value", "low-hand", "--engine", "one-thread"]
OURS += ["--planner.proposals", "rest", "--planner.proposed", "1"]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder of installed packages that holds the example."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("site")
    blocks = re.findall(r"```(?:python|toml)\n# (\S+)\n(.*?)```", (ROOT / "docs" / "extending.md").read_text(), re.DOTALL)
    assert len(blocks) == 10
    for name, text in blocks:
        (source / name).parent.mkdir(exist_ok=True)
        (source / name).write_text(text)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-build-isolation", "--no-deps", "--no-index"]
    environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    subprocess.run([*pip, "--target", str(target), str(source)], check=True, env=environment, capture_output=True)
    return target


@pytest.fixture
def movlr(site, tmp_path):
    """Run the command line, with the package or without it, in another process."""

    def run(*words, installed=True, places=(), code=""):
        path = os.pathsep.join(map(str, [*([site] if installed else []), *places, ROOT]))
        environment = {**os.environ, "PYTHONPATH": path}
        command = [sys.executable, "-P", *(["-c", code] if code else ["-m", "movlr_jax", *words])]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)

    return run


@pytest.fixture
def nosy(tmp_path):
    """A folder with a package that adds to everything, leaves a mark where it is imported, and cannot be."""
    package = tmp_path / "nosy"
    (package / "nosy-1.0.dist-info").mkdir(parents=True)
    (package / "nosy.py").write_text(f"import pathlib\npathlib.Path({str(tmp_path / 'it-was-run')!r}).touch()\nraise OSError('no')\n")
    (package / "nosy-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: nosy\nVersion: 1.0\n")
    groups = ("tasks", "bodies", "planners", "laws", "values", "proposals", "engines", "critics", "writers")
    points = [f"[movlr_jax.{group}]\nnosy = nosy:X" for group in groups]
    (package / "nosy-1.0.dist-info" / "entry_points.txt").write_text("\n".join(points))
    return package


def test_its_names_are_listed(movlr):
    listed = json.loads(movlr("tasks", "--json").stdout)["tasks"]
    assert [task["name"] for task in listed][-2:] == ["move", "bend"]
    bodies = json.loads(movlr("morphologies", "list", "--json").stdout)["morphologies"]
    (forearm,) = (body for body in bodies if body["name"] == "forearm")
    assert forearm["found"] and (forearm["muscles"], forearm["planned_joints"]) == (2, 1)


def test_its_planner_law_engine_body_and_task_move_together(movlr, nosy, tmp_path):
    out = tmp_path / "out"
    words = ["rollout", "bend", "--reward", "start", *OURS, *TINY, "--planner.spread", "2", "--out", str(out)]
    ran = movlr(*words, places=[nosy])
    assert ran.returncode == 0, ran.stderr
    # A package that nobody names is not imported, neither for a rollout nor in the sandbox.
    assert not (tmp_path / "it-was-run").exists()
    told = json.loads((out / "metrics.json").read_text())
    assert 0.0 < told["episodes"][0]["bend_error_rad"] < 1.3 and "off the bend" in ran.stdout and "[rad]" in ran.stdout
    assert (told["task"], told["morphology"], told["engine"]) == ("bend", "forearm", "one-thread")
    assert told["episodes"][0]["effort"] > 0 and (out / "rollout.npz").is_file()


def test_its_planner_s_settings_are_flags_with_help(movlr):
    helped = movlr("rollout", "--planner.name", "predictive-sampling", "--help").stdout
    assert "--planner.spread" in helped and "--planner.temperature" not in helped


@pytest.mark.gl
@pytest.mark.slow
def test_its_critic_and_writer_make_a_run_that_goes_on_where_it_is_installed(movlr, tmp_path):
    run = tmp_path / "run"
    words = ["run", "bend", "--critic", "thrift", "--writer", "doubler", *OURS, *TINY, "--iterations", "0", "--out", str(run)]
    ran = movlr(*words)
    assert ran.returncode == 0, ran.stderr
    kept = (run / "config.yaml").read_text()
    assert "name: predictive-sampling" in kept and "spread: 1.0" in kept
    ran = movlr("resume", str(run), "--iterations", "1", installed=False)
    assert ran.returncode == 1 and "There is no planner 'predictive-sampling'" in ran.stderr and "Traceback" not in ran.stderr
    ran = movlr("resume", str(run), "--iterations", "1")
    assert ran.returncode == 0, ran.stderr
    assert '"bent": 20.0' in (run / "iterations" / "001" / "reward.py").read_text()


def test_a_package_that_cannot_be_loaded_is_named_and_hides_no_other(movlr, nosy):
    listed = movlr("tasks", "--json", places=[nosy])
    assert json.loads(listed.stdout)["tasks"][-1]["name"] == "bend" and "the package nosy 1.0 cannot be used" in listed.stderr
    found = movlr(code="from movlr_jax.cli import doctor; print(*doctor.packages())", places=[nosy]).stdout
    assert "warning" in found and "task bend, morphology forearm, planner predictive-sampling" in found
    assert found.count("of the package nosy 1.0 cannot be used: OSError: no.") == 9
    ran = movlr("rollout", "nosy", places=[nosy])
    assert ran.returncode == 1
    assert (
        ran.stderr.strip() == "movlr: The task 'nosy' of the package nosy 1.0 cannot be used: OSError: no. Mend or uninstall that package."
    )
