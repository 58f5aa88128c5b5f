"""A user's own body: one YAML file beside an MJCF model.

Flows in: the YAML's path. Flows out: its BodyPlan, or everything that is wrong with it, a sentence each. The file holds the fields of a
BodyPlan under their names; `model` is the MJCF, relative to the file. The model's only plane becomes the floor if none is named so.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import mujoco

from movlr_jax import atomic, typed_yaml
from movlr_jax._quiet import silence_mujoco
from movlr_jax.errors import MovlrError
from movlr_jax.morphologies import body_faults, model_files, root
from movlr_jax.morphologies.body_file import Body, read, unknown_name
from movlr_jax.morphologies.body_plan import BodyPlan, LandmarkPlan

SUFFIXES = (".yaml", ".yml")


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
    body, sentences = read(path)
    if body is not None and not sentences:
        sentences = _unfit(path, body)
    if body is None or sentences:
        more = f" ({len(sentences) - 1} more: movlr morphologies check {path})" if len(sentences) > 1 else ""
        raise MovlrError(f"{path}: {sentences[0]}{more}")
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
    body, sentences = read(path)
    if body is None:
        return None, sentences
    sentences += [unknown_name(name, laws, "muscle law") for name in (body.law, *body.gains) if name not in laws]
    sentences += _unfit(path, body)
    return (None if sentences else _plan(path, body)), sentences


def _plan(path: Path, body: Body) -> BodyPlan:
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


def _base(spec: mujoco.MjSpec, body: Body) -> LandmarkPlan:
    """Return where a body without feet is fixed to the world: what stands for the pelvis, by which places are told."""
    model = spec.compile()
    top = root.top(model, int(model.joint(body.planned_joints[0]).bodyid[0]))
    x, y, z = map(float, model.body_pos[top])
    return LandmarkPlan(model.body(int(model.body_parentid[top])).name, (x, y, z))


def _model_file(path: Path, body: Body) -> Path:
    return (path.resolve().parent / body.model.expanduser()).resolve()


def _unfit(path: Path, body: Body) -> list[str]:
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
    return body_faults.faults(spec, model, body)


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
