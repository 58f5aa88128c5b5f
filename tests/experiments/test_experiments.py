"""The experiments, whole, on episodes of a tenth of a second: tables, figures, and going on."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from movlr_jax.critics.attachments import Show
from movlr_jax.errors import MovlrError
from movlr_jax.feedback import feedback

TINY = ["--small", "--seconds", "0.1", "--candidates", "8", "--horizon", "0.08", "--iterations", "0", "--tasks", "stand", "--threads", "1"]


@pytest.fixture(scope="module")
def searches(tmp_path_factory) -> Path:  # type: ignore[no-untyped-def]
    """Where the experiments of this file share their searches."""
    return tmp_path_factory.mktemp("searches")


@pytest.fixture
def experiment() -> Callable[[str], ModuleType]:
    """Import an experiment as `python experiments/NAME.py` finds it."""
    return importlib.import_module


def test_main_table(experiment, searches: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    words = [*TINY, "--searches", str(searches), "--out", str(tmp_path)]
    assert experiment("main_table").main(words) == 0
    rows = json.loads((tmp_path / "main_table.json").read_text())["rows"]
    assert [(row["task"], row["reward"], len(row["episodes"])) for row in rows] == [("stand", r, 1) for r in ("start", "human", "learned")]
    assert rows[2]["reward_from"] == "stand on myolegs, iteration 0"
    # A search of no iterations has the start reward as its best, and one text is one episode.
    assert rows[2]["episodes"] == rows[0]["episodes"] != rows[1]["episodes"]
    text = (tmp_path / "main_table.md").read_text()
    assert "| stand | myolegs | lasted [s] | 0.10 | 0.10 | 0.10 |" in text
    assert (tmp_path / "main_table.png").stat().st_size > 5000
    capsys.readouterr()
    assert experiment("main_table").main(words) == 0
    told = capsys.readouterr().err
    assert "3 of 3 episodes found" in told and "Search" not in told


def test_transfer(experiment, searches: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    words = [*TINY, "--from", "stand", "--metric", "seconds", "--searches", str(searches), "--out", str(tmp_path)]
    assert experiment("transfer").main(words) == 0
    document = json.loads((tmp_path / "transfer.json").read_text())
    assert [row["reward"] for row in document["rows"]] == ["human", "learned"] and document["mean"] == [[0.1], [0.1]]
    assert (tmp_path / "transfer.png").stat().st_size > 5000 and "| learned | stand on myolegs" in (tmp_path / "transfer.md").read_text()


def test_refinement(experiment, searches: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    assert experiment("refinement").main([*TINY, "--searches", str(searches), "--out", str(tmp_path)]) == 0
    (run,) = json.loads((tmp_path / "refinement.json").read_text())["runs"]
    assert run["task"] == "stand" and run["first_weight"] == {"stability": 0} and run["iterations"][0]["weights"] == {"head_height": 100.0}
    assert (tmp_path / run["figure"]).stat().st_size > 5000 and run["figure"] in (tmp_path / "refinement.md").read_text()
    # The same search, named by its folder.
    (folder,) = searches.iterdir()
    assert experiment("refinement").main(["--runs", str(folder), "--out", str(tmp_path / "again")]) == 0
    assert json.loads((tmp_path / "again" / "refinement.json").read_text())["runs"] == [run]


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch, scripted):  # type: ignore[no-untyped-def]
    """Scripted models in place of services: a critic that sees nothing wrong, a writer without a program."""

    judged = {"success": True, "summary": "It stands.", "faults": [], "suggestions": []}
    model = scripted(lambda ask: judged if ask.purpose == "critique" else {"winner": "tie", "reason": "Alike."})
    monkeypatch.setattr(feedback, "open_model", lambda role, service, config, gateway: model)
    return model


@pytest.mark.gl
def test_methods(experiment, models, searches: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    words = [*TINY, "--methods", "eureka", "harmon", "start", "--searches", str(searches), "--out", str(tmp_path)]
    assert experiment("methods").main([*words, "--critic", "gemini"]) == 0
    document = json.loads((tmp_path / "methods.json").read_text())
    assert [(row["reward"], len(row["episodes"])) for row in document["rows"]] == [(m, 1) for m in ("eureka", "harmon", "start")]
    assert document["searches"]["harmon"]["searches"] == 1 and document["searches"]["start"] == {}
    # A tenth of a second is three frames.
    assert models.words(0).count("<image>") == 3 and len(models.asks) == 1
    assert (tmp_path / "methods.png").stat().st_size > 5000 and "| eureka | 0.10 |" in (tmp_path / "methods.md").read_text()
    capsys.readouterr()
    assert experiment("methods").main(words) == 0
    text = (tmp_path / "methods.md").read_text()
    assert "needs a model that watches" in text and "| harmon | - |" in text and len(models.asks) == 1


def test_feedback(experiment, searches: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    bench, feedback = experiment("bench"), experiment("feedback")
    real, asked = bench.searched, []

    def searched(flags, task, body, **more):  # type: ignore[no-untyped-def]
        # What is shown makes no difference to an offline search, and so this one is there already.
        asked.append((more.get("method", "movlr"), more["writer"], more.get("show")))
        return real(flags, task, body)

    monkeypatch.setattr(bench, "searched", searched)
    words = [*TINY, "--searches", str(searches), "--out", str(tmp_path), "--questions", "facts", "models", "--writer", "gemini"]
    with pytest.raises(MovlrError, match="add --critic gemini"):
        feedback.main(words)
    assert feedback.main([*words, "--critic", "openai", "--searches-each", "2"]) == 0
    rows = json.loads((tmp_path / "feedback.json").read_text())["rows"]
    names = ["video", "video, no facts", "facts, no video", "one model for both"]
    assert [(row["reward"], len(row["episodes"])) for row in rows] == [(name, 2) for name in names]
    shown = [None, Show(facts=False), Show(clip="nothing")]
    assert list(dict.fromkeys(asked)) == [*(("movlr", "gemini", show) for show in shown), ("vlm-only", "offline", None)]
    assert (tmp_path / "feedback.png").stat().st_size > 5000 and "| video, no facts |" in (tmp_path / "feedback.md").read_text()


def test_tuned_search(experiment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    pytest.importorskip("optuna")
    monkeypatch.setattr("os.fsync", lambda descriptor: None)
    from support.pendulum_stages import PendulumStages

    from movlr_jax.evaluation.work_items import Row
    from movlr_jax.runs.run_folder import RunFolder
    from movlr_jax.searches import RunConfig
    from movlr_jax.searches.loop import Loop

    tuned_search = experiment("tuned_search")
    made, measured = {}, []

    def searched(asked, task, body, *, iterations=None, **more):  # type: ignore[no-untyped-def]
        """A search of the pendulum stands for one of the body: its budget, its trials and its files are as real."""
        config = RunConfig(iterations=asked.iterations if iterations is None else iterations, seeds=(0, 1), **more)
        folder = tmp_path / f"search-{len(made)}"
        run = made[folder] = RunFolder.create(folder, config.to_yaml(), {"task": "stand", "morphology": "pendulum"}, config.seeds)
        assert Loop(run, config, PendulumStages(), (), None).run().stopped == ("budget" if more.get("max_simulated") else "iterations")
        return run

    def measure(asked, works):  # type: ignore[no-untyped-def]
        measured.extend(works)
        episode = {"seed": 1, "seconds": 1.0, "fell": False, "diverged": False, "distance_m": 0.5}
        return [Row(work, "native", 1.0, 0.0, (episode,)) for work in works]

    monkeypatch.setattr(tuned_search.bench, "searched", searched)
    monkeypatch.setattr(tuned_search.bench, "measure", measure)
    words = ["--small", "--tasks", "stand", "--iterations", "3", "--trials", "4", "--sampler", "random"]
    assert tuned_search.main([*words, "--out", str(tmp_path / "out")]) == 0
    taken = json.loads((tmp_path / "out" / "tuned_search.json").read_text())["searches"]
    budget = taken["tuned"]["simulated_s"]
    # A start and three texts under four sets of weights, on two seeds of 0.24 s.
    assert budget == pytest.approx(0.48 * (1 + 3 * 4))
    assert taken["more iterations"]["simulated_s"] == pytest.approx(budget) and taken["more iterations"]["iterations"] == 12
    assert budget <= taken["more candidates"]["simulated_s"] < budget + 4 * 0.48 and taken["more candidates"]["iterations"] == 3
    best = {run.path: run.path / "iterations" / f"{run.best():03d}" / "reward.py" for run in made.values()}
    assert [work.reward.source for work in measured] == [path.read_text() for path in best.values()]
    assert all((tmp_path / "out" / name).stat().st_size > 5000 for name in ("tuned_search.png", "curve_stand_myolegs.png"))
    assert "| more candidates | 1 | 3 |" in (tmp_path / "out" / "tuned_search.md").read_text()


def test_ablation(experiment, searches: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    words = [*TINY, "--rewards", "learned", "stride", "--factors", "0", "2", "--searches", str(searches), "--out", str(tmp_path)]
    assert experiment("ablation").main(words) == 0
    document = json.loads((tmp_path / "ablations.json").read_text())
    # The search of no iterations found the start reward, whose one term is never dropped for good.
    (found,) = document["ablations"]
    assert found["name"] == "learned" and [(v["term"], v["factor"]) for v in found["variants"]] == [("head_height", 0), ("head_height", 2)]
    assert found["pruned"]["dropped"] == [] and "no reward 'stride'" in document["remarks"][0]
    assert "| learned | stand | myolegs | head_height | 100 |" in (tmp_path / "ablations.md").read_text()
    assert (tmp_path / "stand-myolegs-learned" / "ablation_x0.png").stat().st_size > 3000


def test_transfer_to_rl(experiment, own_body, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    pytest.importorskip("warp", reason="warp-lang is not installed")
    pytest.importorskip("brax", reason="brax is not installed")
    words = [
        "--small",
        "--tasks",
        "stand",
        "--rewards",
        "start",
        "--morphology",
        str(own_body()),
        "--distil",
        "--out",
        str(tmp_path / "out"),
    ]
    assert experiment("transfer_to_rl").main(words) == 0
    (row,) = json.loads((tmp_path / "out" / "transfer_to_rl.json").read_text())["rows"]
    assert (row["task"], row["morphology"], row["steps"]) == ("stand", "my-biped", 128)
    assert [point["steps"] for point in row["curve"]] == [0, 128] and row["MPC2"]["mean"]["mean_reward"] > -100.0
    cloned = json.loads((Path(row["folder"]) / "distil.json").read_text())
    assert cloned["last_loss"] < cloned["first_loss"]
    assert (tmp_path / "out" / "transfer_to_rl.png").stat().st_size > 5000
    assert "| stand | start | muscles | 128 | seconds | PPO |" in (tmp_path / "out" / "transfer_to_rl.md").read_text()


def test_mistakes(experiment, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(MovlrError, match="did you mean walk_flat"):
        experiment("main_table").main(["--small", "--tasks", "wlk_flat", "--out", str(tmp_path)])
    with pytest.raises(MovlrError, match="holds no run"):
        experiment("refinement").main(["--runs", str(tmp_path / "none"), "--out", str(tmp_path)])
    with pytest.raises(MovlrError, match="did you mean eureka"):
        experiment("methods").main(["--small", "--methods", "eurika", "--out", str(tmp_path)])
    with pytest.raises(MovlrError, match="did you mean frames"):
        experiment("feedback").main(["--small", "--questions", "frame", "--out", str(tmp_path)])
