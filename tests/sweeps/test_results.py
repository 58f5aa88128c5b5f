"""What the tables of a sweep say of a trial."""

from __future__ import annotations

import json
from pathlib import Path

from movlr_jax.sweeps import plan, results


def test_iterations_are_those_that_were_asked_for(tmp_path: Path, own_body) -> None:
    body = str(own_body())
    trials = (plan.Trial(0, {"morphology": body}), plan.Trial(1, {"morphology": "myolegs"}))
    made = plan.Plan(tmp_path, "s", {"iterations": 1}, ("morphology",), 1, trials)
    row = {"score": 1.0, "kept": True, "metrics": {}, "seconds": {}}
    folder = made.folder(trials[0])
    folder.mkdir(parents=True)
    rows = [{**row, "iteration": n} for n in (0, 1)]  # the start reward's, and one more
    (folder / "summary.json").write_text(json.dumps({"stopped": "iterations", "best": 1, "iterations": rows, "calls": {}}))
    told = [results.row(made, trial) for trial in trials]
    assert [r["iterations"] for r in told] == [1, 0] and told[0]["best"] == 1
    table = results.markdown(made, told)
    assert "| 0 | my-biped | done | 1 | 1 |" in table and body not in table
