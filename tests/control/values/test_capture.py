"""Capturability on made postures: the very distances, whichever way the body faces, on every array namespace, and in a plan."""

import jax
import numpy as np
import pytest
from support import arm

from movlr_jax import tasks
from movlr_jax.control import episode, values
from movlr_jax.control.planners import MPPI
from movlr_jax.control.values.capture import AHEAD, FOOT, GRAVITY, HALF, LEG_SPEED, REACH_SPEED, SWING, Capture
from movlr_jax.errors import MovlrError
from movlr_jax.physics.gait import GAIT_FIELDS
from movlr_jax.rewards.features import feature_layout
from movlr_jax.rewards.reward import Reward

SIDES = ("left", "right")
HIP, HEIGHT = 0.1, 0.95  # m, how far each foot stands to its side, and the centre of mass above the ground


class Made:
    """Instants of a body upright over its feet, of which a test sets what it wants."""

    def __init__(self, layout):
        self.layout, self.row = layout, np.zeros(layout.size, np.float32)
        for name in layout.landmarks:
            self.sensor(layout.landmarks[name]["quat"], (1.0, 0.0, 0.0, 0.0))
        self.sensor(layout.com["position"], (0.0, 0.0, HEIGHT))
        for side, y in zip(SIDES, (HIP, -HIP), strict=True):
            self.foot(side, (0.0, y), in_contact=1.0)

    def sensor(self, offset, value):
        at = self.layout.column("sensor", offset)
        self.row[at : at + len(value)] = value

    def foot(self, side, place, velocity=(0.0, 0.0), **gait):
        for part, x in (("heel", -0.1), ("foot", 0.0), ("toe", 0.1)):
            at = self.layout.landmarks[f"{side}.{part}"]
            self.sensor(at["position"], (place[0] + x, place[1], 0.0))
            self.sensor(at["velocity"], (*velocity, 0.0))
        for name, value in gait.items():
            self.row[self.layout.column("gait", SIDES.index(side) * len(GAIT_FIELDS) + GAIT_FIELDS.index(name))] = value

    def moves(self, velocity):
        self.sensor(self.layout.com["velocity"], (*velocity, 0.0))

    def turned(self, angle):
        """Return the instant of the same body that faces another way, elsewhere."""
        row, layout = self.row.copy(), self.layout
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        start = layout.column("sensor")
        for at in [*layout.landmarks.values(), layout.com]:
            for quantity, shift in (("position", (30.0, -20.0)), ("velocity", (0.0, 0.0))):
                i = start + at[quantity]
                row[i : i + 2] = turn @ row[i : i + 2] + shift
            if "quat" in at:
                i = start + at["quat"]
                row[i : i + 4] = np.cos(angle / 2), 0.0, 0.0, np.sin(angle / 2)
        return row


@pytest.fixture
def layout(myolegs):
    return feature_layout(myolegs)


@pytest.fixture
def made(layout):
    return Made(layout)


@pytest.fixture
def capture(layout):
    return Capture(layout)


def scale(layout):
    return layout.standing["com_height"] / 0.97


def test_a_body_at_rest_over_its_feet_is_in_no_danger(made, capture):
    assert capture.shortfall(made.row) == 0.0 and capture(made.row[None, None])[0, 0] == 0.0


def test_a_sideways_push_beyond_a_step_to_the_side_is_the_distance_that_is_missing(made, capture, layout):
    pace, left, speed = np.sqrt(GRAVITY / HEIGHT), SWING * np.sqrt(scale(layout)), 1.0
    made.moves((0.0, speed))
    xi = -HIP + (speed / pace + HIP) * np.exp(pace * left)
    lands = HIP + 0.5 * LEG_SPEED * speed * left
    reach = FOOT * scale(layout) + REACH_SPEED * np.sqrt(scale(layout)) * left
    assert xi - lands - reach > 0.3
    # From the left foot xi runs away more slowly, and the right one crosses.
    wanted = HIP + (speed / pace - HIP) * np.exp(pace * left) - (-HIP + 0.5 * LEG_SPEED * speed * left) - reach
    assert wanted > 0.1
    assert capture.shortfall(made.row) == pytest.approx(wanted, rel=1e-4)
    assert capture(made.row[None, None])[0, 0] == pytest.approx(-wanted / (wanted + HALF * scale(layout)), rel=1e-3)


def test_a_foot_that_swings_ahead_saves_what_one_that_hangs_behind_does_not(made, capture):
    made.moves((2.0, 0.0))
    danger = []
    for velocity in ((3.0, 0.0), (0.0, 0.0), (-1.0, 0.0)):
        made.foot("left", (0.1, HIP), velocity, in_contact=0.0, time_since_liftoff=0.25)
        danger.append(float(capture.shortfall(made.row)))
    assert danger[0] == 0.0 and 0.05 < danger[1] < danger[2]


def test_a_walk_may_run_ahead_of_its_feet_by_half_a_metre_and_no_further_and_neither_back_nor_sideways(made, capture, layout):
    pace, left = np.sqrt(GRAVITY / HEIGHT), SWING * np.sqrt(scale(layout))
    reach = FOOT * scale(layout) + REACH_SPEED * np.sqrt(scale(layout)) * left
    made.sensor(layout.com["position"], (0.0, -HIP, HEIGHT))
    made.foot("left", (0.0, HIP), in_contact=0.0, time_since_liftoff=0.0)  # it hangs where it is
    speed = pace * (0.1 + np.exp(-pace * left) * (AHEAD * scale(layout) + reach + 0.07))
    made.moves((speed, 0.0))
    assert capture.shortfall(made.row) == pytest.approx(0.07, abs=2e-3)
    made.moves((0.9 * speed, 0.0))
    assert capture.shortfall(made.row) == 0.0
    for away in ((-speed, 0.0), (0.0, speed)):
        made.moves(away)
        assert capture.shortfall(made.row) > 0.07 + 0.8 * AHEAD * scale(layout)


def test_it_knows_neither_place_nor_heading(made, capture):
    made.moves((1.5, 0.6))
    made.foot("right", (-0.3, -HIP), (1.0, 0.2), in_contact=0.0, time_since_liftoff=0.2)
    danger = capture.shortfall(made.row)
    assert danger > 0.05
    np.testing.assert_allclose(capture.shortfall(np.stack([made.turned(a) for a in (0.7, 2.0, -3.0)])), danger, rtol=1e-3)


def test_it_is_the_same_in_a_compiled_program(made, capture):
    rows = []
    for speed in (0.0, 0.8, 1.6, 2.4):
        made.moves((0.3, speed))
        rows.append(made.row.copy())
    batch = np.stack(rows)[None]
    np.testing.assert_allclose(jax.jit(capture)(batch), capture(batch), rtol=1e-3, atol=1e-6)
    assert capture(batch).shape == (1, 4) and (np.diff(capture(batch)) <= 0).all()


def test_a_body_without_feet_is_refused_in_one_sentence():
    with pytest.raises(MovlrError, match=r"The terminal value capture is for bodies with feet; arm lacks left\.foot"):
        values.make("capture", feature_layout(arm.load()))


def test_a_body_is_planned_for_with_it(myolegs):
    task, layout = tasks.get("stand"), feature_layout(myolegs)
    runner = episode.EpisodeRunner.build(myolegs, MPPI(candidates=8, horizon=0.08, value="capture", value_weight=3.0), "native", threads=1)
    rollout = task.episode(runner, Reward.trusted("human", task.rewards["human"], layout), 0, seconds=0.06)
    assert np.isfinite(rollout.costs).all() and rollout.ended == "time"
