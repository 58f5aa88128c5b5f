"""A user's own body: one YAML file beside an MJCF model.

Flows in: the YAML's path. Flows out: its BodyPlan, or everything that is wrong with it, a sentence each. The file holds the fields of a
BodyPlan under their names; `model` is the MJCF, relative to the file. The model's only plane becomes the floor if none is named so.
"""

from __future__ import annotations

import copy
import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import mujoco
import numpy as np
import pydantic

from movlr_jax import atomic, typed_yaml
from movlr_jax._quiet import silence_mujoco
from movlr_jax.errors import MovlrError, did_you_mean
from movlr_jax.morphologies import footing, model_files, motors, muscles, posture, root
from movlr_jax.morphologies.body_plan import BodyPlan, LandmarkPlan
from movlr_jax.sides import SIDES

SUFFIXES = (".yaml", ".yml")
LANDMARKS = ("pelvis", "trunk", "left.foot", "right.foot")  # what standing, gait memory and the behaviour checks read
# What `m` of a reward has by these names already.
RESERVED = frozenset(
    ("com", "dt", "goal", "joint", "joints", "left", "muscle_group", "muscles", "object", "previous", "right", "standing", "time")
)
_SLACK = 0.01  # rad or m by which a stance may lie outside a range
_MOVED = {0: "forward", 2: "up"}  # how the root of a body that stands must be movable
_FLAT = 1e-6  # m and unit vector; how exactly the floor must lie at z = 0


# What pydantic calls by Python's names, in those of YAML.
_WANTED = {
    "tuple_type": "give a list",
    "dict_type": "give `name: value` lines",
    "model_type": "give `name: value` lines, for example {body: pelvis}",
    "string_type": "give a text",
    "float_type": "give a number",
    "float_parsing": "give a number",
    "path_type": "give a file",
    "too_short": "give at least one",
    "finite_number": "give a number that is finite",
}


class _Strict(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", protected_namespaces=(), allow_inf_nan=False)


class _Place(_Strict):
    body: str
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)


class _Body(_Strict):
    name: str = pydantic.Field(pattern=r"^[a-z0-9][a-z0-9._-]*$", description="a short name: small letters, figures, dashes")
    title: str = pydantic.Field(description="one line for people")
    licence: str = pydantic.Field(description="the model's licence")
    model: Path = pydantic.Field(description="the MJCF file, relative to this one")
    landmarks: dict[str, _Place] = pydantic.Field(description=f"name: {{body, offset}}, at least {', '.join(LANDMARKS)}")
    feet: dict[str, tuple[str, ...]] = pydantic.Field(
        {}, description="left and right, each a list of the bodies that touch the floor; without feet it is fixed to the world"
    )
    planned_joints: tuple[str, ...] = pydantic.Field(min_length=1, description="the joints that the planner moves")
    root_yaw: float = 0.0
    stance: dict[str, float] = {}
    upright: dict[str, float] = {}
    balance: dict[str, float] = {}
    muscle_groups: dict[str, tuple[str, ...]] = {}
    law: str = "fibre-strain"
    noise: float = pydantic.Field(posture.NOISE, gt=0, le=1)
    gains: dict[str, float] = {}
    motors: Literal["", "posture", "zero"] = ""
    lost: frozenset[str] = frozenset()  # values of the file that cannot be, and so say nothing of the model

    @property
    def stands(self) -> bool:
        """Whether it names feet, rightly or wrongly; without it is fixed to the world."""
        return bool(self.feet) or any(name.split(".")[0] == "feet" for name in self.lost)


def names_file(name: str) -> bool:
    """Whether a morphology's name means a YAML file rather than one of the catalog."""
    return name.endswith(SUFFIXES)


def settled(name: str) -> str:
    """Return a morphology's name as a run keeps it: of a YAML file the absolute path, so that the run goes on from any folder."""
    if not names_file(name):
        return name
    try:
        return str(Path(name).resolve())
    except (OSError, ValueError, RuntimeError):  # a NUL, links in a circle
        raise MovlrError(f"{name!r} is no name of a file: give a path.") from None


def called(name: str) -> str:
    """Return what tables call a body: of a YAML file the name in it, read anew; the file's own where it has none."""
    if not names_file(name):
        return name
    try:
        raw = typed_yaml.values(atomic.read_text(Path(name), follow=True), "The file")
    except (OSError, MovlrError):
        raw = None
    own = raw.get("name") if isinstance(raw, dict) else None
    return own if isinstance(own, str) and own else Path(name).stem


def load(path: Path) -> BodyPlan:
    """Return the plan that a YAML file states.

    Raises:
        MovlrError: it cannot be read or does not fit its model; the sentence tells the first thing that is wrong and how many more are.
    """
    body, wrong = _read(path)
    if body is not None and not wrong:
        wrong = _unfit(path, body)
    if body is None or wrong:
        more = f" ({len(wrong) - 1} more: movlr morphologies check {path})" if len(wrong) > 1 else ""
        raise MovlrError(f"{path}: {wrong[0]}{more}")
    return _plan(path, body)


def problems(path: Path, laws: Iterable[str]) -> list[str]:
    """Return everything that keeps a YAML file from being a body, a sentence each; nothing where it is sound.

    Args:
        path: the file.
        laws: the muscle laws there are; they are known above this package.
    """
    return examined(path, laws)[1]


def examined(path: Path, laws: Iterable[str]) -> tuple[BodyPlan | None, list[str]]:
    """Return the plan that a YAML file states, None where there is none, and `problems`."""
    body, wrong = _read(path)
    if body is None:
        return None, wrong
    wrong += [_unknown(name, laws, "muscle law") for name in (body.law, *body.gains) if name not in laws]
    wrong += _unfit(path, body)
    return (None if wrong else _plan(path, body)), wrong


def _plan(path: Path, body: _Body) -> BodyPlan:
    model = _model_file(path, body)
    places = {name: LandmarkPlan(place.body, place.offset) for name, place in body.landmarks.items()}
    if not body.stands and "pelvis" not in places:
        places = {"pelvis": _base(_spec(model, fixed=True), body), **places}
    return BodyPlan(
        name=body.name,
        title=body.title,
        licence=body.licence,
        source=str(path.resolve()),
        spec=lambda: _spec(model, fixed=not body.stands),
        landmarks=places,
        feet=body.feet,
        planned_joints=body.planned_joints,
        root_yaw=body.root_yaw,
        stance=body.stance,
        upright=body.upright,
        balance=body.balance,
        muscle_groups=body.muscle_groups,
        law=body.law,
        noise=body.noise,
        gains=body.gains,
        motors=body.motors,
    )


def _base(spec: mujoco.MjSpec, body: _Body) -> LandmarkPlan:
    """Return where a body without feet is fixed to the world: what stands for the pelvis, by which places are told."""
    model = spec.compile()
    top = root.top(model, int(model.joint(body.planned_joints[0]).bodyid[0]))
    x, y, z = map(float, model.body_pos[top])
    return LandmarkPlan(model.body(int(model.body_parentid[top])).name, (x, y, z))


def _model_file(path: Path, body: _Body) -> Path:
    return (path.resolve().parent / body.model.expanduser()).resolve()


# --- the file itself


def _read(path: Path) -> tuple[_Body | None, list[str]]:
    """Return the file's content, and what is wrong with the file itself.

    Values that cannot be are left out, so that they do not hide how the rest fits the model: then both are returned. Without a model there
    is no content.
    """
    try:
        raw = typed_yaml.values(atomic.read_text(path, follow=True), "The file")
    except OSError as error:
        return None, [f"The file cannot be read ({error.strerror}): name a YAML file that describes a body."]
    except MovlrError as error:
        return None, [str(error)]
    if not isinstance(raw, dict):
        return None, ["The file must be a list of `name: value` lines."]
    fields = [name for name in _Body.model_fields if name != "lost"]
    known = {name: raw[name] for name in fields if name in raw}
    unknown = [_unknown(str(key), fields, "value") for key in raw if key not in fields]
    try:
        return _Body.model_validate(known), unknown
    except pydantic.ValidationError as error:
        return _salvaged(known, error), [*unknown, *(_sentence(dict(e)) for e in error.errors())]


def _salvaged(known: dict[str, Any], error: pydantic.ValidationError) -> _Body | None:
    """Return what is left of a file without the values that cannot be; None where no model is left."""
    kept, lost = copy.deepcopy(known), set()
    for place in sorted({tuple(map(str, e["loc"][:2])) for e in error.errors()}, key=len, reverse=True):
        inner = kept.get(place[0])
        if len(place) > 1 and isinstance(inner, dict):
            inner.pop(place[1], None)
            lost.add(f"{place[0]}.{place[1]}")
        else:
            kept.pop(place[0], None)
            lost.add(place[0])
    stand_in = {"name": "unnamed", "title": "-", "licence": "-", "landmarks": {}, "feet": {}, "planned_joints": ("-",)}
    try:
        body = _Body.model_validate({**stand_in, **kept})
    except pydantic.ValidationError:
        return None
    return body.model_copy(update={"lost": frozenset(lost), **({"planned_joints": ()} if "planned_joints" in lost else {})})


def _sentence(error: Mapping[str, Any]) -> str:
    where = ".".join(str(part) for part in error["loc"])
    if error["type"] == "missing":
        if isinstance(error["loc"][-1], int):
            return f"{'.'.join(map(str, error['loc'][:-1]))} is {error['input']!r}: give three numbers (m)."
        field = _Body.model_fields.get(where)
        return f"{where} is missing: give {field.description if field else 'a body of the model'}."
    if error["type"] == "extra_forbidden":
        *above, key = error["loc"]
        return f"{'.'.join(map(str, above))}: {_unknown(str(key), _Place.model_fields, 'value')}"
    if where == "name":
        return f"name is {error['input']!r}: give {_Body.model_fields['name'].description}."
    wanted = _WANTED.get(error["type"], f"{error['msg'][0].lower()}{error['msg'][1:]}")
    return f"{where} is {error['input']!r}: {wanted}."


def _unknown(name: str, known: Iterable[str], kind: str) -> str:
    known = list(known)
    listed = f"there are {', '.join(known)}" if len(known) <= 16 else f"there are {len(known)}"
    near = difflib.get_close_matches(name, known, n=3)
    return f"There is no {kind} '{name}': " + (did_you_mean(name, known).strip() if near else f"{listed}.")


# --- the file against its model


def _unfit(path: Path, body: _Body) -> list[str]:
    """Return in what a file does not fit its model."""
    file = _model_file(path, body)
    if not file.exists():
        return [f"The model {file} does not exist: correct model."]
    silence_mujoco()
    try:
        model_files.check(file, path.resolve().parent)
        spec = _spec(file, fixed=not body.stands)
        model = spec.compile()
    except MovlrError as error:
        return [str(error)]
    except (ValueError, RuntimeError, mujoco.FatalError) as error:
        return [f"The model {file} does not compile: {' '.join(str(error).split())[:200]}."]
    return [
        *_value_faults(model, body),
        *(_floor_faults(model) if body.stands else ()),
        *_root_faults(model, body),
        *_place_faults(model, body),
        *_joint_faults(model, body),
        *_actuator_faults(spec, model, body),
        *footing.switched_off(model, body.stands),
    ]


def _spec(file: Path, fixed: bool) -> mujoco.MjSpec:
    """Return the model with its floor named so; a body that is fixed to the world gets one that nothing touches, if it has none.

    Raises:
        MovlrError: it has no plane and stands, or several and none is named floor.
    """
    spec = mujoco.MjSpec.from_file(str(file))
    for key in list(spec.keys):
        spec.delete(key)
    planes = [g for g in spec.geoms if g.type == mujoco.mjtGeom.mjGEOM_PLANE]
    if any(g.name == "floor" for g in planes):
        return spec
    taken = next((g for g in spec.geoms if g.name == "floor"), None)
    if taken is not None and len(planes) == 1:  # another thing is called so: it gets a name of its own
        names = {g.name for g in spec.geoms}
        _rename(spec, taken, next(name for n in range(1, len(names) + 2) if (name := f"floor-{n}") not in names))
    if fixed and not planes and taken is None:
        spec.worldbody.add_geom(name="floor", type=mujoco.mjtGeom.mjGEOM_PLANE, size=[5, 5, 1], contype=0, conaffinity=0)
        return spec
    if len(planes) != 1:
        have = f"has {len(planes)} planes and none is named floor" if planes else "has no plane to stand on"
        raise MovlrError(f"The model {have}: give it one geom with type plane and name floor at z = 0.")
    _rename(spec, planes[0], "floor")
    return spec


def _rename(spec: mujoco.MjSpec, geom: Any, name: str) -> None:
    """Give a geom another name, in the contact pairs too; sensors and tuples, which may name it as well, are not kept."""
    for part in (*spec.tuples, *spec.sensors):
        spec.delete(part)
    for pair in spec.pairs:
        if geom.name and geom.name in (pair.geomname1, pair.geomname2):
            pair.geomname1, pair.geomname2 = (name if n == geom.name else n for n in (pair.geomname1, pair.geomname2))
    geom.name = name


def _value_faults(model: mujoco.MjModel, body: _Body) -> list[str]:
    """Return values that no body has, with what was probably meant."""
    out = []
    if abs(body.root_yaw) > 2 * np.pi:
        out.append(f"root_yaw is {body.root_yaw:g} rad: degrees? Give radians ({np.deg2rad(body.root_yaw):.3g}).")
    for name, angle in body.stance.items():
        j = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_JOINT, name)
        if j < 0 or not model.jnt_limited[j]:
            continue
        low, high = (float(v) for v in model.jnt_range[j])
        if not low - _SLACK <= angle <= high + _SLACK:
            turns = int(model.jnt_type[j]) == int(mujoco.mjtJoint.mjJNT_HINGE)
            degrees = turns and (abs(angle) > 2 * np.pi or low - _SLACK <= np.deg2rad(angle) <= high + _SLACK)
            unit = "rad" if turns else "m"
            hint = f" Is it in degrees? {angle:g} degrees are {np.deg2rad(angle):.3g} rad." if degrees else ""
            out.append(f"stance.{name} is {angle:g} {unit}, outside the joint's range of {low:.3g} to {high:.3g}: correct it.{hint}")
    size = float(model.stat.extent)
    for name, place in body.landmarks.items():
        if max(map(abs, place.offset)) > max(size, 3.0):
            out.append(f"landmarks.{name}.offset is {list(place.offset)} m, farther than the model is large: millimetres? Give metres.")
        if place.body == "world" and body.stands:
            out.append(f"The landmark {name} is a place of the world: name a body that moves.")
    for side, parts in body.feet.items():
        if "world" in parts:
            out.append(f"feet.{side} names the world, which is no foot: name the body that touches the floor.")
    both = set(body.feet.get("left", ())) & set(body.feet.get("right", ()))
    if both:
        out.append(f"{', '.join(sorted(both))} is in both feet: name for each side the bodies of that foot alone.")
    left, right = (body.landmarks.get(f"{side}.foot") for side in SIDES)
    if left is not None and left == right:
        out.append("left.foot and right.foot are one place: name for each side its own.")
    for side, parts in body.feet.items():
        twice = sorted({part for part in parts if parts.count(part) > 1})
        if twice:
            out.append(f"feet.{side} names {', '.join(twice)} twice: its load would count twice; name each once.")
    out += _strange_faults(model, body)
    for name, gain in body.gains.items():
        if gain <= 0:
            out.append(f"gains.{name} is {gain:g}: give a number above 0.")
    return out


def _strange_faults(model: mujoco.MjModel, body: _Body) -> list[str]:
    """Return what is named as the body's and hangs on another tree than its pelvis: a ball, a door, an opponent."""
    bodies = _names(model, mujoco.mjtObj.mjOBJ_BODY, model.nbody)
    pelvis = body.landmarks.get("pelvis")
    if not body.stands or pelvis is None or pelvis.body not in bodies or model.body_weldid[model.body(pelvis.body).id] == 0:
        return []  # told elsewhere; what a fixed body works with may be a landmark of it
    own = root.tree(model, root.top(model, model.body(pelvis.body).id))
    out = []
    for name, place in body.landmarks.items():
        if place.body in bodies and place.body != "world" and not own[model.body(place.body).id]:
            out.append(f"The landmark {name} is on {place.body}, which is no part of the body that holds the pelvis: name one that is.")
    for side, parts in body.feet.items():
        strange = [part for part in parts if part in bodies and part != "world" and not own[model.body(part).id]]
        if strange:
            out.append(f"feet.{side} names {', '.join(strange)}, which is no part of the body that holds the pelvis: name one that is.")
    for name in dict.fromkeys(body.planned_joints):
        joint = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_JOINT, name)
        if joint >= 0 and not own[model.jnt_bodyid[joint]]:
            out.append(f"planned_joints names {name}, which does not belong to the body that holds the pelvis: leave it out.")
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    moments = muscles.moments(model, data)
    inside = own[model.dof_bodyid]
    for i in np.flatnonzero((moments[:, ~inside] != 0).any(1) & ~(moments[:, inside] != 0).any(1)):
        kind = "muscle" if muscles.muscular(model)[i] else "motor"
        out.append(f"The {kind} {model.actuator(int(i)).name or int(i)} moves another body alone: delete it from the model.")
    return out


def _names(model: mujoco.MjModel, kind: mujoco.mjtObj, count: int) -> list[str]:
    return [name for i in range(count) if (name := mujoco.mj_id2name(model, kind, i))]


def _floor_faults(model: mujoco.MjModel) -> list[str]:
    floor = model.geom("floor").id
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    out = []
    if model.body_weldid[model.geom_bodyid[floor]] != 0:
        out.append("The floor moves: make it a geom of the world.")
    if abs(data.geom_xpos[floor][2]) > _FLAT:
        out.append(f"The floor lies at z = {data.geom_xpos[floor][2]:g} m: move the model so that it lies at 0.")
    if not np.allclose(data.geom_xmat[floor].reshape(3, 3)[:, 2], (0, 0, 1), atol=_FLAT):
        out.append("The floor is tilted: turn it level.")
    if not (model.geom_contype[floor] or model.geom_conaffinity[floor]):
        out.append("The floor collides with nothing: give it contype and conaffinity 1.")
    return out


def _root_faults(model: mujoco.MjModel, body: _Body) -> list[str]:
    if not body.stands:
        return _loose_faults(model, body)
    place = body.landmarks.get("pelvis")
    if place is None or place.body not in _names(model, mujoco.mjtObj.mjOBJ_BODY, model.nbody):
        return []  # told where landmarks are
    try:
        top = root.top(model, model.body(place.body).id)
        root.yaw(model, top, model.qpos0, body.root_yaw)
    except MovlrError as error:
        return [str(error)]
    ways = root.directions(model, top)
    missing = [f"{name} ({'xyz'[i]})" for i, name in _MOVED.items() if not np.allclose(ways[:, i], np.eye(3)[i])]
    if missing:
        return [
            f"The root {model.body(top).name} cannot be moved {' and '.join(missing)}, so the body can neither walk nor be placed on the "
            "ground: give it a free joint, or slides along x and z; or leave feet out, if it is fixed to the world."
        ]
    return []


def _loose_faults(model: mujoco.MjModel, body: _Body) -> list[str]:
    """Return whether a body that names no feet moves as a whole all the same."""
    joint = next((j for name in body.planned_joints if (j := mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_JOINT, name)) >= 0), -1)
    if joint < 0:
        return []  # told where joints are
    top = root.top(model, int(model.jnt_bodyid[joint]))
    if root.directions(model, top).any() and not set(root.root_joints(model, top)) & {
        mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_JOINT, name) for name in body.planned_joints
    }:
        return [f"feet is missing, and {model.body(top).name} is not fixed to the world: name its feet, left and right, or fix it."]
    return []


def _place_faults(model: mujoco.MjModel, body: _Body) -> list[str]:
    bodies = _names(model, mujoco.mjtObj.mjOBJ_BODY, model.nbody)
    told = {name for name in LANDMARKS if {"landmarks", f"landmarks.{name}"} & body.lost}
    needed = [name for name in LANDMARKS if body.stands and name not in told]
    out = [f"The landmark {name} is missing: add it to landmarks." for name in needed if name not in body.landmarks]
    for name, place in body.landmarks.items():
        side, _, part = name.rpartition(".")
        if not part.isidentifier() or side not in ("", *SIDES) or (not side and (name in RESERVED or name.startswith("_"))):
            out.append(f"A landmark cannot be named '{name}': use a word such as head, or left. and right. before it.")
        if place.body not in bodies:
            out.append(f"The landmark {name}: {_unknown(place.body, bodies, 'body')}")
    bare = [side for side in SIDES if body.feet and not body.feet.get(side) and not {"feet", f"feet.{side}"} & body.lost]
    out += [f"feet has no {side} foot: list the bodies of it that touch the floor." for side in bare]
    for side, parts in body.feet.items():
        if side not in SIDES:
            out.append(f"feet: {_unknown(side, SIDES, 'side')}")
        missing = [part for part in parts if part not in bodies]
        out += [f"feet.{side}: {_unknown(part, bodies, 'body')}" for part in missing]
        ids = [model.body(part).id for part in parts if part not in missing]
        own = np.isin(model.geom_bodyid, ids)
        if ids and not missing and not (own & ((model.geom_contype > 0) | (model.geom_conaffinity > 0))).any():
            out.append(f"feet.{side} has no geom that collides: name bodies with collision geoms.")
    return out


def _joint_faults(model: mujoco.MjModel, body: _Body) -> list[str]:
    joints = _names(model, mujoco.mjtObj.mjOBJ_JOINT, model.njnt)
    out = []
    for name in dict.fromkeys(body.planned_joints):
        if name not in joints:
            out.append(f"planned_joints: {_unknown(name, joints, 'joint')}")
            continue
        try:
            posture.build(model, (name,))
        except MovlrError as error:
            out.append(str(error))
    if len(set(body.planned_joints)) < len(body.planned_joints):
        out.append("planned_joints names a joint twice: name each once.")
    for field in ("stance", "upright", "balance") if "planned_joints" not in body.lost else ():
        for name in getattr(body, field):
            if name not in body.planned_joints:
                out.append(f"{field}: {_unknown(name, body.planned_joints, 'planned joint')}")
    return out


def _actuator_faults(spec: mujoco.MjSpec, model: mujoco.MjModel, body: _Body) -> list[str]:
    wrong = motors.faults(spec, model, body.motors)
    own = np.flatnonzero(muscles.muscular(model))
    names = [model.actuator(int(i)).name for i in own]
    if not names and (not model.nu or body.motors == "zero"):
        return [*wrong, "The model has nothing that moves it: give it muscles, or motors and the line motors: posture."]
    idle = [model.actuator(int(i)).name or f"number {i}" for i in own if model.actuator_gainprm[i, muscles.PEAK_FORCE] == 0]
    if idle:
        wrong.append(f"The muscle {idle[0]} has a force of 0 ({len(idle)} such): give it one, or delete it.")
    return [
        *wrong,
        *(
            f"muscle_groups.{group}: no muscle's name starts with '{start}'."
            for group, starts in body.muscle_groups.items()
            for start in starts
            if not any(n.startswith(start) for n in names)
        ),
    ]
