"""The files that a user's MJCF model reads, looked at before MuJoCo opens them: a body may come from someone else.

Flows in: the model's path and the folders that its files may stand in. Flows out: nothing, or one sentence. Checked are the model, what it
includes, attached models, meshes, textures, height fields and skins: regular files of bounded size, in the body's folder or below a
folder of the user's (MOVLR_MODELS_PATH, installed packages). So are the numbers by which a few words of a model ask for all the memory
there is. A model is data: it cannot name a library to load.
"""

from __future__ import annotations

import re
import site
import stat
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from movlr_jax import atomic
from movlr_jax.errors import MovlrError
from movlr_jax.morphologies import sources

_MOST_XML, _MOST_FILE = 64 << 20, 512 << 20  # bytes of a model file; of a mesh, a texture or a height field
_MOST_FILES, _DEEPEST = 5000, 20
_FILE_ATTRIBUTES = ("file", "fileright", "fileup", "fileleft", "filedown", "filefront", "fileback")
_FOLDER_OF = {"mesh": "meshdir", "skin": "meshdir", "flexcomp": "meshdir", "hfield": "assetdir", "texture": "texturedir"}
_UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40, "P": 1 << 50, "E": 1 << 60}
# (element, attributes whose product is bounded, the bound): far beyond any body, far below what a machine breaks under.
_BOUNDS = (
    ("replicate", ("count",), 10_000),
    ("composite", ("count",), 100_000),
    ("flexcomp", ("count",), 1_000_000),
    ("hfield", ("nrow", "ncol"), 16_000_000),
    ("texture", ("width", "height"), 100_000_000),
    ("size", ("memory",), 8 << 30),
    ("size", ("nstack",), 1 << 30),
    ("size", ("njmax",), 1_000_000),
    ("size", ("nconmax",), 1_000_000),
    ("size", ("nkey",), 1_000_000),
    *(("size", (name,), 1_000_000) for name in ("nuserdata", "nuser_body", "nuser_jnt", "nuser_geom", "nuser_site", "nuser_tendon")),
    *(("size", (name,), 1_000_000) for name in ("nuser_cam", "nuser_actuator", "nuser_sensor")),
)

# A comment, a declaration, or a tag with its quoted values; nothing else that begins with "<".
_TOKEN = re.compile(rb"""<!--.*?-->|<\?[^<>]*\?>|</?[A-Za-z_](?:[^<>"']|"[^"<]*"|'[^'<]*')*>""", re.DOTALL)
_CLOSED_VALUE = re.compile(rb"""(=\s*(?:"[^"]*"|'[^']*'))(?=[A-Za-z_])""")


def check(model: Path, home: Path) -> None:
    """Look at every file that a model reads.

    Args:
        model: the MJCF file.
        home: the folder of the body.

    Raises:
        MovlrError: a file stands elsewhere, is no regular file or too large, is missing, or the model asks for more than any body needs.
    """
    if model.suffix.lower() not in (".xml", ".mjcf"):
        raise MovlrError(f"The model {model.name} is no MJCF text (.xml): save it as one (MuJoCo's viewer and mj_saveLastXML do).")
    packages = [Path(p).resolve() for p in (*site.getsitepackages(), site.getusersitepackages())]
    _Walk([home.resolve(), *sources.search_path(), *packages], home).model(model, 0)


class _Walk:
    """Walks through a model's files.

    Args:
        roots: folders that files may stand below.
        home: the first of them, for people.
    """

    def __init__(self, roots: list[Path], home: Path):
        self._roots, self._home = roots, home
        self._seen: set[Path] = set()
        self._copies = 1

    def model(self, file: Path, depth: int) -> None:
        """Check a model file with all that it includes."""
        folders: dict[str, str] = {}
        elements = list(self._elements(file, file.parent, depth))
        for element in elements:
            if element.tag == "compiler":
                named = {key: element.get(key, "") for key in ("assetdir", "meshdir", "texturedir") if element.get(key)}
                folders |= named
        common = folders.get("assetdir", "")
        for element in elements:
            _refuse_huge(element)
            if element.tag == "replicate":
                self._copies *= max(int(float(element.get("count") or 1)), 1)
                if self._copies > _BOUNDS[0][2]:
                    raise MovlrError(f"The model replicates a body {self._copies} times: a body has at most {_BOUNDS[0][2]} parts.")
            named_files = [element.get(name) or "" for name in _FILE_ATTRIBUTES]
            for name in filter(None, named_files if element.tag != "include" else []):
                base = file.parent / folders.get(_FOLDER_OF.get(element.tag, "assetdir"), common)
                place = base / name
                if element.tag == "model" and place.suffix.lower() == ".xml":
                    self._admit(place, _MOST_XML)
                    self.model(place, depth + 1)
                else:
                    self._admit(place if place.exists() else base / Path(name).name, _MOST_FILE)

    def _elements(self, file: Path, main: Path, depth: int) -> Iterator[ElementTree.Element]:
        """Yield the elements of a file and of those that it includes."""
        if depth > _DEEPEST:
            raise MovlrError(f"The model's files include one another more than {_DEEPEST} deep: put them into one.")
        self._admit(file, _MOST_XML)
        try:
            root = _parsed(atomic.read_bytes(file, _MOST_XML, follow=True))
        except ElementTree.ParseError as error:
            raise MovlrError(f"The model {file.name} does not compile: it is not XML ({error}).") from None
        except RecursionError:
            raise MovlrError(f"The model {file.name} is nested too deep.") from None
        if root.tag == "robot":
            raise MovlrError(f"The model {file.name} is URDF: open it in MuJoCo once and save it as MJCF.")
        for element in root.iter():
            yield element
            if element.tag == "include" and element.get("file"):
                included = next((p for p in (main / element.get("file", ""), file.parent / element.get("file", "")) if p.exists()), None)
                if included is None:
                    raise MovlrError(f"The model includes {element.get('file')}, which is not there: put it beside {file.name}.")
                yield from self._elements(included, main, depth + 1)

    def _admit(self, file: Path, most: int) -> None:
        real = file.resolve()
        if not any(real.is_relative_to(root) for root in self._roots):
            raise MovlrError(
                f"The model reads {real}, which is not below {self._home.resolve()}: put the file there, or name its folder in "
                f"{sources.PATH_VARIABLE}."
            )
        self._seen.add(real)
        if len(self._seen) > _MOST_FILES:
            raise MovlrError(f"The model reads more than {_MOST_FILES} files, which no body needs.")
        try:
            status = real.stat()
        except OSError as error:
            raise MovlrError(f"The model reads {real} ({(error.strerror or 'it is not there').lower()}): put the file there.") from None
        if not stat.S_ISREG(status.st_mode):
            raise MovlrError(f"The model reads {real}, which is no regular file: put the file there.")
        if status.st_size > most:
            raise MovlrError(f"The model reads {real}, which has more than {most >> 20} MiB: make it smaller.")


def _parsed(text: bytes) -> ElementTree.Element:
    """Return the root of an XML text; expat refuses entities that grow, and MuJoCo's own reader knows none.

    MuJoCo reads a little more than XML: two dashes in a comment, attributes that no space parts. Such a text is put right and read again.

    Raises:
        ElementTree.ParseError: it is no XML, and not nearly.
    """
    try:
        return ElementTree.fromstring(text)
    except ElementTree.ParseError:
        kept, at = [], 0
        for token in _TOKEN.finditer(text):
            if b"<" in text[at : token.start()]:  # a tag that was not understood must not be passed over
                raise
            if not token[0].startswith(b"<!--"):
                kept += [text[at : token.start()], _CLOSED_VALUE.sub(rb"\1 ", token[0])]
            at = token.end()
        if b"<" in text[at:]:
            raise
        return ElementTree.fromstring(b"".join(kept))


def _refuse_huge(element: ElementTree.Element) -> None:
    """Raise MovlrError where an element asks for more than any body needs."""
    for tag, names, bound in _BOUNDS:
        if element.tag != tag:
            continue
        product = 1.0
        for name in names:
            for part in (element.get(name) or "1").split():
                product *= max(_amount(part), 1.0)
        if product > bound:
            raise MovlrError(f"The model asks for {' x '.join(names)} = {product:.3g} in <{tag}>: a body needs at most {bound:.3g}.")


def _amount(text: str) -> float:
    """Return a number as MuJoCo's sizes write it (16M); 1 for what is none, which MuJoCo refuses itself."""
    factor = _UNITS.get(text[-1:].upper(), 1) if text[-1:].isalpha() else 1
    try:
        return float(text[:-1] if factor > 1 else text) * factor
    except ValueError:
        return 1.0
