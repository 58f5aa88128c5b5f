"""A sweep as W&B's agents run it: a W&B sweep definition whose command is `movlr run`.

Flows in: a sweep's file. Flows out: `OUT/wandb.yaml` and `OUT/base.yaml`; where a key is set the sweep is registered too. The agents draw
the trials, so what stands in the folder is only what they all share.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import yaml

from movlr_jax import atomic
from movlr_jax.errors import MovlrError
from movlr_jax.processes import PYTHON
from movlr_jax.runs.config import RunConfig
from movlr_jax.sweeps import plan as plans
from movlr_jax.sweeps.definition import SweepFile
from movlr_jax.sweeps.space import Distribution

SWEEP, BASE = "wandb.yaml", "base.yaml"
_ANSWER = 60.0  # seconds that W&B has to take a sweep


def define(sweep: SweepFile, base: Path) -> dict[str, Any]:
    """Return the W&B sweep definition.

    Args:
        sweep: the sweep.
        base: the file of values that all trials share.

    Raises:
        MovlrError: a value varies that no flag of an agent can give.
    """
    method, goal, metric, trials = "grid", "maximize", "best_score", 0
    if sweep.random is not None:
        method, trials = "random", sweep.random.trials
    elif sweep.optuna is not None:
        method, trials, goal = "bayes", sweep.optuna.trials, sweep.optuna.direction
        metric = "best_score" if sweep.optuna.objective == "score" else sweep.optuna.objective.replace(".", "/", 1)
    parameters = {path: _values(path, tuple(values)) for path, values in sweep.grid.items()}
    parameters |= {path: _parameter(path, of) for path, of in sweep.space.items()}
    project = str(sweep.base.get("project") or RunConfig().project)
    command = ["${env}", *PYTHON, "-m", "movlr_jax", "run", "--config", str(base), "--tracking", "online", "${args}"]
    return {
        "name": sweep.name,
        "project": project,
        "program": "movlr_jax",
        "method": method,
        "metric": {"name": metric, "goal": goal},
        "parameters": parameters,
        "command": command,
        **({"run_cap": trials} if trials else {}),
    }


def _values(path: str, values: tuple[Any, ...]) -> dict[str, Any]:
    if any(isinstance(value, list | dict | tuple) or value is None for value in values):
        raise MovlrError(f"{path} takes a list, which W&B's agents cannot give as a flag: vary `seed`, or run the sweep on Ray.")
    return {"values": list(values)}


def _parameter(path: str, of: Distribution) -> dict[str, Any]:
    if of.kind == "choices":
        return _values(path, of.choices)
    if of.kind == "normal":
        quantum = {"distribution": "q_normal", "q": 1} if of.whole else {"distribution": "normal"}
        return {**quantum, "mu": of.mean, "sigma": of.std}
    if of.whole:
        low, high = int(of.low), int(of.high)
        if of.step is not None:
            return {"values": list(range(low, high + 1, int(of.step)))}
        if of.log:
            return {"distribution": "q_log_uniform_values", "q": 1, "min": low, "max": high}
        return {"distribution": "int_uniform", "min": low, "max": high}
    if of.step is not None:
        return {"distribution": "q_uniform", "q": of.step, "min": of.low, "max": of.high}
    return {"distribution": "log_uniform_values" if of.log else "uniform", "min": of.low, "max": of.high}


def write(sweep: SweepFile) -> tuple[Path, str]:
    """Write the definition, and register it where a key is set.

    Returns:
        (the definition's file, the agents' command or "" where nothing was registered).

    Raises:
        MovlrError: it cannot be written, or W&B does not take it.
    """
    plan = plans.make(sweep)
    base = {**plan.base, "name": sweep.name, "group": sweep.name, "out": None, "threads": plan.base.get("threads") or plan.threads}
    with plans.locked(plan.out):
        definition = define(sweep, plan.out / BASE)
        try:
            atomic.write_text(plan.out / BASE, RunConfig.from_values(base, "base").to_yaml())
            atomic.write_text(plan.out / SWEEP, yaml.safe_dump(definition, sort_keys=False, allow_unicode=True))
        except OSError as error:
            raise MovlrError(f"Cannot write {plan.out} ({error.strerror}): choose another out.") from None
    return plan.out / SWEEP, _register(plan.out / SWEEP) if os.environ.get("WANDB_API_KEY") else ""


def _register(path: Path) -> str:
    """Register a definition; return the agents' command."""
    later = f"{path} is written: register it later with `wandb sweep {path}`"
    try:
        ran = subprocess.run(
            [*PYTHON, "-m", "wandb", "sweep", str(path)], capture_output=True, text=True, timeout=_ANSWER, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        raise MovlrError(f"W&B does not answer within {_ANSWER:g} s; {later}.") from None
    output = ran.stdout + ran.stderr
    command = re.search(r"wandb agent (\S+)", output)
    if command is None:
        key = os.environ.get("WANDB_API_KEY", "")
        last = (output.replace(key, "(key)").strip().splitlines() or ["no word"])[-1]
        raise MovlrError(f"W&B does not take the sweep ({last[:160]}); {later}.")
    return f"wandb agent {command[1]}"
