"""Declared constants: their contract, that another value compiles nothing, and that every episode is rewarded under its own."""

import logging
import re

import jax
import numpy as np
import pytest
from support import biped

from movlr_jax.control.episode import EpisodeRunner, Job, Rollout, Start
from movlr_jax.control.planners import MPPI
from movlr_jax.errors import BadFile, MovlrError
from movlr_jax.physics.instant import Frame
from movlr_jax.rewards import program
from movlr_jax.rewards.features import feature_layout
from movlr_jax.rewards.parameters import Parameter
from movlr_jax.rewards.reward import Reward, RewardBatch
from movlr_jax.sandbox import inspect, static, workbench

DECLARED = 'PARAMETERS = {"period": (1.0, 0.8, 1.3), "lift": (0.1, -0.2, 0.2)}\n'
PLAIN = 'WEIGHTS = {"a": 2.0}\n\n\ndef terms(m):\n    return {"a": m.time}\n'
SOURCE = (
    DECLARED
    + 'WEIGHTS = {"a": 2.0, "b": 1.0}\nJOINTS = ("hip_l",)\n\n\ndef scaled(q, x):\n    return x * q.parameters.period\n\n\n'
    + 'def terms(m):\n    return {"a": scaled(m, m.time), "b": m.previous.parameters.lift - m.dt}\n\n\n'
    + 'def posture(m):\n    return {"hip_l": m.parameters.lift * m.time}\n'
)


@pytest.fixture(scope="module")
def body():
    return biped.load()


@pytest.fixture(scope="module")
def layout(body):
    return feature_layout(body)


@pytest.fixture(scope="module")
def reward(layout):
    return Reward.unguarded("declared", SOURCE, layout)


@pytest.fixture(scope="module")
def instants(layout):
    """Of three episodes, two candidates each, five instants."""
    return np.random.default_rng(0).normal(size=(3, 2, 5, layout.size)).astype(np.float32)


FAULTS = [
    ("3", "PARAMETERS is not a literal dict of parameters"),
    ("{}", "PARAMETERS is not a literal dict of parameters"),
    ('{"period": 1.0}', r"the parameter period is not \(value, lowest, highest\) in literal numbers"),
    ('{"period": (1.0, 0.8)}', r"the parameter period is not \(value, lowest, highest\) in literal numbers"),
    ('{"period": (True, 0.8, 1.3)}', r"the parameter period is not \(value, lowest, highest\) in literal numbers"),
    ('{"period": (2.0, 0.8, 1.3)}', "the value of the parameter period, 2, is outside its range, 0.8 to 1.3"),
    ('{"period": (1.0, 1.3, 0.8)}', "the lowest of the parameter period, 1.3, is not below its highest, 0.8"),
    ('{"period": (1.0, 1.0, 1.0)}', "the lowest of the parameter period, 1, is not below its highest, 1"),
    ('{"period": (1.0, 0.8, 1e999)}', r"a number of the parameter period is not finite and within 1e\+06"),
    ('{"a": (1.0, 0.8, 1.3)}', "the parameter a is called as a term is"),
    ('{"step length": (1.0, 0.8, 1.3)}', "the parameter name 'step length' is not a plain word"),
    ('{"_period": (1.0, 0.8, 1.3)}', "the parameter name '_period' is not a plain word"),
    ('{"lambda": (1.0, 0.8, 1.3)}', "the parameter name 'lambda' is not a plain word"),
    ("{1: (1.0, 0.8, 1.3)}", "the parameter name '(1|None)' is not a plain word"),
    ("{" + ", ".join(f'"p{i}": (1.0, 0.8, 1.3)' for i in range(17)) + "}", "there are 17 parameters"),
]


@pytest.mark.parametrize(("declared", "said"), FAULTS)
def test_a_fault_is_one_sentence_wherever_it_is_met(layout, declared, said):
    source = f"PARAMETERS = {declared}\n{PLAIN}"
    (refusal,) = static.check(source, layout)
    assert refusal.line == 1 and refusal.reason.startswith("Line 1: ") and refusal.cure
    assert re.search(said, refusal.reason)
    with pytest.raises(MovlrError, match=f"(?i){said}"):
        Reward.unguarded("faulty", source, layout)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (SOURCE.replace("m.previous.parameters.lift", "m.previous.parameters.lfit"), "there is no parameter lfit; did you mean lift"),
        (PLAIN.replace("m.time", "m.parameters.period"), "there is no parameter period; there is no PARAMETERS"),
        (SOURCE.replace("m.previous.parameters.lift", 'm.parameters["lift"]'), "m.parameters is not indexed; write m.parameters.lift"),
        (SOURCE.replace("m.previous.parameters.lift", "m.parameters"), "m.parameters is no number; name one of those that PARAMETERS"),
        (SOURCE.replace("m.previous.parameters.lift", 'PARAMETERS["lift"]'), "PARAMETERS is read; read a parameter of m"),
        (SOURCE.replace("m.previous.parameters.lift", "(m.time if m.parameters.lift else m.dt)"), "an if asks for"),
        (DECLARED + SOURCE, "PARAMETERS is given twice"),
        (SOURCE.replace('"lift": (', '"period": ('), "the parameter period is declared twice"),
        ("PARAMETERS = 3\n" + PLAIN.replace("m.time", "m.parameters.period"), "PARAMETERS is not a literal dict"),
    ],
)
def test_what_is_misread_is_told_by_the_line(layout, changed, said):
    assert static.check(SOURCE, layout) == static.check(SOURCE) == ()
    refused = static.check(changed, layout)
    assert said in refused[0].reason
    assert len(refused) == 1 or "declared twice" in said  # where a name is gone, so is what read it


def test_what_a_function_does_not_declare_is_told_where_it_is_read(body):
    with pytest.raises(MovlrError, match=r"m.parameters has no 'perod': did you mean period\? PARAMETERS has period"):
        Reward.from_function(lambda m: {"a": m.parameters.perod}, {"a": 1.0}, body, parameters={"period": (1.0, 0.8, 1.3)})
    with pytest.raises(MovlrError, match=r"m\.parameters has no 'period': there is no PARAMETERS"):
        Reward.from_function(lambda m: {"a": m.parameters.period}, {"a": 1.0}, body)
    with pytest.raises(MovlrError, match="value of the parameter period, 2, is outside"):
        Reward.from_function(lambda m: {"a": m.time}, {"a": 1.0}, body, parameters={"period": (2.0, 0.8, 1.3)})
    made = Reward.from_function(lambda m: {"a": m.parameters.period}, {"a": 1.0}, body, parameters={"period": (1, 0.5, 2)})
    assert made.parameters == {"period": Parameter(1.0, 0.5, 2.0)}


def test_values_reach_terms_and_angles_over_the_present_and_the_previous_instant(reward, layout):
    row = np.zeros(2 * layout.size, np.float32)
    row[layout.column("time")], row[layout.column("dt")] = 3.0, 0.5
    assert reward.parameter_of() == {"period": 1.0, "lift": 0.1}
    assert np.allclose(reward.columns(row), [3.0, 0.1 - 0.5, 0.3])
    other = reward.with_parameters({"period": 1.25, "lift": -0.2})
    assert np.allclose(other.columns(row), [3.75, -0.7, -0.6]) and np.allclose(other.traced(jax.numpy.asarray(row[None])), [[3.75, -0.7]])
    assert other.with_weights({"a": 9.0}).parameters == other.parameters and reward.parameter_of()["lift"] == 0.1
    with pytest.raises(MovlrError, match=r"period cannot be 1.4, outside its range, 0.8 to 1.3: give a value within it"):
        reward.with_parameters({"period": 1.4})
    with pytest.raises(MovlrError, match=r"No parameter named perod: did you mean period\? this reward has period, lift"):
        reward.with_parameters({"perod": 1.0})


def test_another_value_compiles_nothing(reward, instants, body):
    def everything(one):
        features = np.concatenate([instants[:, 0], instants[:, 1]], axis=-1)
        batch = RewardBatch([one] * 3)
        posture = batch.posture(features, body.posture.names)
        parts = (
            batch.mean_reward(instants),
            batch.over_time(instants),
            posture,
            one.columns(features),
            one.terms_over_time(instants[:, 0]),
        )
        return [np.asarray(part) for part in parts]

    first, records = everything(reward), []
    handler = logging.Handler()
    handler.emit = records.append
    logging.getLogger("jax").addHandler(handler)
    try:
        with jax.log_compiles(True):
            second = everything(reward.with_parameters({"period": 1.2, "lift": -0.1}))
    finally:
        logging.getLogger("jax").removeHandler(handler)
    assert not [record for record in records if "Compiling" in record.getMessage()]
    assert all(a.shape == b.shape and not np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_texts_that_differ_in_numbers_alone_share_what_is_compiled(reward, instants, layout):
    moved = Reward.unguarded("moved", SOURCE.replace("(1.0, 0.8, 1.3)", "(1.2, 0.8, 1.3)"), layout)
    assert moved.artifact == reward.artifact and moved._compiled is reward._compiled
    assert moved.parameter_of() == reward.parameter_of() | {"period": 1.2}
    got = np.asarray(RewardBatch([reward, moved, reward]).mean_reward(instants))
    alone = np.asarray(RewardBatch([reward.with_parameters({"period": 1.2})] * 3).mean_reward(instants))
    assert np.array_equal(got[1], alone[1]) and not np.array_equal(got[0], alone[0])
    plain = Reward.unguarded("plain", PLAIN, layout)
    assert plain._compiled is not reward._compiled


def test_each_episode_of_a_batch_has_its_own_values(reward, instants, layout, body):
    plain = Reward.unguarded("plain", PLAIN, layout)
    rewards = [reward.with_parameters({"period": 1.25}), plain, reward.with_parameters({"period": 0.8, "lift": 0.2})]
    batch = RewardBatch(rewards)
    got, over_time = np.asarray(batch.mean_reward(instants)), batch.over_time(instants)
    for e, one in enumerate(rewards):
        alone = one.terms_over_time(instants[e]) @ one.weights
        assert np.allclose(over_time[e], alone, atol=1e-5) and np.allclose(got[e], alone.mean(axis=1), atol=1e-5)
    features = np.concatenate([instants[:, 0], instants[:, 1]], axis=-1)
    angles, hip = batch.posture(features, body.posture.names), body.posture.names.index("hip_l")
    for e in (0, 2):
        assert np.allclose(angles[e, :, hip], rewards[e].posture(features[e])[:, 0])
    assert not angles[1].any()


def test_the_artifact_knows_no_value_and_one_without_parameters_none_at_all(reward, layout):
    moved = SOURCE.replace("(1.0, 0.8, 1.3)", "(1.1, 0.5, 2.0)")
    assert Reward.unguarded("moved", moved, layout).artifact == reward.artifact
    header, module = workbench.prove(SOURCE, layout.to_json(), 64)
    assert header["ok"], header
    declared = program.literal_parameters(SOURCE)
    columns = program.columns_of(layout, declared)
    assert columns == 2 * layout.size + 2 and program.columns_of(layout) == 2 * layout.size
    stored = inspect.inspect_artifact(inspect.inspect_module(module, columns, 3).artifact, columns, 3)
    weights, joints = program.literal_weights(SOURCE), program.literal_joints(SOURCE)
    again = Reward.from_artifact("again", SOURCE, weights, stored.artifact, layout, joints, declared)
    features = np.random.default_rng(1).normal(size=(4, 2 * layout.size)).astype(np.float32)
    assert np.allclose(again.columns(features), reward.columns(features))


def test_an_episode_is_planned_under_its_values_and_records_them(reward, body, tmp_path):
    runner = EpisodeRunner.build(body, MPPI(horizon=0.14).with_candidates(8), "native", threads=1)

    def episode(one):
        job = Job(one, Start(body.standing_qpos, body.standing_act), Frame(), 3)
        return runner.run_many([job], seconds=0.06, fallen=lambda _: False)[0]

    first, other = episode(reward), episode(reward.with_parameters({"period": 1.3, "lift": 0.2}))
    assert np.allclose(other.terms[:, 0], 1.3 * first.terms[:, 0]) and not np.array_equal(first.targets, other.targets)
    other.save(tmp_path / "rollout.npz")
    loaded = Rollout.load(tmp_path / "rollout.npz")
    assert loaded.parameter_names == ("period", "lift") and np.allclose(loaded.parameters, [1.3, 0.2])
    arrays = first.arrays()
    with pytest.raises(BadFile, match="parameters without names"):
        Rollout.from_arrays({name: value for name, value in arrays.items() if name != "parameter_names"})
    with pytest.raises(BadFile, match="its parameters and their names do not agree"):
        Rollout.from_arrays({**arrays, "parameters": np.zeros(3)})
    plain = Rollout.from_arrays({name: value for name, value in arrays.items() if not name.startswith("parameter")})
    assert plain.parameters is None and not {"parameters", "parameter_names"} & set(plain.arrays())
