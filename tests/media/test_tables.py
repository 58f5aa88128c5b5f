"""Tables of an evaluation: cells, remarks, Markdown."""

from __future__ import annotations

from movlr_jax.media import metrics_table, tables

HEAD = {"task": "walk", "morphology": "legs", "goal_speed_mps": 0.8}
EPISODE = {"seed": 0, "seconds": 10.0, "distance_m": 7.0, "step_symmetry": None, "aim_m": 0.25}
ROWS = [
    {
        **HEAD,
        "reward": "a|b",
        "episodes": [EPISODE] * 2,
        "mean": {**EPISODE},
        "std": {"seconds": 0.0, "distance_m": 0.5, "aim_m": 0.1},
        "falls": 1,
    },
    {**HEAD, "reward": "c", "episodes": [], "mean": {}, "std": {}, "falls": 0, "refused": "it has no tail."},
]


def test_a_row_a_combination_with_its_spread_and_its_reason() -> None:
    headings, cells, remarks = tables.evaluation(ROWS, ["aim_m", "distance_m", "none_has_it"])
    assert headings == ["task", "body", "reward", "goal [m/s]", "falls", "lasted [s]", "distance [m]", "aim [m]"]
    assert cells[0] == ["walk", "legs", "a|b", "0.8", "1 of 2", "10.00 ± 0.00", "7.00 ± 0.50", "0.25 ± 0.1"]
    assert cells[1] == ["walk", "legs", "c", "0.8", "-", "-", "-", "-"] and remarks == ["walk, legs, c: it has no tail."]


def test_strengths_have_a_column_where_there_are_any() -> None:
    headings, cells, remarks = tables.evaluation([ROWS[0], {**ROWS[0], "strength": 0.5}, {**ROWS[1], "strength": 0.0}])
    assert headings[:4] == ["task", "body", "reward", "strength"] and [line[3] for line in cells] == ["-", "0.5", "0"]
    assert remarks == ["walk, legs, c, strength 0: it has no tail."]


def test_one_episode_has_no_spread_and_zero_no_sign() -> None:
    assert tables.spread(1.0, 0.0, ".2f", 1) == "1.00" and tables.spread(None, None, ".2f", 3) == "-"
    assert tables.number(-0.001, ".2f") == "0.00" and tables.number(True, ".2f") == "yes" and tables.number(3, "") == "3"


def test_markdown_keeps_its_columns() -> None:
    text = tables.markdown(["x", "y"], [["a|b", "one\ntwo"]], ["why"])
    assert text == "| x | y |\n| --- | --- |\n| a\\|b | one two |\n\n- why\n"


def test_a_table_of_episodes_leaves_out_what_says_nothing() -> None:
    one = {"seed": 0, "fell": False, "diverged": False, "seconds": 2.0, "fall_time_s": None, "diverged_candidates": 0, "goal_reached": None}
    headings, cells = metrics_table.episodes([one, {**one, "seed": 1}], {"seconds": 2.0}, {"seconds": 0.0})
    assert headings == ["seed", "lasted [s]", "reached"] and cells[0] == ["0", "2.00", "unmeasured"]
    assert [line[0] for line in cells] == ["0", "1", "mean", "std"]
    headings, cells = metrics_table.episodes([one, {**one, "seed": 1, "fell": True, "fall_time_s": 1.5, "diverged_candidates": 3}])
    assert headings == ["seed", "lasted [s]", "fell at [s]", "reached", "diverged candidates"]
    assert cells[0][2] == "-" and cells[1][2] == "1.50" and cells[1][4] == "3"


def test_a_table_leaves_details_to_those_who_ask_for_them() -> None:
    walked = {"seed": 0, "seconds": 10.0, "step_symmetry": 0.9, "stride_time_s": 1.1, "peak_load_bw": 1.2}
    headings, _ = metrics_table.episodes([walked])
    assert headings == ["seed", "lasted [s]", "symmetry"]
    row = {**HEAD, "reward": "r", "episodes": [walked], "mean": walked, "std": walked, "falls": 0}
    assert tables.evaluation([row])[0][-2:] == ["lasted [s]", "symmetry"]
    assert tables.evaluation([row], ["stride_time_s"])[0][-1] == "stride time [s]"
