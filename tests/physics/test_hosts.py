"""Two processes join their devices and make the motion of one."""

import json
import os
import socket
import subprocess
import sys

import pytest

from movlr_jax.errors import MovlrError
from movlr_jax.searches import RunConfig

COMMAND = [sys.executable, "-m", "movlr_jax", "rollout", "walk_flat", "--engine", "warp", "--seconds", "0.04", "--seeds", "1", "--json"]
COMMAND += ["--planner.candidates", "8", "--planner.horizon", "0.04", "--planner.replan", "0.02"]


def start(extra: list[str], **variables: str) -> subprocess.Popen:
    environment = {**os.environ, **variables}
    return subprocess.Popen([*COMMAND, *extra], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def test_two_hosts_plan_what_one_does_and_the_first_tells():
    pytest.importorskip("warp", reason="warp-lang is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    shared = {"JAX_CPU_COLLECTIVES_IMPLEMENTATION": "gloo", "JAX_COORDINATOR_ADDRESS": address, "JAX_NUM_PROCESSES": "2"}
    both = [start(["--mjx.hosts"], JAX_PROCESS_ID=str(i), **shared) for i in range(2)]
    try:
        told = [process.communicate(timeout=400) for process in both]
    finally:
        for process in both:
            process.kill()
    assert [process.returncode for process in both] == [0, 0], [err[-800:] for _, err in told]
    alone, error = start([]).communicate(timeout=400)
    assert alone, error[-800:]
    assert told[1][0] == ""
    got, want = (json.loads(text)["episodes"][0] for text in (told[0][0], alone))
    assert {k: v for k, v in got.items() if v is not None} == pytest.approx({k: v for k, v in want.items() if v is not None}, abs=1e-6)


def test_hosts_that_do_not_find_each_other_say_what_to_set():
    told = start(["--mjx.hosts"], JAX_NUM_PROCESSES="two").communicate(timeout=120)
    assert "JAX_COORDINATOR_ADDRESS" in told[1] and "Traceback" not in told[1]


def test_hosts_cannot_keep_a_time_budget_or_ask_a_model():
    with pytest.raises(MovlrError, match="clocks differ"):
        RunConfig.from_yaml("{task: stand, max_minutes: 3, mjx: {hosts: true}}")
    with pytest.raises(MovlrError, match="cannot ask a model"):
        RunConfig.from_yaml("{task: stand, critic: gemini, mjx: {hosts: true}}")
