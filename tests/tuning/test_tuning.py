"""Tuning: it finds better weights, the gates stand before the metric, and a tune that is cut off goes on as if it had not been."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from movlr_jax import tasks
from movlr_jax.critics.base import Evidence
from movlr_jax.critics.critique import Preference
from movlr_jax.errors import MovlrError
from movlr_jax.evaluation.reward_texts import RewardText
from movlr_jax.evaluation.work_items import Row, Work
from movlr_jax.facts import Facts
from movlr_jax.llm.base import ModelFault
from movlr_jax.rewards.parameters import values_of
from movlr_jax.rewards.program import literal_parameters, literal_weights
from movlr_jax.runs.tune_config import TuneConfig
from movlr_jax.tuning.preference_objective import PreferenceObjective
from movlr_jax.tuning.tuner import JOURNAL, Tuner

pytest.importorskip("optuna")

WALK = tasks.get("walk_flat")
PLACE = (WALK, "myolegs")
TEXT = RewardText(
    "toy",
    'WEIGHTS = {"go": 1.0, "back": -2.0, "off": 0.0}\n\n\ndef terms(m):\n    return {t: m.com.velocity_forward for t in WEIGHTS}\n',
)


class Killed(BaseException):
    """Stands for a signal that no code sees coming."""


class World:
    """Distance is largest where go is 5 and back is -0.5; beyond 8, go makes the body fall."""

    def __init__(self, killed_at: int = 0, falls_beyond: float = 8.0):
        self.killed_at, self.falls_beyond, self.seen, self.calls = killed_at, falls_beyond, [], 0

    def run(self, works: list[Work], seeds: tuple[int, ...] = (0, 1)) -> list[Row]:
        self.calls += 1
        if self.calls == self.killed_at:
            raise Killed
        self.seen += [dict(w.weights) for w in works]
        return [Row(w, "native", 2.0, 0.8, tuple(self.episode(w, seed) for seed in seeds)) for w in works]

    def episode(self, work: Work, seed: int) -> dict[str, Any]:
        assert work.reward is not None
        weights = {**literal_weights(work.reward.source), **work.weights}
        off = math.log(weights["go"] / 5.0) ** 2 + math.log(weights["back"] / -0.5) ** 2
        fell = weights["go"] > self.falls_beyond
        return {"seed": seed, "seconds": 2.0, "fell": fell, "diverged": False, "distance_m": 3.0 - 0.2 * off + 0.001 * seed}


def tuner(folder: Path, world: World, **more: Any) -> Tuner:
    config = TuneConfig(**{"trials": 14, "held_out": (7, 8), **more})
    return Tuner(config, TEXT, PLACE, world, folder, {"seeds": (0, 1)})  # type: ignore[arg-type]


@pytest.mark.parametrize(("sampler", "trials"), [("cmaes", 40), ("tpe", 40), ("random", 25)])
def test_it_finds_better_weights(sampler: str, trials: int, tmp_path: Path) -> None:
    found = tuner(tmp_path, World(), sampler=sampler, trials=trials).run()
    assert [t.number for t in found.trials] == list(range(trials))
    start, best = found.trials[0], found.best
    assert start.weights == literal_weights(TEXT.source) and start.value is not None and best.value is not None
    assert best.value > start.value + 0.6 and best.fit and best.weights["off"] == 0.0 and best.weights["back"] < 0
    assert all(0.1 <= t.weights["go"] <= 10.0 and 0.2 <= -t.weights["back"] <= 20.0 for t in found.trials)
    # The text is the start's but for its weights, which are the trial's to the last digit.
    assert literal_weights(found.text.source) == best.weights and found.text.source.splitlines()[1:] == TEXT.source.splitlines()[1:]
    assert set(found.importance) == {"go", "back"} and sum(found.importance.values()) == pytest.approx(1.0)
    difference = found.document()["held_out"]["difference"]["distance_m"]
    assert difference["raw"] == pytest.approx(best.value - start.value) and difference["unchanged"] == pytest.approx(start.value + 0.007)


@pytest.mark.parametrize("sampler", ["cmaes", "tpe"])
def test_gates_stand_before_the_metric(sampler: str, tmp_path: Path) -> None:
    # The best distances lie where the body falls.
    found = tuner(tmp_path, World(falls_beyond=2.0), sampler=sampler, trials=25).run()
    fallen = [t for t in found.trials if not t.fit]
    assert fallen and found.best.fit and found.best.weights["go"] <= 2.0
    assert max(t.value for t in fallen if t.value is not None) > (found.best.value or 0.0)


@pytest.mark.parametrize("sampler", ["cmaes", "tpe", "random"])
def test_a_killed_tune_goes_on_as_if_it_had_not_been(sampler: str, tmp_path: Path) -> None:
    whole = tuner(tmp_path / "whole", World(), sampler=sampler, parallel=3).run()
    for killed_at in (1, 3, 3):
        with pytest.raises(Killed):
            tuner(tmp_path / "cut", World(killed_at), sampler=sampler, parallel=3).run()
    rest = World()
    found = tuner(tmp_path / "cut", rest, sampler=sampler, parallel=3).run()
    assert found.document() == whole.document() and len(found.trials) == 14
    # Asked once more for no more trials, it only looks at the held-out seeds again.
    again = World()
    assert tuner(tmp_path / "cut", again, sampler=sampler, parallel=3).run().document() == whole.document() and again.calls == 1


def test_a_kill_between_asking_and_telling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import optuna

    whole = tuner(tmp_path / "whole", World(), parallel=4).run()
    for method, after in (("ask", 2), ("tell", 2), ("ask", 3), ("tell", 1)):
        real, calls = getattr(optuna.Study, method), []

        def dying(self, *args, real=real, calls=calls, after=after, **more):  # type: ignore[no-untyped-def]
            calls.append(1)
            if len(calls) > after:
                raise Killed
            return real(self, *args, **more)

        with monkeypatch.context() as patched, pytest.raises(Killed):
            patched.setattr(optuna.Study, method, dying)
            tuner(tmp_path / "cut", World(), parallel=4).run()
    assert tuner(tmp_path / "cut", World(), parallel=4).run().document() == whole.document()


class Lucky(World):
    """On the trials' own seeds, 0 and 1, distance grows with go; on others it is the world's, where 5 is best."""

    def episode(self, work: Work, seed: int) -> dict[str, Any]:
        record, weights = super().episode(work, seed), {**literal_weights(TEXT.source), **work.weights}
        return record | ({"distance_m": 3.0 + 0.05 * weights["go"]} if seed < 2 else {})


def test_the_lead_of_the_lucky_does_not_outlive_further_seeds(tmp_path: Path) -> None:
    one = tuner(tmp_path, Lucky(falls_beyond=99.0), sampler="random", trials=20).run()
    assert one.best.number == max(one.trials, key=lambda t: t.weights["go"]).number and one.confirmed == ()
    # The same folder: what confirms decides no trial.
    world = Lucky(falls_beyond=99.0)
    found = tuner(tmp_path, world, sampler="random", trials=20, confirm=(4, 5, 6), finalists=12).run()
    assert found.trials == one.trials and found.best.number != one.best.number and len(found.confirmed) == 13
    assert found.before().number == 0 and found.before().episodes == 5 and found.before() in found.confirmed
    best = next(t for t in found.trials if t.number == found.best.number)
    again = (2 * (best.value or 0.0) + sum(World().episode(world_work(best), s)["distance_m"] for s in (4, 5, 6))) / 5
    assert found.best.value == pytest.approx(again) == pytest.approx(max(t.value for t in found.confirmed if t.value is not None))
    assert literal_weights(found.text.source) == best.weights
    assert [c["number"] for c in found.document()["confirmed"]] == [t.number for t in found.confirmed]


def test_a_finalist_that_falls_on_further_seeds_loses(tmp_path: Path) -> None:
    class Icy(World):
        def episode(self, work: Work, seed: int) -> dict[str, Any]:
            record = super().episode(work, seed)
            return record | {"fell": record["fell"] or (seed == 5 and work.weights.get("go", 1.0) > 2.0)}

    found = tuner(tmp_path, Icy(), trials=25, confirm=(5,), finalists=25).run()
    assert found.best.fit and found.best.weights["go"] <= 2.0 and not all(t.fit for t in found.confirmed)


def world_work(trial: Any) -> Work:
    return Work(TEXT, "again", WALK, "myolegs", weights=trial.weights)


def test_a_batch_is_measured_together(tmp_path: Path) -> None:
    world = World()
    tuner(tmp_path, world, parallel=5, held_out=()).run()
    assert world.calls == 3 and len(world.seen) == 14


def test_the_budget_stops_it_with_everything_saved(tmp_path: Path) -> None:
    clock = iter([0.0, 0.0, 30.0, 70.0, 70.0])
    config = TuneConfig(trials=9, max_minutes=1.0, held_out=())
    found = Tuner(config, TEXT, PLACE, World(), tmp_path, clock=lambda: next(clock)).run()  # type: ignore[arg-type]
    assert (found.stopped, len(found.trials)) == ("budget", 2) and (tmp_path / JOURNAL).exists()


class Told(World):
    """The world, as a critic is told of it."""

    def evidence(self, work: Work) -> tuple[Facts, None]:
        episode = self.episode(work, 0)
        terms = {name: {"weight": weight, "mean": 0.0, "std": 0.0} for name, weight in work.weights.items()}
        return Facts.read({"terms": terms, "metrics": episode, "episodes": [episode], "seconds": 2.0}), None


class Judge:
    """Prefers the motion whose weight `go` is nearer to 2, whatever the distance; below 1.3 off it knows no difference."""

    def __init__(self, killed_at: int = 0):
        self.killed_at, self.asked = killed_at, []

    def compare(self, a: Evidence, b: Evidence) -> tuple[Preference, tuple[()]]:
        self.asked.append((a.name, b.name))
        if len(self.asked) == self.killed_at:
            raise Killed
        new, old = (abs(math.log(m.facts.weights.get("go", 1.0) / 2.0)) for m in (a, b))
        if max(new, old) < math.log(1.3):
            return Preference(winner="tie", reason="They are alike."), ()
        return Preference(winner="a" if new < old else "b", reason=f"{a.name} is {'nearer' if new < old else 'farther'}."), ()


def refereed(folder: Path, world: Told, judge: Judge, **more: Any) -> Tuner:
    config = TuneConfig(**{"trials": 25, "held_out": (7, 8), "objective": "preference", **more})
    return Tuner(config, TEXT, PLACE, world, folder, preference_objective=PreferenceObjective(world, judge))  # type: ignore[arg-type]


@pytest.mark.parametrize("sampler", ["cmaes", "tpe"])
def test_the_critics_preference_decides_behind_the_gates(sampler: str, tmp_path: Path) -> None:
    judge = Judge()
    found = refereed(tmp_path, Told(falls_beyond=4.0), judge, sampler=sampler).run()
    off = {t.number: abs(math.log(t.weights["go"] / 2.0)) for t in found.trials}
    assert found.best.number > 0 and found.best.fit and off[found.best.number] < math.log(1.3)
    # Physics is not put to the vote, and each other trial is compared once, with the best of those before it.
    unfit = [t for t in found.trials if not t.fit]
    assert any(t.weights["go"] > 4.0 for t in unfit)
    assert all(t.reason.startswith("Physics") and t.value is not None and t.value < (found.best.value or 0.0) for t in unfit)
    assert [name for name, _ in judge.asked] == [f"trial {t.number}" for t in found.trials[1:] if t.fit]
    steps = [t.value for t in found.trials if t.value == int(t.value or 0.0)]
    assert steps == sorted(steps) and steps[0] == 0.0 and found.best.value == steps[-1] == len(steps) - 1
    assert found.document()["held_out"]["difference"]["distance_m"]["raw"] is not None and found.document()["better"] == "higher"


def test_a_tune_that_is_killed_while_the_critic_compares_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    whole = refereed(tmp_path / "whole", Told(), Judge(), parallel=4).run()
    for killed_at in (2, 1, 5):
        with pytest.raises(Killed):
            refereed(tmp_path / "cut", Told(), Judge(killed_at), parallel=4).run()
    assert refereed(tmp_path / "cut", Told(), Judge(), parallel=4).run().document() == whole.document()


def test_a_budget_of_calls_stops_it_before_the_trial_that_it_cannot_pay(tmp_path: Path) -> None:
    class Poor(Judge):
        def compare(self, a: Evidence, b: Evidence) -> tuple[Preference, tuple[()]]:
            if len(self.asked) == 3:
                raise ModelFault("The budget of 6 model calls is spent", "stopped")
            return super().compare(a, b)

    found = refereed(tmp_path, Told(falls_beyond=100.0), Poor(), sampler="random").run()
    assert found.stopped == "budget" and sum(t.fit for t in found.trials) == 4
    rest = refereed(tmp_path, Told(falls_beyond=100.0), Judge(), sampler="random").run()
    assert len(rest.trials) == 25 and rest.trials[: len(found.trials)] == found.trials


def test_mistakes(tmp_path: Path) -> None:
    tuner(tmp_path, World(), trials=1, held_out=()).run()
    with pytest.raises(MovlrError, match=r"another span \(10.0, not 3.0\)"):
        tuner(tmp_path, World(), span=3.0).run()
    with pytest.raises(MovlrError, match="did you mean distance_m"):
        tuner(tmp_path / "o", World(), objective="distnce_m").run()
    for changed, said in (({"sampler": "cma"}, "did you mean cmaes"), ({"trials": 0}, "1 or more"), ({"span": 1.0}, "more than 1")):
        with pytest.raises(MovlrError, match=said):
            TuneConfig(**changed)  # type: ignore[arg-type]
    nothing = RewardText("nothing", TEXT.source.replace("1.0", "0.0").replace("-2.0", "0.0"))
    with pytest.raises(MovlrError, match="no weight to tune"):
        Tuner(TuneConfig(), nothing, PLACE, World(), tmp_path)  # type: ignore[arg-type]


DECLARED = RewardText(
    "declared",
    'PARAMETERS = {"period": (1.0, 0.8, 1.3), "lift": (0.0, -1.0, 1.0)}\nWEIGHTS = {"go": 1.0}\n\n\n'
    'def terms(m):\n    return {"go": m.com.velocity_forward * m.parameters.period + m.parameters.lift}\n',
)
OWN = {"period": 1.0, "lift": 0.0}


class Stride(World):
    """Distance is largest where go is 5, period 1.2 and lift -0.5."""

    def run(self, works: list[Work], seeds: tuple[int, ...] = (0, 1)) -> list[Row]:
        rows = super().run(works, seeds)
        self.seen[-len(works) :] = [dict(w.parameters) for w in works]
        return rows

    def episode(self, work: Work, seed: int) -> dict[str, Any]:
        assert work.reward is not None
        values = {**literal_weights(work.reward.source), **work.weights, **OWN, **work.parameters}
        off = math.log(values["go"] / 5.0) ** 2 + 20 * (values["period"] - 1.2) ** 2 + (values["lift"] + 0.5) ** 2
        return {"seed": seed, "seconds": 2.0, "fell": False, "diverged": False, "distance_m": 3.0 - 0.2 * off}


def stride(folder: Path, world: World, **more: Any) -> Tuner:
    config = TuneConfig(**{"trials": 30, "held_out": (7, 8), **more})
    return Tuner(config, DECLARED, PLACE, world, folder, {"seeds": (0, 1)})  # type: ignore[arg-type]


@pytest.mark.parametrize("sampler", ["cmaes", "tpe", "random"])
def test_parameters_are_varied_within_their_ranges_beside_the_weights(sampler: str, tmp_path: Path) -> None:
    world = Stride()
    found = stride(tmp_path, world, sampler=sampler).run()
    assert found.trials[0].parameters == OWN and (found.best.value or 0.0) > (found.trials[0].value or 0.0) + 0.2
    assert all(0.8 <= t.parameters["period"] <= 1.3 and -1.0 <= t.parameters["lift"] <= 1.0 for t in found.trials)
    assert min(t.parameters["lift"] for t in found.trials) < 0.0 < max(t.parameters["lift"] for t in found.trials)
    # The text has them to the last digit, and its ranges are as they were.
    declared = literal_parameters(found.text.source)
    assert values_of(declared) == found.best.parameters and literal_weights(found.text.source) == found.best.weights
    assert {n: (p.lowest, p.highest) for n, p in declared.items()} == {"period": (0.8, 1.3), "lift": (-1.0, 1.0)}
    assert found.text.source.splitlines()[2:] == DECLARED.source.splitlines()[2:]
    assert set(found.importance) == {"go", "period", "lift"}
    document = found.document()
    assert document["parameters"] == found.best.parameters == document["trials"][found.best.number]["parameters"]
    assert document["held_out"]["best"]["parameters"] == found.best.parameters and world.seen[-1] == found.best.parameters


def test_a_killed_tune_of_parameters_goes_on_and_another_of_them_is_refused(tmp_path: Path) -> None:
    whole = stride(tmp_path / "whole", Stride(), parallel=3).run()
    for killed_at in (2, 3):
        with pytest.raises(Killed):
            stride(tmp_path / "cut", Stride(killed_at), parallel=3).run()
    assert stride(tmp_path / "cut", Stride(), parallel=3).run().document() == whole.document()
    with pytest.raises(MovlrError, match=r"another parameters \(True, not False\)"):
        stride(tmp_path / "cut", Stride(), parallel=3, parameters=False).run()


def test_parameters_can_be_left_as_they_are(tmp_path: Path) -> None:
    found = stride(tmp_path / "off", Stride(), trials=12, parameters=False).run()
    assert all(t.parameters == {} for t in found.trials) and values_of(literal_parameters(found.text.source)) == OWN
    assert "parameters" not in found.document() and all("parameters" not in t for t in found.document()["trials"])
    # A reward that declares none draws what it drew before there were any, whatever the setting says.
    on, off = (tuner(tmp_path / str(asked), World(), trials=5, parameters=asked).run() for asked in (True, False))
    assert on.document() == off.document() and tuner(tmp_path / "True", World(), trials=6, parameters=False).run().trials[:5] == on.trials


def test_parameters_alone_are_enough_to_tune(tmp_path: Path) -> None:
    text = RewardText("flat", DECLARED.source.replace('"go": 1.0', '"go": 0.0'))
    with pytest.raises(MovlrError, match="no weight to tune"):
        Tuner(TuneConfig(parameters=False), text, PLACE, Stride(), tmp_path)  # type: ignore[arg-type]
    Tuner(TuneConfig(), text, PLACE, Stride(), tmp_path)  # type: ignore[arg-type]
