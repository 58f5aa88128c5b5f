"""The registry of metrics: nothing is recorded that it lacks, and everything that shows a metric reads it."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from support import arm, synthetic

from movlr_jax import goals, tasks, units
from movlr_jax.cli import console
from movlr_jax.critics import facts_text
from movlr_jax.errors import MovlrError
from movlr_jax.evaluation import measures, study_limits
from movlr_jax.facts import Facts
from movlr_jax.media import tables
from movlr_jax.rewards.features import feature_layout
from movlr_jax.sweeps import results
from movlr_jax.tasks import metric_registry, object_task
from movlr_jax.tasks.metric_registry import METRICS, Metric, metric
from movlr_jax.tasks.object_task import ObjectTask
from movlr_jax.tasks.task import Task

# Sentences that together ask for everything that goals know of, with and without an order to stay so.
SENTENCES = (
    "",
    "Squat, kneel, sit down, lie down, raise the left knee, raise the right knee, lift the left foot, lift the right foot, bow forward and "
    "stay there.",
    "Jump, run, walk and lift a knee.",
    "Stand on the right leg, and stay there.",
    "Get up.",
)


class Hand:
    """Stands for a trajectory of a hand with an object."""

    def __init__(self, *of: object):
        pass

    def object_position_error(self) -> np.ndarray:
        return np.linspace(0.1, 0.05, 50)

    object_orientation_error = object_position_error


@pytest.mark.parametrize("task", tasks.TASKS.values(), ids=lambda task: task.name)
@pytest.mark.parametrize("ended", ["time", "fell", "dropped", "diverged"])
def test_no_task_records_a_metric_that_the_registry_lacks(task: Task, ended: str, myolegs, layout, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    body, instants = myolegs, synthetic.walker(layout, seconds=1.0)
    if isinstance(task, ObjectTask):
        monkeypatch.setattr(object_task, "Trajectory", Hand)
    elif not task.stands:
        body = arm.load()
        instants = np.zeros((50, feature_layout(body).size), np.float32)
    rollout = synthetic.episode(instants, len(body.muscles.names), ended=ended, goal_speed=task.goal_speed)
    for sentence in SENTENCES:
        record = task.with_sentence(sentence).measure(body, rollout)
        assert set(record) <= set(METRICS) and len(record) > 5 and task.metric in record


def test_the_sentences_ask_for_every_goal(myolegs, layout) -> None:  # type: ignore[no-untyped-def]
    rollout = synthetic.episode(synthetic.lowered(layout, np.full(50, 0.9)), len(myolegs.muscles.names))
    asked = [tasks.get("free").with_sentence(sentence).measure(myolegs, rollout) for sentence in SENTENCES[1:]]
    wanted = {t.metric for t in goals.TARGETS} | {goals.REACHED, goals.HELD, goals.MOVING, goals.SINKING, goals.FEET}
    assert {name for record in asked for name in record if name.startswith("goal_")} == wanted


def test_scores_are_metrics() -> None:
    assert {measures.SCORE, measures.CLIP_SCORE} <= set(METRICS)
    assert METRICS["score"].best == 100.0 and METRICS["clip_score"].better == "higher"


@pytest.mark.parametrize(
    ("name", "unit", "better", "label"),
    [
        ("distance_m", "m", "higher", "distance [m]"),
        ("mean_speed_mps", "m/s", "higher", "speed [m/s]"),
        ("heading_error_rad", "rad", "lower", "heading [rad]"),
        ("fall_time_s", "s", "higher", "fell at [s]"),
        ("seconds", "s", "higher", "lasted [s]"),
        ("effort", "", "lower", "effort"),
        ("goal_pelvis_height", "", "lower", "pelvis height"),
        ("goal_left_foot_lift_m", "m", "higher", "left foot lift [m]"),
        ("peak_load_bw", "body weights", "lower", "peak load of a foot [body weights]"),
        ("step_width_m_sd", "m", "lower", "step width, spread [m]"),
        (goals.SINKING, "m/s", "lower", "sinking [m/s]"),
        ("aim_error_m", "m", "higher", "aim error [m]"),  # nobody registered it
    ],
)
def test_what_is_known_of_a_metric(name: str, unit: str, better: str, label: str) -> None:
    assert (metric(name).unit, metric(name).better, metric(name).label) == (unit, better, label) == (unit, better, tables.heading(name))
    assert metric(name).sign == {"higher": 1, "lower": -1}[better]


def test_units_of_facts_are_those_of_metrics() -> None:
    for name in set(METRICS) - {"seed"}:
        words, unit = units.split(name)
        told = "gait" if METRICS[name].detail else "metrics"  # details are told where they belong, once
        said = facts_text.facts(Facts.read({"seconds": 1.0, told: {name: 0.5}}))
        assert said.endswith(f"{words} 0.5 {unit}".rstrip())
    assert {t.unit for t in goals.TARGETS} == {"", "m", "rad", "m/s"}


def test_a_task_of_someone_else_adds_its_metric(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(metric_registry, "METRICS", dict(METRICS))
    own = metric_registry.register(Metric("wobble_rad", "wobble", ".1f", better="lower", best=0.0))
    assert metric_registry.register(Metric("wobble_rad", "wobble", ".1f", better="lower", best=0.0)) == own  # its file was read again
    with pytest.raises(MovlrError, match="another metric 'wobble_rad'"):
        metric_registry.register(Metric("wobble_rad", "wobble"))
    records = [{"seed": 0, "fell": False, "diverged": False, "wobble_rad": 0.0}] * 2
    row = {"task": "t", "morphology": "b", "reward": "r", "goal_speed_mps": 0.0, "falls": 0, "episodes": records}
    headings, cells, _ = tables.evaluation([{**row, "mean": {"wobble_rad": 0.25}, "std": {"wobble_rad": 0.0}}])
    assert headings[-1] == "wobble [rad]" and cells[0][-1] == "0.2 ± 0.0"
    console.stdout().print(console.metrics_table("", records))
    assert "wobble [rad]" in capsys.readouterr().out
    assert study_limits.saturated(records, "wobble_rad") and not study_limits.saturated(records, "unknown")
    trial = {"trial": 0, "values": {"seed": 0}, "state": "done", "iterations": 1, "best": 0, "score": 50.0, "sentence": ""}
    plan = SimpleNamespace(name="wobbles", paths=("seed",))
    table = results.markdown(plan, [{**trial, "metrics.wobble_rad": 0.25, "metrics.clip_score": 0.3}])  # type: ignore[arg-type]
    assert "| CLIP score | wobble [rad] |" in table and "| 0.3 | 0.2 |" in table
