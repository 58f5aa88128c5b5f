"""Learning a terminal value: what can be told apart is, of episodes held out; what cannot be known is left out; files go round, and only on
the body that they are of."""

import json
import re
from dataclasses import replace

import jax
import numpy as np
import pytest

from movlr_jax import tasks
from movlr_jax.cli.main import main
from movlr_jax.control import episode, values
from movlr_jax.control.episode import Rollout
from movlr_jax.control.planners import MPPI
from movlr_jax.control.values.fall_risk import FallRisk, Network
from movlr_jax.control.values.features import StanceFeatures
from movlr_jax.errors import MovlrError
from movlr_jax.learning.values import ValueConfig, learn, read
from movlr_jax.learning.values.episodes import files
from movlr_jax.learning.values.scores import auc, calibration
from movlr_jax.learning.values.train import _parts, fit
from movlr_jax.physics.instant import Frame, Instants
from movlr_jax.rewards.features import feature_layout
from movlr_jax.rewards.reward import Reward

QUICK = ValueConfig(updates=400, jitter=0.2, layers=(16, 16), batch=128, window=0.5, folds=3)


@pytest.fixture(scope="module")
def standing(myolegs):
    return Instants(myolegs).at_rest(myolegs.standing_qpos, myolegs.standing_act, Frame().row(), 0.02)


@pytest.fixture(scope="module")
def write(myolegs, standing):
    """Write an episode: a body whose centre of mass runs off, ever faster from 0.5 s before its fall, in noise; or one that stands."""
    layout = feature_layout(myolegs)

    def one(path, number, falls, rows=100, ended=None, **beside):
        rng, time = np.random.default_rng(number), 0.02 * np.arange(rows)
        instants = np.repeat(standing[None], rows, axis=0) + rng.normal(0, 0.02, (rows, layout.size)).astype(np.float32)
        at = layout.column("sensor", layout.com["velocity"])
        late = np.maximum(0.0, 0.5 - (time[-1] - time)) if falls else np.zeros(rows)
        instants[:, at] += 0.3 * rng.standard_normal(rows) + (1.0 + 2.0 * late) * (late > 0)
        wide = {name: np.zeros((rows, 2)) for name in ("qpos", "qvel", "act", "targets")}
        columns = {"time": time, "costs": np.zeros(rows), "diverged": np.zeros(rows, int), "instants": instants}
        terms = {"terms": np.zeros((rows, 1), np.float32), "term_names": ("a",), "weights": np.ones(1, np.float32)}
        end = ended or ("fell" if falls else "time")
        Rollout(seed=number, seconds=2.0, dt=0.02, ended=end, goal_speed=1.0, **wide, **columns, **terms).save(path)
        if beside:
            path.with_name("episode.json").write_text(json.dumps(beside))
        return path

    return one


@pytest.fixture(scope="module")
def recorded(write, tmp_path_factory):
    folder = tmp_path_factory.mktemp("recorded")
    for seed in range(12):
        write(folder / str(seed) / "rollout.npz", seed, falls=seed % 2 == 0, body="myolegs", split="train")
    return folder


@pytest.fixture(scope="module")
def learnt(recorded, myolegs):
    return learn([recorded], myolegs, QUICK)


def test_what_can_be_told_apart_is_told_apart_in_episodes_held_out(learnt):
    figures = learnt.figures
    assert (figures["episodes"], figures["fallen"], figures["folds"]) == (12, 6, 3)
    assert figures["held_out"]["auc"] > 0.95 and figures["held_out"]["calibration"]["error"] < 0.2
    assert learnt.network.provenance["figures"] == figures and len(learnt.network.provenance["episodes"]) == 12


def test_the_same_seed_makes_the_same_file(learnt, recorded, myolegs, tmp_path):
    learnt.network.save(tmp_path / "a.npz")
    learn([recorded], myolegs, QUICK).network.save(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert (tmp_path / "a.npz").stat().st_size < 300_000
    learn([recorded], myolegs, replace(QUICK, seed=1)).network.save(tmp_path / "c.npz")
    assert (tmp_path / "a.npz").read_bytes() != (tmp_path / "c.npz").read_bytes()


def test_a_file_goes_round_and_values_instants_on_numpy_and_in_compiled_programs(learnt, recorded, myolegs, tmp_path):
    learnt.network.save(tmp_path / "v.npz")
    layout = feature_layout(myolegs)
    value = values.make(str(tmp_path / "v.npz"), layout)
    instants = Rollout.load(recorded / "0" / "rollout.npz").instants[None]
    logit = learnt.network.logit(StanceFeatures(layout)(instants))
    np.testing.assert_allclose(value(instants), -1 / (1 + np.exp(-logit)), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(jax.jit(value)(instants), value(instants), rtol=1e-3, atol=1e-4)
    assert value(instants)[0, -1] < -0.9 < -0.5 < value(instants)[0, :60].mean()


def test_discounted_times_to_the_fall_are_learnt_too(recorded, myolegs):
    network = learn([recorded], myolegs, replace(QUICK, target="discounted")).network
    instants = Rollout.load(recorded / "0" / "rollout.npz").instants
    logit = network.logit(StanceFeatures(feature_layout(myolegs))(instants))
    assert logit[-5:].mean() > logit[-20:-15].mean() > logit[:60].mean()


def test_features_know_neither_place_nor_time(standing, myolegs):
    layout = feature_layout(myolegs)
    features, moved = StanceFeatures(layout), standing.copy()
    for offset in [*(at["position"] for at in layout.landmarks.values()), layout.com["position"]]:
        moved[layout.column("sensor", offset)] += 7.0
    moved[layout.columns("time")] += 5.0
    moved[layout.columns("goal")] += 1.0
    np.testing.assert_allclose(features(moved), features(standing), atol=1e-5)
    assert len(set(features.names)) == len(features.names) == features(standing).shape[-1]


def test_what_cannot_be_known_is_left_out(write, myolegs, tmp_path):
    width = feature_layout(myolegs).size
    calm = write(tmp_path / "calm" / "rollout.npz", 1, falls=False)
    fell = write(tmp_path / "fell" / "rollout.npz", 2, falls=True)
    pushed = write(tmp_path / "pushed" / "rollout.npz", 3, falls=True, pushes=[{"start": 1.5, "seconds": 0.1}])
    found = read([calm, fell, pushed], width, 0.5)
    count = np.bincount(found.episode)
    assert list(count) == [75, 100, 50 + 20]  # 0.5 s at the end of one; of the pushed one, from 0.5 s before the push to its end
    assert np.isinf(found.left[found.episode == 0]).all() and found.left[found.episode == 1][-1] == pytest.approx(0.02)
    before = found.left[found.episode == 2]
    assert np.isinf(before[:50]).all() and (before[50:] <= 0.5).all()


def test_what_branches_off_one_walk_is_held_out_with_it(write, myolegs, tmp_path):
    seeds = [1002, 11002, 21002, 1004, 11004, 1006]
    paths = [write(tmp_path / str(seed) / "rollout.npz", seed, falls=seed < 20_000, seed=seed) for seed in seeds]
    found = read([*paths, write(tmp_path / "other" / "rollout.npz", 7, falls=False)], feature_layout(myolegs).size, 0.5)
    assert len({*found.walk[:3]}) == len({*found.walk[3:5]}) == 1 and len({*found.walk}) == 4
    parts = _parts(found, QUICK)
    assert len({*parts[:3]}) == len({*parts[3:5]}) == 1 and len({*parts}) == 3


def test_states_that_planners_are_measured_on_are_not_learnt_from(write, tmp_path):
    kept = write(tmp_path / "a" / "rollout.npz", 1, falls=True, split="train")
    measured = write(tmp_path / "b" / "rollout.npz", 2, falls=True, split="test")
    assert files([tmp_path]) == [kept]
    with pytest.raises(MovlrError, match="of the half of a fall bank that planners are measured on"):
        files([measured])


@pytest.mark.parametrize("words", [["nowhere"], ["."]])
def test_words_for_no_episode_are_refused(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MovlrError, match=r"There is no episode nowhere|\. holds no episode"):
        files(words)


def test_falls_alone_or_none_teach_nothing(recorded, myolegs):
    with pytest.raises(MovlrError, match="no instants are before a fall: give more episodes, of both kinds"):
        learn([recorded / "1", recorded / "3"], myolegs, QUICK)


def test_another_body_or_what_is_no_network_is_refused_in_one_sentence(learnt, myolegs, tmp_path):
    layout = feature_layout(myolegs)
    replace(learnt.network, body="ostrich").save(tmp_path / "other.npz")
    with pytest.raises(MovlrError, match="was learnt on ostrich, and the body is myolegs: learn one on this"):
        FallRisk(layout, tmp_path / "other.npz")
    replace(learnt.network, layers=learnt.network.layers[1:]).save(tmp_path / "cut.npz")
    (tmp_path / "text.npz").write_text("no")
    for name in ("cut", "text", "missing"):
        with pytest.raises(MovlrError, match=r"(is no terminal value|cannot be read) \(.*give a file of movlr learn value"):
            Network.load(tmp_path / f"{name}.npz")


def test_a_file_s_numbers_and_not_its_place_are_in_the_keys_of_episodes(learnt, tmp_path):
    for name in ("a", "b"):
        learnt.network.save(tmp_path / f"{name}.npz")
    a, b = (MPPI(value=str(tmp_path / f"{name}.npz")).identity()["value"] for name in ("a", "b"))
    assert a == b and re.fullmatch(r"fall-risk [0-9a-f]{16}", a)


def test_figures_of_a_score():
    positive = np.array([True, True, False, False])
    assert auc(np.array([3.0, 1.0, 2.0, 0.0]), positive) == 0.75 and auc(np.ones(4), positive) == 0.5
    assert auc(np.ones(2), np.ones(2, bool)) is None
    found = calibration(np.array([0.1, 0.1, 0.9, 0.9]), np.array([False, True, True, True]), np.ones(4))
    assert found["came"] == [0.5, 1.0] and found["error"] == pytest.approx(0.25)


def test_a_real_episode_is_learnt_from_and_the_file_plans(myolegs, recorded, tmp_path, capsys):
    task, layout = tasks.get("stand"), feature_layout(myolegs)
    reward = Reward.trusted("human", task.rewards["human"], layout)
    runner = episode.EpisodeRunner.build(myolegs, MPPI(candidates=8, horizon=0.08), "native", threads=1)
    task.episode(runner, reward, 0, seconds=0.2).save(tmp_path / "real" / "rollout.npz")
    out = tmp_path / "out.npz"
    words = ["learn", "value", str(recorded), str(tmp_path / "real"), "--window", "0.1", "--updates", "60", "--out", str(out), "--json"]
    assert main(words) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == json.loads((tmp_path / "out.json").read_text()) and told["body"] == "myolegs" and told["episodes"] == 13
    planner = MPPI(candidates=8, horizon=0.08, value=str(out), value_weight=2.0)
    runner = episode.EpisodeRunner.build(myolegs, planner, "native", threads=1)
    assert np.isfinite(task.episode(runner, reward, 0, seconds=0.04).costs).all()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["valu"], "did you mean value"),
        (["value"], "There is nothing to learn from"),
        (["value", "x.npz"], "There is no episode x.npz"),
        (["value", "x", "--updates", "0"], "--updates is 0: give a number above 0"),
    ],
)
def test_odd_words_are_told_in_one_sentence(words, sentence, capsys):
    assert main(["learn", *words]) == 1
    said = capsys.readouterr().err
    assert sentence in said and said.count("\n") == 1


def test_progress_is_told(recorded, myolegs):
    done = []
    layout = feature_layout(myolegs)
    fit(
        StanceFeatures(layout),
        read(files([recorded]), layout.size, 0.5),
        replace(QUICK, updates=120),
        lambda n, loss: done.append((n, loss)),
    )
    assert [n for n, _ in done] == [n + start for start in (0, 120, 240, 360) for n in (50, 100, 120)] and all(
        np.isfinite(loss) for _, loss in done
    )
