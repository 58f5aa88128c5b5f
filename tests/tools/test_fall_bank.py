"""The fall bank's tool: it measures by a planner's name, prints a table, and tells a mistake in one sentence."""

from __future__ import annotations

import fall_bank
import pytest
from support import fall_banks

from movlr_jax import tasks
from movlr_jax.evaluation.fall_bank import FallBank


def test_planners_are_measured_by_name_and_stand_in_one_table(simulator8, tmp_path, capsys):
    bank = fall_banks.bank(simulator8)
    bank.of(split="train").save(tmp_path / "bank.npz")
    words = ["--body", "myolegs", "--bank", str(tmp_path / "bank.npz"), "--results", str(tmp_path / "trials.json"), "--seconds", "0.04"]
    words += ["--split", "train", "--threads", "1", "--planner.candidates", "8", "--planner.horizon", "0.04"]
    for name in ("mppi", "cem"):
        assert fall_bank.main(["measure", *words, "--label", name, "--planner.name", name]) == 0
        assert f"| myolegs | {name} | 1 of 1 (0.21 to 1.00) | 0 of 0 (0.00 to 1.00) | 1 of 1" in capsys.readouterr().out
    assert fall_bank.main(["table", "--results", str(tmp_path / "trials.json"), "--base", "mppi"]) == 0
    lines = capsys.readouterr().out.strip().splitlines()
    assert lines[0].startswith("| body | planner | before a fall") and len(lines) == 4
    assert "| 0 better, 0 worse, p 1 | 40 |" in lines[2] and lines[2].startswith("| myolegs | cem |")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["measure", "--bank", "nowhere.npz"], "nowhere.npz cannot be read (No such file or directory): name a fall bank, or collect one."),
        (["measure", "--split", "half"], "There is no split 'half': give test, train or all."),
        (["measure", "--planner.name", "cme"], "There is no planner 'cme'"),
        (["weigh"], "There is no action 'weigh': give collect, measure, table."),
    ],
)
def test_a_mistake_is_told_in_one_sentence(words, sentence, capsys):
    assert fall_bank.main(words) != 0
    told = capsys.readouterr()
    assert told.err.startswith(sentence) and not told.out


@pytest.mark.models
def test_the_bank_of_this_repository_fits_its_body_and_has_both_halves():
    body = fall_bank.Measure().body
    bank = FallBank.load(fall_bank.Measure().path)
    for task in bank.dynamics:
        bank.require(tasks.get(task).load(body), task)
    for split in ("test", "train"):
        assert {state.kind for state in bank.of(split=split).states} == {"fall", "harmless"}
