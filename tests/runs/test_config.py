"""RunConfig: YAML there and back, and one sentence for each mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from movlr_jax.control.planners import MPPI
from movlr_jax.errors import MovlrError
from movlr_jax.runs.config import RunConfig


def test_yaml_there_and_back():
    config = RunConfig(task="stand", seeds=(3, 1), out=Path("runs/x"), planner=MPPI(candidates=7, gain=2.5), goal="größer")
    assert RunConfig.from_yaml(config.to_yaml()) == config
    assert RunConfig.from_yaml("") == RunConfig()
    assert RunConfig.from_yaml("planner: {candidates: 9}").planner == MPPI(candidates=9)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("iteratoins: 3", "unknown value iteratoins: did you mean iterations? it may have task, "),
        ("planner: {candidate: 3}", "unknown value planner.candidate: did you mean candidates? it may have name, candidates, "),
        ("iterations: many\nplanner: {candidate: 3}", "unknown value planner.candidate"),
        ("3: 4", "unknown value 3: it may have task, "),
        ("iterations: many", "iterations is 'many'"),
        ("iterations: -1", "iterations is -1"),
        ("goal_speed: .nan", "goal_speed is nan"),
        ("threads: -1", "threads is -1"),
        ("planner: {elites: 0}", "planner.elites is 0"),
        ("seeds: []", "seeds is empty"),
        ("seeds: [1, 1]", "seeds has repeats"),
        ("seconds: .inf", "seconds is inf"),
        ("tracking: sometimes", "tracking is 'sometimes'"),
        ("a: [", "is not YAML"),
        ("- 1", "`name: value`"),
    ],
)
def test_a_mistake_is_one_sentence(text, said):
    with pytest.raises(MovlrError) as error:
        RunConfig.from_yaml(text, "x.yaml")
    assert said in str(error.value) and "\n" not in str(error.value)


def test_a_missing_file_is_one_sentence(tmp_path):
    with pytest.raises(MovlrError, match="Cannot read the configuration"):
        RunConfig.load(tmp_path / "none.yaml")
