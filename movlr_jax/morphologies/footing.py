"""Whether a body feels the floor: after it has settled, its feet carry its weight through contacts with the floor; else, what keeps them.

A model can be silent about a floor that is not felt: contact bits that do not meet, an exclusion, a switched-off flag, no gravity, a weld
to the world. Such a body looks sound, and every foot load, step and fall measured on it is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator

import mujoco
import numpy as np

from movlr_jax.morphologies import root
from movlr_jax.morphologies.body_plan import BodyPlan

LEAST_SIDE = 0.1  # body weights that each foot carries at least
LEAST, MOST = 0.7, 1.3  # body weights that the feet may carry at rest; the bodies of the catalog carry 0.99 to 1.02
_UPRIGHT = 0.9998  # cosine of what gravity may lean (1 degree)
_STANDING_FLAGS = {
    mujoco.mjtDisableBit.mjDSBL_CONTACT: ("contact", "contacts"),
    mujoco.mjtDisableBit.mjDSBL_CONSTRAINT: ("constraint", "contacts and limits"),
    mujoco.mjtDisableBit.mjDSBL_GRAVITY: ("gravity", "gravity"),
}
_FLAGS = {
    mujoco.mjtDisableBit.mjDSBL_ACTUATION: ("actuation", "muscles"),
    mujoco.mjtDisableBit.mjDSBL_SENSOR: ("sensor", "sensors"),
}


def switched_off(model: mujoco.MjModel, stands: bool = True) -> Iterator[str]:
    """Yield what of the model's options keeps any body from moving by its muscles, or from standing, a sentence each.

    Args:
        model: the compiled model.
        stands: whether the body stands; one that is fixed to the world needs neither floor nor gravity.
    """
    gravity = model.opt.gravity
    size = float(np.linalg.norm(gravity))
    if not stands:
        pass
    elif size < 1e-3:
        yield "The model has no gravity, so nothing is felt of the floor: set <option gravity='0 0 -9.81'/>."
    elif -gravity[2] < _UPRIGHT * size:
        yield f"Gravity points to {' '.join(f'{g:g}' for g in gravity)} and not down: turn the model so that z points up."
    for bit, (flag, what) in ((_STANDING_FLAGS | _FLAGS) if stands else _FLAGS).items():
        if model.opt.disableflags & int(bit):
            yield f"The model switches its {what} off: take <flag {flag}='disable'/> out."
    if model.neq and model.opt.disableflags & int(mujoco.mjtDisableBit.mjDSBL_EQUALITY):
        yield "The model switches off the equalities that couple its joints: take <flag equality='disable'/> out, or the equalities."
    if model.opt.enableflags & int(mujoco.mjtEnableBit.mjENBL_SLEEP):
        yield "The model lets bodies sleep, which worlds side by side cannot: take <flag sleep='enable'/> out."
    groups = {int(g) for g in model.actuator_group if model.opt.disableactuator >> int(g) & 1}
    if groups:
        yield f"The model switches its muscles of group {', '.join(map(str, sorted(groups)))} off: take actuatorgroupdisable out."


def fault(model: mujoco.MjModel, data: mujoco.MjData, plan: BodyPlan) -> str:
    """Return why the feet do not carry the body that has come to rest in `data`, every cause that is found; "" where they do."""
    off = " ".join(switched_off(model))
    if off:
        return off
    own, floor = root.tree(model, plan.top(model)), model.geom("floor").id
    feet = {model.body(name).id for bodies in plan.feet.values() for name in bodies}
    carried: dict[int, float] = {}
    force = np.zeros(6)
    for i in range(data.ncon):
        contact = data.contact[i]
        others = [int(g) for g in contact.geom if g != floor]
        if len(others) == 1 and own[model.geom_bodyid[others[0]]]:
            mujoco.mj_contactForce(model, data, i, force)
            body = int(model.geom_bodyid[others[0]])
            carried[body] = carried.get(body, 0.0) + abs(force[0] * contact.frame[2])
    weight = float(np.where(own, model.body_mass, 0.0).sum() * np.linalg.norm(model.opt.gravity))
    share = sum(load for body, load in carried.items() if body in feet) / weight
    causes: list[str] = []
    for side, names in plan.feet.items():
        parts = {model.body(name).id for name in names}
        alone = sum(carried.get(body, 0.0) for body in parts) / weight
        if LEAST <= share <= MOST and alone < LEAST_SIDE:
            why = list(_why(model, own, parts, floor))
            sentence = f"At rest the {side} foot carries {alone:.2f} of the body's weight: correct stance, or the geoms of that foot."
            causes += why or [sentence]
    if causes:
        return " ".join(dict.fromkeys(causes))
    if LEAST <= share <= MOST:
        return ""
    why = list(_why(model, own, feet, floor))
    if why:
        return " ".join(why)
    rest = [model.body(body).name for body, load in carried.items() if body not in feet and load > 0.1 * weight]
    sentence = f"At rest the feet carry {share:.2f} of the body's weight"
    if rest:
        return f"{sentence}, and {', '.join(rest)} touch the floor too: name them in feet, or correct stance."
    return f"{sentence}: see which geoms of the feet collide with the floor, and that nothing else holds the body."


def _why(model: mujoco.MjModel, own: np.ndarray, feet: set[int], floor: int) -> Iterator[str]:
    """Yield what in the model keeps feet and floor apart, or holds the body up, a sentence each."""
    solid = [g for g in range(model.ngeom) if model.geom_bodyid[g] in feet]
    meets = [
        g for g in solid if model.geom_contype[floor] & model.geom_conaffinity[g] or model.geom_contype[g] & model.geom_conaffinity[floor]
    ]
    paired = {frozenset((int(a), int(b))) for a, b in zip(model.pair_geom1, model.pair_geom2, strict=True)}
    if not meets and not any(frozenset((floor, g)) in paired for g in solid):
        yield (
            "The feet do not collide with the floor, their contact bits do not meet (the floor's contype is "
            f"{model.geom_contype[floor]}, its conaffinity {model.geom_conaffinity[floor]}): give both contype 1 and conaffinity 1."
        )
    lifted = [model.body(int(b)).name for b in np.flatnonzero(own & (model.body_gravcomp != 0))]
    if lifted:
        yield f"Gravity is compensated for {', '.join(lifted[:4])}: take gravcomp out."
    first = int(np.flatnonzero(own)[0])
    if any(model.jnt_stiffness[j] for j in root.root_joints(model, first)):
        yield "A spring holds the root: take the stiffness of its joints out."
    ground = int(model.geom_bodyid[floor])
    for signature in model.exclude_signature:
        pair = {int(signature) >> 16, int(signature) & 0xFFFF}
        if ground in pair and pair & feet:
            foot = model.body(next(iter(pair & feet))).name
            yield f"The model excludes contacts of {foot} with the floor: take that <exclude> out."
    for e in range(model.neq):
        kinds = {int(mujoco.mjtEq.mjEQ_WELD): "weld", int(mujoco.mjtEq.mjEQ_CONNECT): "connect"}
        kind = kinds.get(int(model.eq_type[e]), "")
        if not kind or not model.eq_active0[e]:
            continue
        ids = (int(model.eq_obj1id[e]), int(model.eq_obj2id[e]))
        bodies = ids if model.eq_objtype[e] == mujoco.mjtObj.mjOBJ_BODY else tuple(int(model.site_bodyid[i]) for i in ids)
        held = [b for b in bodies if own[b]]
        if len(held) == 1 and any(model.body_weldid[b] == 0 or model.body_mocapid[b] >= 0 for b in bodies if not own[b]):
            yield f"{model.body(held[0]).name} hangs on the world or on a mocap body by a <{kind}>: take it out."
