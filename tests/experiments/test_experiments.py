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
    document = json.loads((tmp_path / "main_table.json").read_text())
    rows = {row["reward"]: row for row in document["rows"]}
    assert list(rows) == ["start", "human", "all terms", "learned", "random"] and all(len(row["episodes"]) == 1 for row in rows.values())
    assert (
        rows["learned"]["reward_from"] == "stand on myolegs, iteration 0" and "of the library, without" in rows["all terms"]["reward_from"]
    )
    # A search of no iterations has the start reward as its best, and one text is one episode.
    assert rows["learned"]["episodes"] == rows["random"]["episodes"] == rows["start"]["episodes"] != rows["human"]["episodes"]
    assert document["searches"]["random"]["searches"] == document["searches"]["learned"]["searches"] == 1
    text = (tmp_path / "main_table.md").read_text()
    same = "as good (1 of 1 seeds at least as good)"
    assert f"| stand | myolegs | lasted [s] | 0.10 | 0.10 | 0.10 | 0.10, human | 0.10 | 0.10 | {same} |" in text
    assert document["verdicts"] == [
        {
            "task": "stand",
            "morphology": "myolegs",
            "own_best": "human",
            "at_least_as_good": True,
            "better": False,
            "decided_by": "",
            "seeds": 1,
            "seeds_at_least_as_good": 1,
        }
    ]
    assert (tmp_path / "main_table.png").stat().st_size > 5000
    capsys.readouterr()
    assert experiment("main_table").main(words) == 0
    told = capsys.readouterr().err
    assert "5 of 5 episodes found" in told and "Search" not in told


def test_verdicts_go_by_falls_and_then_by_the_metric(experiment) -> None:  # type: ignore[no-untyped-def]
    from movlr_jax import tasks
    from movlr_jax.evaluation.work_items import Row, Work

    main_table = experiment("main_table")

    def row(name: str, task: str, *episodes: tuple[bool, float | None]) -> Row:
        work, metric = Work(None, name, tasks.get(task), "myolegs"), tasks.get(task).metric
        made = tuple({"seed": s, "seconds": 1.0, "fell": fell, metric: value} for s, (fell, value) in enumerate(episodes))
        return Row(work, "native", 1.0, 0.8, made)

    def told(learned: Row, human: Row) -> tuple[bool, bool, str, int]:
        found = main_table.verdict({"learned": learned, "human": human})
        return found["at_least_as_good"], found["better"], found["decided_by"], found["seeds_at_least_as_good"]

    human = row("human", "walk_flat", (False, 5.0), (True, 3.0))
    assert told(row("learned", "walk_flat", (False, 1.0), (False, 1.0)), human) == (True, True, "falls", 1)
    assert told(row("learned", "walk_flat", (False, 5.0), (True, 2.9)), human) == (False, False, "metric", 1)
    assert told(row("learned", "walk_flat", (True, 9.0), (True, 9.0)), human) == (False, False, "falls", 1)
    assert told(human, human) == (True, False, "", 2)
    # Of an error less is better; without a number nothing is worse.
    turned = row("human", "turn_left", (False, 0.3))
    assert told(row("learned", "turn_left", (False, 0.1)), turned) == (True, True, "metric", 1)
    assert told(row("learned", "turn_left", (False, None)), turned) == (False, False, "metric", 0)
    # Of the package's own the best stands in the table; where a task has none, the human-designed one.
    near, far = row("natural", "walk_flat", (False, 6.0), (False, 6.0)), row("stride", "walk_flat", (False, 8.0), (True, 8.0))
    columns = main_table.columns([human, far, near])
    assert columns["own best"] is near and columns["human"] is human and main_table.columns([human])["own best"] is human
    assert main_table.verdict({"human": human})["better"] is None


def test_all_terms_are_the_weighted_sum_of_the_library(experiment, layout) -> None:  # type: ignore[no-untyped-def]
    import numpy as np
    from support.synthetic import walker

    from movlr_jax.rewards import program
    from movlr_jax.rewards.reward import Reward
    from movlr_jax.rewards.vocabulary import vocabulary

    all_terms = experiment("all_terms")
    terms = all_terms.terms_of("Walk forward.", vocabulary(layout))
    names = {term.name for term in terms}
    assert {"head_height", "forward_speed", "effort"} <= names and not {"squat_depth", "arms_down", "stay_in_place", "grasp"} & names
    # What is left out first reads most, and its faults are others' too.
    first = all_terms.dispensable(terms)
    assert len(first.needs) >= 6 and all(any(kind in t.fixes for t in terms if t is not first) for kind in first.fixes)
    few = [term for term in terms if term.name in ("head_height", "balance", "forward_speed", "lateral_speed", "effort")]
    rows = walker(layout, seconds=0.2, speed=0.4, drift=0.3, pitch=0.2)
    features = np.concatenate([rows, rows], axis=1)
    whole = Reward.unguarded("all", all_terms.source(few), layout)
    assert list(whole.weight_of().items()) == [(name, 1.0) for name in ("stability", "balance", "progress", "economy")]
    parts = program.write({t.name: t.weight for t in few}, {t.name: t.expression for t in few})
    apart = Reward.unguarded("parts", parts, layout)
    weights = np.array(list(apart.weight_of().values()))
    np.testing.assert_allclose(np.asarray(whole.columns(features)).sum(axis=1), np.asarray(apart.columns(features)) @ weights, rtol=1e-4)


def test_what_is_planned_is_told_before_it_is_done(experiment, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    words = [
        "--tasks",
        "stand",
        "--seconds",
        "2",
        "--seeds",
        "1",
        "2",
        "--searches",
        str(tmp_path / "s"),
        "--out",
        str(tmp_path / "o"),
        "--plan",
    ]
    assert experiment("main_table").main([*words, "--max-simulated", "5"]) == 0
    told = capsys.readouterr().out
    # Two searches of 5 s end after the iteration that reaches them, of 2 s and two further seeds; five rewards on two seeds of 2 s.
    assert "| myolegs | 2 (0 done) | 10 | 50 |" in told and "| together | 2 | 10 | 50 |" in told
    assert experiment("methods").main([*words, "--methods", "movlr", "harmon", "human", "--searches-each", "2", "--iterations", "1"]) == 0
    told = capsys.readouterr()
    assert "| myolegs | 2 (0 done) | 6 | 36 |" in told.out and "harmon, stand: The method harmon needs a model that watches" in told.err
    assert not list(tmp_path.iterdir())
    # Without a length, or with one of 0 s, episodes are as long as the task says.
    bench = experiment("bench")
    for given in ([], ["--seconds", "0"]):
        asked = bench.parser("", "test").parse_args(["--searches", str(tmp_path), "--max-simulated", "40", *given])
        of = bench.config(asked, bench.Search(bench.get("stand"), "myolegs"))
        assert bench.settings(asked).seconds is None and of.seconds is None and (of.iterations, of.max_simulated) == (40, 40.0)
    wall = experiment("forecast").wall(experiment("bench").MPPI())
    assert 1.0 < wall["myolegs"] < wall["ms-human-700"] < 500.0


def test_searches_are_shared(experiment, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    import threading
    import time

    from movlr_jax import tasks

    bench, done = experiment("bench"), []
    asked = bench.parser("", "test").parse_args(["--searches", str(tmp_path)])
    first, second = (bench.Search(tasks.get("stand"), "myolegs", {"seed": seed}) for seed in (0, 1))
    monkeypatch.setattr(bench, "_POLL_S", 0.01)
    monkeypatch.setattr(bench, "searched", lambda asked, task, body, **more: done.append(more["seed"]))
    with bench._claimed(bench.config(asked, first).out) as mine:
        assert mine
        other = threading.Thread(target=bench.search_all, args=(asked, [first, second]))
        other.start()
        for _ in range(500):
            if "waiting for 1 searches" in (told := capsys.readouterr().err):
                break
            time.sleep(0.01)
        # What is at the other process is left to it, and taken over when that ends without having finished it.
        assert done == [1] and "waiting" in told and other.is_alive()
    other.join(10.0)
    assert done == [1, 0] and not other.is_alive()
    with pytest.raises(MovlrError, match="Searches see the seeds 0: report others"):
        bench.search_all(bench.parser("", "test").parse_args(["--seeds", "0", "--searches", str(tmp_path)]), [first])


def test_sentences(experiment, searches: Path, own_body, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    tiny = ["--small", "--seconds", "0.1", "--candidates", "8", "--horizon", "0.08", "--iterations", "0", "--threads", "1"]
    words = [*tiny, "--body", str(own_body()), "--searches", str(searches), "--out", str(tmp_path / "out")]
    words += ["--only", "lean_forward", "squat", "turn_round_again"]
    assert experiment("sentences").main(words) == 0
    document = json.loads((tmp_path / "out" / "sentences.json").read_text())
    lean, squat, turn = sorted(document["sentences"], key=lambda r: r["name"])
    assert [r["sentence"] for r in (lean, squat, turn)] == [
        "Lean forward with both feet on the ground and hold it.",
        "Squat down and stay there.",
        "Do an about-face.",
    ]
    assert lean["value"] == pytest.approx(0.0, abs=0.1) and lean["threshold"] == 0.35 and not lean["reached"]
    assert squat["value"] is None and turn["measure"] == "turn_round" and lean["simulated_s"] == pytest.approx(0.1)
    counted = {"sentences": 2, "reached": 0, "episodes": 2, "episodes_reached": 0}
    assert document["groups"] == {"seen": counted, "paraphrases": {**counted, "sentences": 1, "episodes": 1}}
    text = (tmp_path / "out" / "sentences.md").read_text()
    assert "0 of 2 sentences are done, in 0 of 2 episodes." in text and "## unseen" not in text
    capsys.readouterr()
    assert experiment("sentences").main(words) == 0
    told = capsys.readouterr().err
    assert "3 of 3 episodes found" in told and "Search" not in told
    assert experiment("sentences").main([*words, "--plan"]) == 0
    assert "| 3 (3 done) | 3 | 0 | ? | ? |" in capsys.readouterr().out
    with pytest.raises(MovlrError, match="did you mean kneel"):
        experiment("sentences").main([*words, "--only", "knel"])


def test_a_sentence_is_measured_by_what_no_search_sees(experiment, myolegs) -> None:  # type: ignore[no-untyped-def]
    from support.postures import Poser

    from movlr_jax import tasks
    from movlr_jax.evaluation.work_items import Row, Work

    sentences, suite = experiment("sentences"), {s.name: s for s in experiment("sentence_measures").sentences()}
    poser, leans = Poser(myolegs), suite["lean_forward"]
    task = tasks.get("free").with_sentence(leans.sentence)
    does, near = (poser.hold(poser.pose(pitch=lean, hip_flexion=lean)) for lean in (0.6, 0.2))
    assert sentences.found(task, myolegs, does).reached and not sentences.found(task, myolegs, near).reached
    episodes = [
        {"seed": s, "seconds": 3.0} | {name: of(task, myolegs, e) for name, of in sentences._KEPT.items()}
        for s, e in enumerate((does, does, near))
    ]
    row = Row(Work(None, leans.name, task, "myolegs"), "native", 3.0, 0.0, tuple(episodes))
    told = sentences.record(leans, row, 24.0)
    assert told["reached"] and (told["episodes_reached"], told["episodes_fell"]) == (2, 0)
    assert told["value"] == pytest.approx((0.6 + 0.6 + 0.2) / 3, abs=0.02)
    assert sentences.summary([told])["seen"] == {"sentences": 1, "reached": 1, "episodes": 3, "episodes_reached": 2}
    (line,) = sentences.table([told])[1]
    assert "2 of 3" in line and line[3].endswith(" rad, 0.35 needed")


def test_search_ablation(experiment, searches: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    search_ablation = experiment("search_ablation")
    names = ["base", "one seed, one search", "parameters off", "side view only, one search"]
    words = [*TINY, "--searches", str(searches), "--out", str(tmp_path), "--searches-each", "2", "--variants", *names]
    assert search_ablation.main(words) == 0
    document = json.loads((tmp_path / "search_ablation.json").read_text())
    # Two searches each, but for those that are done once; what would change nothing says so.
    assert {row["reward"]: len(row["episodes"]) for row in document["rows"]} == dict(zip(names, (2, 1, 0, 0), strict=True))
    assert [document["searches"][name].get("simulated_s", 0.0) for name in names] == pytest.approx([0.4, 0.1, 0.0, 0.0])
    text = (tmp_path / "search_ablation.md").read_text()
    assert "add --trials 4" in text and "looks at no pictures" in text and (tmp_path / "search_ablation.png").stat().st_size > 5000
    asked = experiment("variants").parser("", "test").parse_args(["--critic", "gemini"])
    asked.variants, asked.trials = [v.name for v in search_ablation.VARIANTS], 4
    of = {variant.name: variant for variant in search_ablation.compared(asked)}
    assert not any(variant.refused for variant in of.values()) and of["base"].changes["tune"].trials == 4
    assert not of["parameters off"].changes["tune"].parameters and of["parameters off"].changes["candidates"] == 2
    assert not of["racing off"].changes["race"].on
    assert of["failed attempts hidden"].changes["show_failed"] is False and of[names[-1]].changes["show"].front is False
    with pytest.raises(MovlrError, match="did you mean base"):
        search_ablation.main(["--variants", "bas", "--out", str(tmp_path)])


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
    assert experiment("refinement").main(["--runs", str(searches / run["run"]), "--out", str(tmp_path / "again")]) == 0
    assert json.loads((tmp_path / "again" / "refinement.json").read_text())["runs"] == [run]


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch, scripted):  # type: ignore[no-untyped-def]
    """Scripted models in place of services: a critic that sees nothing wrong, a writer without a program."""

    judged = {"success": True, "summary": "It stands.", "faults": [], "suggestions": []}
    model = scripted(lambda ask: judged if ask.purpose == "critique" else {"winner": "tie", "reason": "Alike."})
    monkeypatch.setattr(feedback, "open_model", lambda role, service, config, gateway: model)
    return model


@pytest.mark.gl
def test_methods(experiment, models, searches: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    words = [*TINY, "--methods", "eureka", "harmon", "start", "--searches", str(searches), "--out", str(tmp_path)]
    assert experiment("methods").main([*words, "--critic", "gemini"]) == 0
    document = json.loads((tmp_path / "methods.json").read_text())
    assert [(row["reward"], len(row["episodes"])) for row in document["rows"]] == [(m, 1) for m in ("eureka", "harmon", "start")]
    assert document["searches"]["harmon"]["searches"] == 1 and document["searches"]["start"] == {}
    # A tenth of a second is three frames.
    assert models.words(0).count("<image>") == 3 and len(models.asks) == 1
    assert (tmp_path / "methods.png").stat().st_size > 5000 and "| eureka | 0.10 |" in (tmp_path / "methods.md").read_text()
    words[words.index("--methods") + 1 : words.index("--searches")] = ["random", "harmon", "vlm-rm"]
    assert experiment("methods").main(words) == 0
    text = (tmp_path / "methods.md").read_text()
    assert "needs a model that watches" in text and "| harmon | - |" in text and "CLIP's weights are not named" in text
    assert "| random | 0.10 |" in text and len(models.asks) == 1


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
    from movlr_jax.runs import race_config
    from movlr_jax.runs.run_folder import RunFolder
    from movlr_jax.searches import RunConfig
    from movlr_jax.searches.loop import Loop

    tuned_search = experiment("tuned_search")
    made, measured = {}, []

    def searched(asked, task, body, *, iterations=None, **more):  # type: ignore[no-untyped-def]
        """A search of the pendulum stands for one of the body: its budget, its trials and its files are as real."""
        # Without a race every program costs the same, so the budgets can be counted.
        count = asked.iterations if iterations is None else iterations
        config = RunConfig(iterations=count, seeds=(0, 1), race=race_config.OFF, **more)
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
