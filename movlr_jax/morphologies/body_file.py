"""The YAML file of a user's own body: what may stand in it, and everything that is wrong with the file itself.

Flows in: its path. Flows out: a Body, as far as its values can be, and a sentence for each that cannot.
"""

from __future__ import annotations

import copy
import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import pydantic

from movlr_jax import atomic, typed_yaml
from movlr_jax.errors import MovlrError, did_you_mean
from movlr_jax.morphologies import posture

LANDMARKS = ("pelvis", "trunk", "left.foot", "right.foot")  # what standing, gait memory and the behaviour checks read

# pydantic's kinds of error -> the cure, in the words of YAML.
_CURES = {
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


class Place(_Strict):
    """A place on a body of the model; offset in that body's axes (m)."""

    body: str
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)


class Body(_Strict):
    """What the file states, under the names of BodyPlan's fields."""

    name: str = pydantic.Field(pattern=r"^[a-z0-9][a-z0-9._-]*$", description="a short name: small letters, figures, dashes")
    title: str = pydantic.Field(description="one line for people")
    licence: str = pydantic.Field(description="the model's licence")
    model: Path = pydantic.Field(description="the MJCF file, relative to this one")
    landmarks: dict[str, Place] = pydantic.Field(description=f"name: {{body, offset}}, at least {', '.join(LANDMARKS)}")
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


def read(path: Path) -> tuple[Body | None, list[str]]:
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
    fields = [name for name in Body.model_fields if name != "lost"]
    known = {name: raw[name] for name in fields if name in raw}
    unknown = [unknown_name(str(key), fields, "value") for key in raw if key not in fields]
    try:
        return Body.model_validate(known), unknown
    except pydantic.ValidationError as error:
        return _salvaged(known, error), [*unknown, *(_sentence(dict(e)) for e in error.errors())]


def _salvaged(known: dict[str, Any], error: pydantic.ValidationError) -> Body | None:
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
        body = Body.model_validate({**stand_in, **kept})
    except pydantic.ValidationError:
        return None
    return body.model_copy(update={"lost": frozenset(lost), **({"planned_joints": ()} if "planned_joints" in lost else {})})


def _sentence(error: Mapping[str, Any]) -> str:
    where = ".".join(str(part) for part in error["loc"])
    if error["type"] == "missing":
        if isinstance(error["loc"][-1], int):
            return f"{'.'.join(map(str, error['loc'][:-1]))} is {error['input']!r}: give three numbers (m)."
        field = Body.model_fields.get(where)
        return f"{where} is missing: give {field.description if field else 'a body of the model'}."
    if error["type"] == "extra_forbidden":
        *above, key = error["loc"]
        return f"{'.'.join(map(str, above))}: {unknown_name(str(key), Place.model_fields, 'value')}"
    if where == "name":
        return f"name is {error['input']!r}: give {Body.model_fields['name'].description}."
    cure = _CURES.get(error["type"], f"{error['msg'][0].lower()}{error['msg'][1:]}")
    return f"{where} is {error['input']!r}: {cure}."


def unknown_name(name: str, known: Iterable[str], kind: str) -> str:
    """Return the sentence for a name of some kind that is not among those known."""
    names = list(known)
    listed = f"there are {', '.join(names)}" if len(names) <= 16 else f"there are {len(names)}"
    near = difflib.get_close_matches(name, names, n=3)
    return f"There is no {kind} '{name}': " + (did_you_mean(name, names).strip() if near else f"{listed}.")
