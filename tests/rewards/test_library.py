"""Every library term runs on the body it says it fits, is finite and sloped wherever the body may be, and keeps the sign convention."""

from __future__ import annotations

import ast
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from movlr_jax.critics.critique import FAULTS
from movlr_jax.critics.remedies import remedies
from movlr_jax.rewards import library, parameters, program
from movlr_jax.rewards.layout import GAIT_FIELDS, SIDES
from movlr_jax.rewards.library import CLASSES, LIBRARY
from movlr_jax.rewards.program import Program


@pytest.fixture(scope="module")
def terms_of(layout):
    """All terms of the body as one function of features[b, F], and their names."""
    entries = {name: term.expression for name, term in library.for_layout(layout).items()}
    # One traced function for all: a program may hold 32 terms, the library has more, so the limit on WEIGHTS is stepped around.
    declared = library.parameters_of(LIBRARY.values())
    whole = "{" + ", ".join(f'"{n}": {e}' for n, e in entries.items()) + "}"
    one = program.execute(program.write({"x": 1.0}, {"x": whole}, parameters=declared))
    all_of_them = Program(dict.fromkeys(entries, 1.0), lambda m: one.terms(m)["x"], parameters=one.parameters)
    fn, names = program.batched(all_of_them, layout)
    values = np.array([value for value, _, _ in declared.values()], np.float32)
    return jax.jit(
        lambda features: fn(jnp.concatenate([features, jnp.broadcast_to(values, (features.shape[0], len(values)))], axis=1))
    ), names


@pytest.fixture(scope="module")
def standing(layout, simulator8, myolegs):
    """Two equal instants of the settled standing pose: float32[F]."""
    from movlr_jax.control import laws
    from movlr_jax.physics.instant import Frame

    state = simulator8.reset(myolegs.standing_qpos, myolegs.standing_act)
    law = laws.make("fibre-strain", myolegs, 0.008)
    posture = myolegs.posture.read(myolegs.standing_qpos)[None, None]
    _, instant, _ = simulator8.advance(state, law, posture, 2, [Frame(goal=(0.8, 0.0))])
    return np.concatenate([instant[0], instant[0]]).astype(np.float32)


def random_features(layout, standing, count=64):
    """Standing, disturbed by ever larger noise; unit quaternions; a few rows of zeros, the largest, and lying still."""
    rng = np.random.default_rng(3)
    size = rng.choice([0.01, 0.1, 1.0, 10.0], (count, 1))
    features = standing + size * rng.standard_normal((count, 2 * layout.size))
    for half in (0, layout.size):
        for offsets in layout.landmarks.values():
            at = half + layout.column("sensor", offsets["quat"])
            quat = rng.standard_normal((count, 4))
            features[:, at : at + 4] = quat / np.linalg.norm(quat, axis=1, keepdims=True)
        features[:, half + layout.column("dt")] = 0.008
        turn = rng.uniform(-np.pi, np.pi, count)
        frame = half + layout.column("frame")
        features[:, frame + 2], features[:, frame + 3] = np.cos(turn), np.sin(turn)
        for block in ("act", "ctrl"):
            columns = slice(half + layout.blocks[block][0], half + layout.blocks[block][1])
            features[:, columns] = rng.uniform(0, 1, features[:, columns].shape)
        gait = slice(half + layout.blocks["gait"][0], half + layout.blocks["gait"][1])
        features[:, gait] = np.abs(features[:, gait])
        features[:, half + layout.blocks["gait"][0] + np.array([0, 8])] = rng.integers(0, 2, (count, 2))
    features[0] = 0.0
    features[1] = standing
    return features.astype(np.float32)


def test_there_are_enough_terms_of_every_class():
    assert len(LIBRARY) >= 24
    assert {t.term_class for t in LIBRARY.values()} == set(CLASSES)
    for name, term in LIBRARY.items():
        assert term.name == name and name.isidentifier()
        assert 0 < term.weight <= 200
        assert term.fixes and set(term.fixes) <= set(FAULTS), f"{name} cures an unknown fault"
        assert term.doc.endswith((".", ")."))


def test_only_what_needs_hands_is_missing_on_legs(layout):
    hands = {name for name, term in LIBRARY.items() if any("hand" in need or need == "object" for need in term.needs)}
    assert set(LIBRARY) - set(library.for_layout(layout)) == hands
    assert {"arms_down", "grasp", "object_orientation"} <= hands


def test_parameters_are_declared_read_and_mean_the_same_in_every_term():
    """A term reads what it declares and nothing else; terms that share a parameter share its range, and no term has its name."""
    meanings = {}
    for name, term in LIBRARY.items():
        assert set(re.findall(r"m\.parameters\.(\w+)", term.expression)) == set(term.parameters), name
        for parameter, triple in term.parameters.items():
            assert parameters.fault(parameter, triple, LIBRARY) is None and meanings.setdefault(parameter, triple) == triple
    assert {"stride_period", "stance_share", "toe_clearance", "landing_margin"} <= set(meanings)
    assert library.parameters_of([LIBRARY["swing_clock"], LIBRARY["balance"]]).keys() == {"stride_period", "stance_share"}


def test_expressions_use_jnp_and_shaping_alone():
    from movlr_jax.rewards.shaping import SHAPING

    for name, term in LIBRARY.items():
        used = {n.id for n in ast.walk(ast.parse(term.expression, mode="eval")) if isinstance(n, ast.Name)}
        assert used <= {"m", "jnp"} | set(SHAPING), f"{name} uses {used}"


def test_needs_are_complete(layout):
    """A body without a landmark or joint that a term reads must be refused by `available`, not by a failing trace."""
    import dataclasses

    from movlr_jax.rewards.motion import Motion, MotionError

    for gone in ("left.toe", "right.hip", "knee_angle_r"):
        lacking = dataclasses.replace(
            layout,
            landmarks={k: v for k, v in layout.landmarks.items() if k != gone},
            joints={k: v for k, v in layout.joints.items() if k != gone},
            planned_joints=tuple(j for j in layout.planned_joints if j != gone),
        )
        features = jnp.zeros(2 * layout.size)
        for name, term in library.for_layout(lacking).items():
            ran = program.execute(library.text([term]))
            wide = jnp.concatenate([features, jnp.ones(len(ran.parameters))])
            try:
                jax.eval_shape(lambda f, ran=ran, lacking=lacking: ran.terms(Motion(lacking, f, tuple(ran.parameters))), wide)
            except MotionError as error:
                pytest.fail(f"{name} says it fits a body without {gone}: {error}")


def test_all_are_finite_sloped_and_at_most_zero(layout, terms_of, standing):
    fn, names = terms_of
    features = random_features(layout, standing)
    values = np.asarray(fn(features))
    assert np.isfinite(values).all(), [n for n, ok in zip(names, np.isfinite(values).all(0), strict=True) if not ok]
    assert (values <= 1e-5).all(), [n for n, ok in zip(names, (values <= 1e-5).all(0), strict=True) if not ok]
    # A slope that is not finite in any column is not finite along a direction that moves all columns.
    direction = np.random.default_rng(4).standard_normal(features.shape).astype(np.float32)
    with jax.disable_jit():  # the many small operations run at once; compiling their slopes as one takes far longer
        slopes = np.asarray(jax.jvp(fn, (features,), (direction,))[1])
    assert np.isfinite(slopes).all(), [n for n, ok in zip(names, np.isfinite(slopes).all(0), strict=True) if not ok]


def test_none_is_blind(layout, terms_of, standing):
    """Each term varies over the disturbed postures, and standing still is near its best for terms of stability."""
    fn, names = terms_of
    values = np.asarray(fn(random_features(layout, standing)))
    assert (values.std(0) > 1e-4).all(), [n for n, v in zip(names, values.std(0), strict=True) if v <= 1e-4]
    at_rest = dict(zip(names, np.asarray(fn(standing[None]))[0], strict=True))
    for name, value in at_rest.items():
        if LIBRARY[name].term_class == "stability":
            assert value > -0.02, f"{name} is {value} when standing"
        assert value > -3.0, f"{name} is {value} when standing"


def test_one_export_holds_them_all_without_loops_or_calls(layout, terms_of):
    fn, names = terms_of
    artifact = program.export_terms(fn, layout, platforms=("cpu",))
    restored = jax.export.deserialize(bytearray(artifact))
    text = restored.mlir_module()
    assert "stablehlo.while" not in text
    assert {line.split("@")[1].split("(")[0] for line in text.splitlines() if "stablehlo.custom_call" in line} <= {"shape_assertion"}
    assert restored.call(np.zeros((3, 2 * layout.size), np.float32)).shape == (3, len(names))


def test_fixing_orders_by_directness_then_by_class():
    found = [t.name for t in library.fixing("too_slow")]
    assert found[0] == "forward_speed"
    assert library.fixing("no such fault") == []
    for kind in FAULTS:  # what is forbidden, or not measured, no one term cures
        if kind not in ("diverged", "unwanted", "unmeasured"):
            assert remedies(kind), f"nothing cures {kind}"


def test_terms_of_gait_tell_their_fault_from_its_absence(layout, terms_of, standing):
    """Each new value of an instant is worse than the one before it, by the one term that is about it."""
    fn, names = terms_of

    def instant(angles=(), memory=(), moved=(), time=5.0):
        features = standing.copy()
        features[layout.column("time")] = time
        stood = [((side, field), time) for side in SIDES for field in ("time_since_touchdown", "time_since_liftoff")]
        for joint, value in angles:
            name, sign = layout.anatomy[joint]
            features[layout.column("qpos", layout.joints[name][0])] = sign * value
        for (side, field), value in (*stood, *memory):
            features[layout.column("gait", SIDES.index(side) * len(GAIT_FIELDS) + GAIT_FIELDS.index(field))] = value
        for landmark, quantity, shift in moved:
            at = layout.column("sensor", layout.landmarks[landmark][quantity])
            features[at : at + len(shift)] += np.array(shift, np.float32)
        return features

    down, up = [(("left", "in_contact"), 1.0)], [(("left", "in_contact"), 0.0)]
    since, ago = ("left", "time_since_touchdown"), ("left", "time_since_liftoff")
    behind, ahead = [("left.foot", "position", (-0.4, 0.0, 0.0))], [("left.foot", "position", (0.3, 0.0, 0.0))]
    pitch = lambda sine: ("left.foot", "quat", _pitched(standing, layout, sine))
    other = [(("right", "time_since_touchdown"), 0.9)]
    pairs = {
        "push_off": (instant([("left.ankle_flexion", -0.3)], down, behind), instant([("left.ankle_flexion", 0.1)], down, behind)),
        "heel_strike": (instant(memory=up, moved=[*ahead, pitch(0.35)]), instant(memory=up, moved=[*ahead, pitch(0.0)])),
        "swing_time": (instant(memory=[*down, (since, 0.1), (ago, 0.5)]), instant(memory=[*down, (since, 0.1), (ago, 0.15)])),
        "stance_time": (instant(memory=[*up, (since, 0.8), (ago, 0.2)]), instant(memory=[*up, (since, 0.4), (ago, 0.2)])),
        "even_steps": (instant(memory=[(since, 0.4), *other]), instant(memory=[(since, 0.8), *other])),
        "left_knee_up": (
            instant(moved=[("left.knee", "position", (0.4, 0, 0.4))]),
            instant(moved=[("left.knee", "position", (-0.4, 0, 0.4))]),
        ),
        "toe_lift": (
            instant(moved=[("left.toe", "velocity", (2.0, 0, 0)), ("left.toe", "position", (0, 0, 0.05))]),
            instant(moved=[("left.toe", "velocity", (2.0, 0, 0))]),
        ),
    }
    for name, (well, badly) in pairs.items():
        good, bad = np.asarray(fn(np.stack([well, badly])))[:, names.index(name)]
        assert good > -0.02 and bad < good - 0.05, (name, good, bad)
    # The clock: at a quarter of a stride the left foot is in the middle of its swing, shortly before 0.19 of it at the swing's end.
    period = LIBRARY["swing_clock"].parameters["stride_period"][0]
    middle, late = 2.25 * period, 2.4 * period
    loads = lambda left, right: [(("left", "load"), left), (("right", "load"), right)]
    touching = lambda left, right: [(("left", "in_contact"), left), (("right", "in_contact"), right)]
    length = np.sqrt(standing[layout.column("sensor", layout.com["position"]) + 2] / 9.81)
    toes = lambda lift: ("left.toe", "position", (0.0, 0.0, lift))
    pairs = {
        "swing_clock": (instant(memory=loads(0.0, 1.0), time=middle), instant(memory=loads(1.0, 0.0), time=middle)),
        "stance_clock": (instant(memory=touching(0.0, 1.0), time=middle), instant(memory=touching(1.0, 0.0), time=middle)),
        "swing_clearance": (instant(moved=[toes(0.06)], time=middle), instant(moved=[toes(0.0)], time=middle)),
        "swing_reach": (instant(moved=ahead, time=late), instant(moved=behind, time=late)),
        "capture_placement": (
            _caught(standing, layout, instant(time=late), length, 0.1, 0.05),
            _caught(standing, layout, instant(time=late), length, 0.5, 0.05),
        ),
    }
    for name, (well, badly) in pairs.items():
        good, bad = np.asarray(fn(np.stack([well, badly])))[:, names.index(name)]
        assert good > -0.1 and bad < good - 0.2, (name, good, bad)
    # A foot that has stood since the start did not land: nothing is held against it.
    start = instant(memory=[*down, (since, 0.3), (ago, 0.3)], time=0.3)
    assert np.asarray(fn(start[None]))[0, names.index("swing_time")] > -0.02


def _caught(standing, layout, features, length, behind, outside):
    """Return an instant with the left foot so far behind and outside of the extrapolated centre of mass of a body that goes forward (m)."""
    features = features.copy()
    place, way = (layout.column("sensor", layout.com[quantity]) for quantity in ("position", "velocity"))
    features[way : way + 2] = (0.8, 0.0)
    foot = layout.column("sensor", layout.landmarks["left.foot"]["position"])
    features[foot] = features[place] + 0.8 * length - behind
    features[foot + 1] = features[place + 1] + outside
    return features


def _pitched(standing, layout, sine):
    """Return what has to be added to the left foot's quaternion so that its toes point up by the arc sine."""
    at = layout.column("sensor", layout.landmarks["left.foot"]["quat"])
    half = -0.5 * np.arcsin(sine)
    return np.array([np.cos(half), 0.0, np.sin(half), 0.0]) - standing[at : at + 4]
