"""A sweep on a local Ray whose trial, worker and driver are killed with SIGKILL, each in mid-trial, ends as an undisturbed one."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
import yaml
from support.pendulum_stages import tree
from support.pendulum_trial import InProcess

from movlr_jax.errors import MovlrError
from movlr_jax.sweeps import definition, drive
from movlr_jax.sweeps import plan as plans
from movlr_jax.sweeps.backends import ray
from movlr_jax.sweeps.definition import Resources
from movlr_jax.sweeps.worker import TrialDied

SUPPORT = Path(__file__).parents[2] / "support"
BASE = {"iterations": 2, "seeds": [0, 1], "stagnation": 2}


def write(folder: Path, name: str) -> Path:
    file = folder / f"{name}.yaml"
    file.write_text(yaml.safe_dump({"name": "killed", "out": str(folder / name), "base": BASE, "grid": {"seed": [5, 6, 7]}}))
    return file


def results(out: Path) -> list[dict]:
    import pyarrow.parquet

    rows = pyarrow.parquet.read_table(out / "results.parquet").to_pylist()
    return [{k: v for k, v in row.items() if k != "wall_seconds"} for row in rows]


def runs(out: Path) -> dict:
    return {name: what for name, what in tree(out / "trials").items() if not name.endswith("config.yaml")}


def refuse_a_busy_machine(ran: subprocess.CompletedProcess[str]) -> None:
    """Skip where Ray itself did not come up: its processes have fixed times to start, which a busy machine exceeds."""
    told = ran.stdout + ran.stderr
    if ran.returncode == 1 and ("Ray does not start" in told or "raylet" in told.lower()):
        pytest.skip(f"Ray did not come up on this machine: {told[-300:]}")


def test_killed_trials_workers_and_driver_leave_no_trace(tmp_path):
    pytest.importorskip("ray", reason="Ray is not installed")
    whole = drive.run(definition.read(write(tmp_path, "whole")), lambda: contextlib.nullcontext(InProcess()), print)
    assert [row["state"] for row in whole.rows] == ["done"] * 3 and not whole.failed

    file = write(tmp_path, "killed")
    sweep = definition.read(file)
    with plans.locked(sweep.folder):
        plans.settle(plans.make(sweep))
    for number, who in enumerate(("self", "worker", "driver")):
        (sweep.folder / f"kill-{number}").write_text(who)
    words = [sys.executable, str(SUPPORT / "ray_driver.py"), str(file)]
    first = subprocess.run(words, capture_output=True, text=True, timeout=240)
    refuse_a_busy_machine(first)
    assert first.returncode == -9, first.stdout + first.stderr[-2000:]
    assert "0 of 3 trials are done" in first.stdout and not list(sweep.folder.glob("kill-*"))
    assert not (sweep.folder / "compare.html").exists()
    second = subprocess.run(words, capture_output=True, text=True, timeout=240)
    refuse_a_busy_machine(second)
    assert second.returncode == 0, second.stdout + second.stderr[-2000:]

    found, expected = results(sweep.folder), results(tmp_path / "whole")
    assert found == expected and [row["trial"] for row in found] == [0, 1, 2]
    assert all(row["score"] is not None and len(row["scores"]) == 3 for row in found)
    here, there = runs(sweep.folder), runs(tmp_path / "whole")
    assert not {name for name in here.keys() | there.keys() if here.get(name) != there.get(name)}
    table = (sweep.folder / "table.md").read_text()
    assert table == (tmp_path / "whole" / "table.md").read_text() and table.count("| done |") == 3


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def test_a_sweep_on_a_cluster_that_runs_already(tmp_path):
    """The cluster is one machine's, started as the README says, with the token that Ray asks for."""
    pytest.importorskip("ray", reason="Ray is not installed")
    file, port = write(tmp_path, "cluster"), free_port()
    own = {"HOME": str(tmp_path), "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "t" * 32, "RAY_USAGE_STATS_ENABLED": "0"}
    environment = {**os.environ, **own}
    short = tempfile.mkdtemp(prefix="movlr-head-")  # the paths of Ray's sockets must be short
    words = [str(Path(sys.executable).with_name("ray")), "start", "--head", "--block", "--port", str(port), "--num-cpus", "2"]
    words += ["--include-dashboard", "false", "--object-store-memory", str(80 * 2**20), "--temp-dir", short]
    with (tmp_path / "head.log").open("w") as log:
        head = subprocess.Popen(words, env=environment, stdout=log, stderr=log)
    try:
        until = time.monotonic() + 120
        while not answers(port) and head.poll() is None and time.monotonic() < until:
            time.sleep(0.2)
        if not answers(port):
            pytest.skip(f"Ray did not come up on this machine: {(tmp_path / 'head.log').read_text()[-300:]}")
        driver = [sys.executable, str(SUPPORT / "ray_driver.py"), str(file), f"127.0.0.1:{port}"]
        ran = subprocess.run(driver, capture_output=True, text=True, timeout=240, env=environment)
        refuse_a_busy_machine(ran)
        assert ran.returncode == 0, ran.stdout + ran.stderr[-2000:]
        assert [row["trial"] for row in results(tmp_path / "cluster")] == [0, 1, 2]
        assert answers(port)  # it was there before the sweep, and stays
    finally:
        head.terminate()
        try:
            head.wait(60)
        except subprocess.TimeoutExpired:
            head.kill()
            head.wait()
        shutil.rmtree(short, ignore_errors=True)


def test_a_cluster_that_does_not_let_us_in_is_one_sentence(monkeypatch):
    class Ray:
        @staticmethod
        def init(**more):
            raise ConnectionError("Failed to connect to Ray cluster at 10.0.0.1:6379")

        @staticmethod
        def shutdown():
            pass

    monkeypatch.setattr(ray, "_ray", lambda: Ray)
    monkeypatch.setattr(ray, "_refuse_absent", lambda address: None)
    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)
    with (
        pytest.raises(MovlrError, match=r"if it wants its token, set RAY_AUTH_MODE=token\.$"),
        ray.cluster("10.0.0.1:6379", Resources()),
    ):
        pass
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    with pytest.raises(MovlrError, match=r"runs the same Ray and Python\.$"), ray.cluster("10.0.0.1:6379", Resources()):
        pass


def test_a_cluster_that_is_not_there_is_one_sentence():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # taken, and nobody listens
        address = f"127.0.0.1:{held.getsockname()[1]}"
        with pytest.raises(MovlrError, match=f"No Ray cluster answers at {address}"), ray.cluster(address, Resources()):
            pass
    with pytest.raises(MovlrError, match="no HOST:PORT"), ray.cluster("ray://head:10001", Resources()):
        pass


def test_resources_that_no_machine_has_are_refused_and_not_waited_for():
    class Ray:
        @staticmethod
        def nodes():
            return [{"Alive": True, "Resources": {"CPU": 4.0, "GPU": 1.0}}, {"Alive": False, "Resources": {"CPU": 64.0, "GPU": 8.0}}]

    ray._refuse_hopeless(Ray, Resources(cpus=4, gpus=0.5), "the cluster")
    with pytest.raises(MovlrError, match=r"2 GPU where no machine has more than 1"):
        ray._refuse_hopeless(Ray, Resources(gpus=2), "the cluster")


def test_a_trial_that_always_dies_is_given_up_with_a_sentence(tmp_path, monkeypatch):
    died = []

    def attend(job):
        died.append(job.number)
        raise TrialDied("its process was killed by SIGSEGV")

    monkeypatch.setattr(drive, "attend", attend)
    outcome = drive.run(definition.read(write(tmp_path, "dying")), lambda: contextlib.nullcontext(drive.LocalExecutor(2)), print)
    assert died == [0] * 3 + [1] * 3 + [2] * 3
    assert set(outcome.failed) == {0, 1, 2} and "died 3 times" in outcome.failed[0] and "SIGSEGV" in outcome.failed[0]
    assert "died 3 times" in (tmp_path / "dying" / "table.md").read_text()


def test_sockets_get_a_short_path_whatever_the_temporary_folder_is_called(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    name = "movlr-ray-1000-0123abcd"
    deep = tmp_path / ("x" * 120)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    found = ray._short_place(name)
    assert found.name == name and not found.is_relative_to(deep)
    assert len(str(found)) + len("/session_2026-01-01_00-00-00_000000_1234567/sockets/plasma_store") < 107
    monkeypatch.setattr(tempfile, "tempdir", "/tmp")
    assert ray._short_place(name) == Path("/tmp") / name
    monkeypatch.setattr(ray, "_LONGEST_SOCKET", 60)
    with pytest.raises(MovlrError, match="set TMPDIR to a folder of at most"):
        ray._short_place(name)
