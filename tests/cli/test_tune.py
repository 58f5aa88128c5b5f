"""movlr tune: a helper shares the work, the tuned text does what its trial did, more trials go further, and bad input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from movlr_jax import tasks
from movlr_jax.cli.main import main
from movlr_jax.control.episode_config import EpisodeSettings
from movlr_jax.control.planners import MPPI
from movlr_jax.evaluation.episode_store import EpisodeStore
from movlr_jax.evaluation.evaluation import evaluate
from movlr_jax.evaluation.reward_texts import RewardText
from movlr_jax.evaluation.work_items import Work
from movlr_jax.rewards.program import literal_parameters, literal_weights

pytest.importorskip("optuna")

QUICK = [
    "--seconds", "0.06", "--planner.candidates", "4", "--planner.elites", "2", "--planner.instant", "2", "--planner.horizon", "0.04",
    "--threads", "1", "--seeds", "0", "--held-out", "5",
]  # fmt: skip
TUNE = ["tune", "human", "--task", "stand", "--objective", "effort", "--sampler", "random", "--parallel", "2", *QUICK]


def test_tuning_the_real_body(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "tune"
    assert main([*TUNE, "--trials", "2", "--out", str(out)]) == 0
    assert "On seeds that no trial saw" in capsys.readouterr().out
    first = json.loads((out / "tune.json").read_text())
    assert main([*TUNE, "--trials", "2", "--confirm", "7", "--out", str(out)]) == 0
    assert "and the confirming ones" in capsys.readouterr().out and "The finalists" in (out / "tune.md").read_text()
    assert [(c["number"], c["episodes"]) for c in json.loads((out / "tune.json").read_text())["confirmed"]] == [(0, 2), (1, 2)]
    assert main([*TUNE, "--trials", "4", "--json", "--out", str(out)]) == 0
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert document == json.loads((out / "tune.json").read_text()) and document["trials"][:2] == first["trials"]
    assert [t["number"] for t in document["trials"]] == [0, 1, 2, 3] and document["better"] == "lower"
    assert all((out / name).stat().st_size > 100 for name in ("tune.md", "tune.png", "study.journal"))
    # Every trial's episode and the two of the held-out seed, each once, whichever process ran it.
    records = [json.loads(path.read_text()) for path in (out / "episodes").glob("*.json")]
    numbers = [(r["seed"], tuple(r["decided_by"].get("weights", {}).items())) for r in records]
    assert len(set(numbers)) == len(numbers) and sum(seed == 0 for seed, _ in numbers) == 4
    # The file stands for its trial: the same weights, the same episode.
    text = RewardText("tuned", (out / "tuned.py").read_text())
    assert literal_weights(text.source) == document["weights"] == document["trials"][document["best"]]["weights"]
    settings = EpisodeSettings(seeds=(0,), seconds=0.06, planner=MPPI(candidates=4, elites=2, instant=2, horizon=0.04), threads=1)
    with EpisodeStore(tmp_path / "other") as store:
        (row,) = evaluate([Work(text, "tuned", tasks.get("stand"), "myolegs")], settings, store)
    assert row.episodes[0]["effort"] == min(t["value"] for t in document["trials"])


def test_tuning_declared_parameters_by_two_processes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, out = tmp_path / "mine.py", tmp_path / "tune"
    file.write_text(
        'PARAMETERS = {"tall": (0.9, 0.5, 1.0)}\nWEIGHTS = {"height": 1.0}\n\n\n'
        'def terms(m):\n    return {"height": -below(m.pelvis.height, m.parameters.tall)}\n'
    )
    words = ["tune", str(file), *TUNE[2:], "--trials", "4", "--out", str(out)]
    assert main(words) == 0
    shown = capsys.readouterr().out
    assert "eights and parameters" in shown and "tall" in shown
    document = json.loads((out / "tune.json").read_text())
    assert len({t["parameters"]["tall"] for t in document["trials"]}) == 4 and "| tall |" in (out / "tune.md").read_text()
    declared = literal_parameters((out / "tuned.py").read_text())
    assert declared["tall"].triple() == (document["parameters"]["tall"], 0.5, 1.0)
    decided = [json.loads(path.read_text())["decided_by"] for path in (out / "episodes").glob("*.json")]
    tried = {by.get("parameters", {}).get("tall", 0.9) for by in decided if by["seed"] == 0}
    assert tried == {t["parameters"]["tall"] for t in document["trials"]}
    # The tuned text stands for its trial: under its own values it is the same reward, and it says so.
    assert main(["check", str(out / "tuned.py"), "--task", "stand"]) == 0
    assert f"Parameters: tall {document['parameters']['tall']:g} (0.5 to 1)." in capsys.readouterr().out


def test_tuning_by_the_offline_critics_preference(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["tune", "start", "--task", "stand", "--objective", "preference", "--sampler", "random", *QUICK, "--trials", "2", "--json"]
    assert main([*words, "--out", str(tmp_path)]) == 0
    captured = capsys.readouterr()
    first, second = json.loads(captured.out)["trials"]
    assert first["reason"] == "It is the first." and "score" in second["reason"].lower() and second["reason"] in captured.err
    assert len(list((tmp_path / "facts").glob("*.json"))) == 3  # two trials, and the start, which is the best, on the held-out seed
    assert main([*words, "--out", str(tmp_path)]) == 0
    assert json.loads(capsys.readouterr().out)["trials"] == [first, second]


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["humna"], "did you mean human?"),
        (["human", "--sampler", "cma"], "did you mean cmaes?"),
        (["human", "--objective", "clip_score"], "add --clip.weights"),
        (["human", "--critic", "gemini"], "add --objective preference"),
        (["human", "--seeds", "1", "--held-out", "1"], "that the trials see"),
        (["human", "--seeds", "1", "--confirm", "1"], "--confirm names seeds that the trials see"),
        (["human", "--confirm", "4", "5", "--held-out", "5", "6"], "may see those held out"),
        (["human", "--confirm", "4", "--objective", "preference"], "a preference has none"),
        (["human", "--morphology", "myolegs", "ostrich"], "for one body"),
    ],
)
def test_mistakes_are_one_sentence(words: list[str], part: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tune", *words, "--out", str(tmp_path)]) == 1
    captured = capsys.readouterr()
    assert part in captured.err and captured.err.count("\n") == 1 and captured.out == ""
