"""A hand and its object: nothing of the walking bodies is asked of it, and its start holds."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest

from movlr_jax import morphologies
from movlr_jax.errors import MovlrError
from movlr_jax.morphologies import Scene
from movlr_jax.morphologies.objects import Bottle, Cube, Table

pytestmark = pytest.mark.models


def place(body, data, name):
    at, count = body.sensors[f"{name}/position"]
    return np.array(data.sensordata[at : at + count])


def test_the_hand_has_its_own_muscles_joints_and_tendons_alone(bottle_hand):
    model = bottle_hand.model
    assert (model.nu, model.ntendon, bottle_hand.posture.size) == (81, 81, 28)
    assert set(model.actuator_trnid[:, 0]) == set(range(model.ntendon))
    assert bottle_hand.fixed and not bottle_hand.plan.feet
    assert all(name.startswith("right_") and not name.endswith("_other") for name in bottle_hand.muscles.groups)
    assert sum(len(g) for g in bottle_hand.muscles.groups.values()) == 81


@pytest.mark.parametrize("hand", ["bottle_hand", "cube_hand"])
def test_the_start_encloses_the_object_and_holds_it_for_a_while(hand, request):
    body = request.getfixturevalue(hand)
    data = body.data()
    start = place(body, data, "object")
    np.testing.assert_allclose(start, body.thing.position, atol=0.005)
    fingers = [place(body, data, f"right.{f}") - start for f in ("index", "middle", "ring", "little")]
    thumb, palm = place(body, data, "right.thumb") - start, place(body, data, "right.hand") - start
    # Around the object: thumb and palm are on other sides of it than the fingertips are on average.
    tips = np.mean(fingers, axis=0)
    assert np.dot(palm, tips) < 0 and np.dot(palm[:2], palm[:2]) > 0
    assert max(np.linalg.norm(f) for f in (*fingers, thumb, palm)) < 0.08
    deepest = min(data.contact.dist[: data.ncon], default=0.0)
    assert deepest > -0.002
    for _ in range(50):
        mujoco.mj_step(body.model, data)
    assert np.linalg.norm(place(body, data, "object") - start) < 0.015


def test_a_bottle_without_a_hand_stands_on_the_table_and_one_beside_it_falls(bottle_hand):
    body, data = bottle_hand, bottle_hand.data()
    at = int(body.model.joint("object").qposadr[0])
    for shift, stands in ((0.25, True), (-0.4, False)):  # to the left on the table; to the right past its edge
        mujoco.mj_resetData(body.model, data)
        data.qpos[:] = body.standing_qpos
        data.qpos[at : at + 7] = [*Bottle().position, 1.0, 0.0, 0.0, 0.0]
        data.qpos[at + 1] += shift
        for _ in range(300):
            mujoco.mj_step(body.model, data)
        up = data.body("object").xmat.reshape(3, 3)[2, 2]
        upright = abs(data.body("object").xpos[2] - Bottle().position[2]) < 0.004 and up > 0.999
        assert bool(upright) is stands


def test_objects_weigh_what_they_say_and_their_ghosts_touch_nothing(bottle_hand, cube_hand):
    for body, mass in ((bottle_hand, 0.5), (cube_hand, 0.1)):
        assert body.model.body_mass[body.model.body("object").id] == pytest.approx(mass)
        ghost = body.model.geom_bodyid == body.model.body("target").id
        assert ghost.any() and not (body.model.geom_contype[ghost] | body.model.geom_conaffinity[ghost]).any()


def test_a_body_without_a_grasp_refuses_the_object_in_one_sentence():
    with pytest.raises(MovlrError, match="myolegs has no grasp of the cube"):
        morphologies.load("myolegs", Scene(thing=Cube(), table=Table()))
