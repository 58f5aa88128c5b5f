"""BodyPlan: what a body's author states about it. Everything else is read from its compiled model.

A body is added by one file that makes a BodyPlan and one line in the catalog.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import mujoco

from movlr_jax.morphologies import root
from movlr_jax.morphologies.posture import NOISE


@dataclass(frozen=True)
class LandmarkPlan:
    """A named place: a body of the model and an offset in that body's own axes (m)."""

    body: str
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class BodyPlan:
    """What the author of a body states.

    Attributes:
        name: catalog name.
        title: one line for people.
        licence: SPDX identifier of the model's licence.
        source: where it comes from, in words.
        spec: returns the model as an MjSpec, its scene cleaned: one floor plane at z = 0, no pedestal, no decor that collides.
        landmarks: landmark name ("pelvis", "left.foot", ...) -> place.
        feet: side -> bodies whose contact forces count as that foot's load. Without feet a body neither stands nor falls: it is fixed in
            the world where its model puts it, and its stance is a pose at rest.
        planned_joints: scalar joints that the planner moves.
        root_yaw: turn of the root about the vertical that makes the body face +x (rad).
        stance: scalar joint -> angle of the standing posture (rad); joints not named stand at 0, clipped to their range.
        upright: scalar joint -> coefficient: the direction in posture space that pitches the whole body over its feet.
        balance: scalar joint -> coefficient: the direction in posture space along which the stance is shifted until the centre of mass
            is above the feet (legs lean forward while the trunk stays upright).
        grasps: name of an object -> scalar joint -> angle of the pose that holds it ready (rad); joints not named are as in the stance.
        muscle_groups: group name -> substrings of muscle names without their side suffix.
        unsided: side of muscles whose names carry none.
        motors: what becomes of actuators that are no muscles, of `motors.MODES`; "": it has none.
        law: the muscle law that measured best on this body.
        noise: the planner's noise that measured best on this body, as a share of each joint's range.
        gains: muscle law -> its gain, calibrated by `movlr calibrate`; laws not named have the gain of the released controller.
    """

    name: str
    title: str
    licence: str
    source: str
    spec: Callable[[], mujoco.MjSpec]
    landmarks: Mapping[str, LandmarkPlan]
    feet: Mapping[str, tuple[str, ...]]
    planned_joints: tuple[str, ...]
    root_yaw: float = 0.0
    stance: Mapping[str, float] = field(default_factory=dict)
    upright: Mapping[str, float] = field(default_factory=dict)
    balance: Mapping[str, float] = field(default_factory=dict)
    grasps: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    muscle_groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unsided: str = "middle"
    motors: str = ""
    law: str = "fibre-strain"
    noise: float = NOISE
    gains: Mapping[str, float] = field(default_factory=dict)

    def top(self, model: mujoco.MjModel) -> int:
        """Return the first body of this body's tree in its compiled model: the one that moves it as a whole.

        A body with feet is the tree that holds its pelvis; one without is the tree of its first planned joint.

        Raises:
            MovlrError: the pelvis is fixed to the world.
        """
        inside = model.body(self.landmarks["pelvis"].body).id if self.feet else int(model.joint(self.planned_joints[0]).bodyid[0])
        return root.top(model, inside)
