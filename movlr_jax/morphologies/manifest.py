"""Manifests: what a downloaded model must be, and whether a folder is that.

A manifest (manifests/FOLDER.json) names a model's upstream and commit, a SHA-256 per file, and the sizes of its compiled scenes. XML is
hashed in its canonical form (C14N 2.0 without white space between elements and without comments), so that a file which upstream only
laid out anew is the same file; all else is hashed byte for byte. A model may exist in several layouts, of which a folder has one.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mujoco

from movlr_jax._quiet import silence_mujoco
from movlr_jax.errors import MovlrError, did_you_mean

FOLDER = Path(__file__).with_name("manifests")
MODEL_SUFFIXES = (".xml", ".stl", ".obj", ".png")
_COUNTS = ("nq", "nv", "nu", "nbody", "ntendon")
_TOLERANCE = 1e-6  # relative; compilers may sum in another order
_LISTED = 5  # deviations of one kind that are named one by one


@dataclass(frozen=True)
class Layout:
    """One arrangement of a model's files.

    Attributes:
        scenes: scene file -> its sizes, as `measure` returns them.
        files: file -> SHA-256 (see `digest`); files not named are not looked at.
    """

    scenes: Mapping[str, Mapping[str, float]]
    files: Mapping[str, str]


@dataclass(frozen=True)
class Manifest:
    """What is known of one downloadable model.

    Attributes:
        folder: its folder, upstream and here.
        bodies: catalog names of the bodies made from it.
        licence: SPDX identifier.
        repository: URL of the upstream git repository.
        commit: the pinned commit.
        layouts: the arrangements in which it is accepted; the first is upstream's at that commit.
    """

    folder: str
    bodies: tuple[str, ...]
    licence: str
    repository: str
    commit: str
    layouts: tuple[Layout, ...]


def known() -> list[Manifest]:
    """Return the manifests of all models that can be downloaded."""
    out = []
    for path in sorted(FOLDER.glob("*.json")):
        raw = json.loads(path.read_text(encoding="utf-8"))
        layouts = tuple(Layout(layout["scenes"], layout["files"]) for layout in raw["layouts"])
        out.append(Manifest(path.stem, tuple(raw["bodies"]), raw["licence"], raw["repository"], raw["commit"], layouts))
    return out


def of(name: str) -> Manifest | None:
    """Return the manifest of a body or of a model's folder, or None where there is none."""
    return next((m for m in known() if name == m.folder or name in m.bodies), None)


def get(name: str) -> Manifest:
    """Return the manifest of a body or of a model's folder.

    Raises:
        MovlrError: nothing of that name can be downloaded.
    """
    model = of(name)
    if model is None:
        names = list(dict.fromkeys(n for m in known() for n in (*m.bodies, m.folder)))
        raise MovlrError(f"'{name}' cannot be fetched: {did_you_mean(name, names)}there is a source for {', '.join(names)}.")
    return model


def digest(path: Path) -> str:
    """Return a file's SHA-256: of the canonical form of XML, of the bytes of all else.

    Raises:
        OSError: it cannot be read.
    """
    data = path.read_bytes()
    if path.suffix == ".xml":
        with contextlib.suppress(ET.ParseError, UnicodeDecodeError):  # broken XML has its bytes' hash, which no manifest knows
            data = ET.canonicalize(data.decode("utf-8"), strip_text=True).encode()
    return hashlib.sha256(data).hexdigest()


def measure(scene: Path) -> dict[str, float]:
    """Compile a scene and return its sizes.

    Returns:
        "nq", "nv", "nu", "nbody", "ntendon"; "mass" (kg) of all bodies; "tendon_length" (m) of all tendons at qpos0.

    Raises:
        MovlrError: it does not compile.
    """
    silence_mujoco()
    try:
        model = mujoco.MjModel.from_xml_path(str(scene))
    except (ValueError, mujoco.FatalError) as error:
        raise MovlrError(f"{scene.name} does not compile: {' '.join(str(error).split())[:200]}.") from None
    counts = {name: int(getattr(model, name)) for name in _COUNTS}
    return counts | {"mass": float(model.body_mass.sum()), "tendon_length": float(model.tendon_length0.sum())}


def survey(folder: Path, scenes: Sequence[str]) -> dict[str, Any]:
    """Return the layout of a folder as a manifest holds it: its scenes' sizes and its model files' hashes.

    Raises:
        MovlrError: a scene does not compile.
    """
    files = sorted(p for p in folder.rglob("*") if p.suffix in MODEL_SUFFIXES and p.is_file())
    return {
        "scenes": {scene: measure(folder / scene) for scene in scenes},
        "files": {p.relative_to(folder).as_posix(): digest(p) for p in files},
    }


def deviations(folder: Path, manifest: Manifest) -> list[str]:
    """Return in what a folder differs from its manifest, a sentence each; nothing where it is sound.

    Args:
        folder: the model's folder.
        manifest: what it must be. It is held against the layout whose scenes it has, else against the first.
    """
    if not folder.is_dir():
        return [f"There is no folder {folder}."]
    layout = next((lay for lay in manifest.layouts if all((folder / s).is_file() for s in lay.scenes)), manifest.layouts[0])
    names = dict.fromkeys((*layout.scenes, *layout.files))
    missing = [name for name in names if not (folder / name).is_file()]
    changed, unreadable = [], []
    for name, sha in layout.files.items():
        if name not in missing:
            try:
                if digest(folder / name) != sha:
                    changed.append(name)
            except OSError as error:
                unreadable.append(f"{name} cannot be read ({error.strerror}).")
    sentences = _listed(missing, "is missing", "files are missing")
    sentences += _listed(changed, "is not the file that is known", "files are not those known") + unreadable
    for scene, sizes in layout.scenes.items():
        if scene in missing:
            continue
        try:
            measured = measure(folder / scene)
        except MovlrError as error:
            sentences.append(str(error))
            continue
        sentences += [
            f"{scene} has {name} {measured[name]:g}, not {value:g}."
            for name, value in sizes.items()
            if not math.isclose(measured[name], value, rel_tol=_TOLERANCE)
        ]
    return sentences


def _listed(names: Sequence[str], one: str, many: str) -> list[str]:
    sentences = [f"{name} {one}." for name in names[:_LISTED]]
    rest = len(names) - _LISTED
    return sentences if rest <= 0 else [*sentences, f"{rest} more {many}."]
