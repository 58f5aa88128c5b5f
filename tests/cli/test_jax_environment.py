"""An environment that JAX cannot start with: one sentence that names the variable, from every verb that uses JAX.

Each case is a process of its own, since JAX reads its environment once; within it the verbs are asked one after the other.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from movlr_jax import jax_environment
from movlr_jax.errors import MovlrError

REWARD = """WEIGHTS = {"head_height": 100.0}

def terms(m):
    return {"head_height": -jnp.abs(m.head.height - m.standing.head_height)}
"""
VERBS = (
    ["run", "stand", "--iterations", "1"],
    ["rollout", "stand", "--seconds", "0.02"],
    ["rollout", "stand", "--seconds", "0.02", "--engine", "jax"],
    ["eval", "--tasks", "stand"],
    ["transfer", "--tasks", "stand"],
    ["ablate", "start"],
    ["tune", "start"],
    ["train", "stand"],
    ["check", "reward.py"],
    ["parity"],
    ["calibrate"],
)
_ASK = """
import contextlib, io, json, sys
from movlr_jax.cli.main import main
told = []
for words in json.loads(sys.argv[1]):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(words)
    told.append([words, code, out.getvalue(), err.getvalue()])
print("\\n" + json.dumps(told))
"""


def ask(folder: Path, verbs: tuple[list[str], ...], **environment: str) -> list[tuple[list[str], int, str, str]]:
    (folder / "reward.py").write_text(REWARD)
    ran = subprocess.run(
        [sys.executable, "-c", _ASK, json.dumps(verbs)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(Path(jax_environment.__file__).parents[1])} | environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ran.returncode == 0, ran.stderr
    return [tuple(row) for row in json.loads(ran.stdout.splitlines()[-1])]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("JAX_PLATFORMS", "nonsense"),
        ("JAX_PLATFORMS", "tpu,cuda"),
        ("JAX_ENABLE_X64", "perhaps"),
        ("XLA_FLAGS", "--xla_nonsense=1"),
        ("XLA_FLAGS", "/nonexistent/flags"),
        ("XLA_FLAGS", "--xla_force_host_platform_device_count=many"),
    ],
)
def test_every_verb_that_uses_jax_names_the_variable_in_one_sentence(variable: str, value: str, tmp_path: Path) -> None:
    for words, code, out, err in ask(tmp_path, VERBS, **{variable: value}):
        assert code == 1 and err.count("\n") == 1, (words, err)
        assert err.startswith(f"movlr: {variable}={value}") and "A defect" not in err, (words, err)
        assert out == "", words
    assert not list(tmp_path.glob("runs/stand*"))  # nothing was begun that would have to be cleaned up


@pytest.mark.parametrize(("variable", "value"), [("JAX_PLATFORMS", "nonsense"), ("JAX_ENABLE_X64", "perhaps"), ("XLA_FLAGS", "--xla_no=1")])
def test_the_doctor_names_it_and_looks_at_the_rest(variable: str, value: str, tmp_path: Path) -> None:
    [(_, code, out, _)] = ask(tmp_path, (["doctor", "--json"],), **{variable: value})
    assert code == 0
    checks = {c["name"]: c for c in json.loads(out)["checks"]}
    assert checks["jax"]["state"] == "failed" and f"{variable}={value}" in checks["jax"]["detail"]
    assert checks["engines"]["state"] == "failed" and checks["body myolegs"]["state"] == "ok"
    assert "A defect" not in out


def test_flags_that_xla_takes_are_let_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")
    jax_environment.require_flags()
    monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false --xla_gpu_autotune_level=much")
    with pytest.raises(MovlrError, match="xla_gpu_autotune_level"):
        jax_environment.require_flags()


def test_errors_that_no_variable_caused_stay_what_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAX_ENABLE_X64", raising=False)
    for error in (ValueError("a value of JAX_ENABLE_X64"), RuntimeError("no such thing"), AssertionError("x"), ValueError("odd")):
        assert jax_environment.fault(error) is None
