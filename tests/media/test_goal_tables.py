"""Tables of goals: a goal that nothing measures is told from a task that does not ask, wherever metrics stand."""

from __future__ import annotations

from movlr_jax.media import tables
from movlr_jax.sweeps import results


def document(**mean):
    head = {"task": "free", "morphology": "myolegs", "reward": "start", "goal_speed_mps": 0.0, "falls": 0, "episodes": [{"seed": 0}]}
    return {**head, "mean": mean, "std": dict.fromkeys(mean, 0.0)}


def test_cells():
    assert tables.cell({"goal_reached": None}, "goal_reached") == "unmeasured"
    assert tables.cell({}, "goal_reached") == "-" and tables.cell({"goal_reached": 0.5}, "goal_reached") == "0.50"
    assert tables.heading("goal_left_foot_lift_m") == "left foot lift [m]" and tables.heading("goal_pelvis_height") == "pelvis height"


def test_the_table_of_an_evaluation():
    headings, cells, _ = tables.evaluation([document(goal_reached=None), document(goal_reached=0.25, goal_pelvis_height=0.9)])
    assert headings[-2:] == ["reached", "pelvis height"]
    assert [line[-2:] for line in cells] == [["unmeasured", "-"], ["0.25", "0.90"]]


def test_the_tables_of_a_sweep():
    class Plan:
        name, paths = "goals", ("seed", "writer")

    row = {"state": "done", "iterations": 1, "best": 0, "score": 50.0, "sentence": "", "metrics.fell": False}
    seen = [("a", None, None), ("a", None, None), ("b", 0.2, 0.9), ("b", 0.4, 0.8)]
    rows = [
        {**row, "trial": n, "values": {"seed": n % 2, "writer": w}, "metrics.goal_reached": reached, "metrics.goal_pelvis_height": height}
        for n, (w, reached, height) in enumerate(seen)
    ]
    text = results.markdown(Plan, rows)
    assert "| reached | pelvis height |" in text and "| unmeasured | - |" in text and "0.30 ± 0.14" in text
