"""Where model files are found: the folders of MOVLR_MODELS_PATH, then the cache. Nothing is vendored."""

from __future__ import annotations

import os
from pathlib import Path

from movlr_jax.errors import MovlrError

PATH_VARIABLE = "MOVLR_MODELS_PATH"
CACHE_VARIABLE = "MOVLR_CACHE"


def cache_dir() -> Path:
    """Return the cache folder: MOVLR_CACHE, else XDG_CACHE_HOME/movlr_jax, else ~/.cache/movlr_jax. It is not created."""
    if os.environ.get(CACHE_VARIABLE):
        return Path(os.environ[CACHE_VARIABLE]).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base).expanduser() if base else Path.home() / ".cache") / "movlr_jax"


def search_path() -> list[Path]:
    """Return the folders searched for models, in order, as absolute paths (MuJoCo resolves includes against them)."""
    named = [Path(p).expanduser().resolve() for p in os.environ.get(PATH_VARIABLE, "").split(os.pathsep) if p]
    return [*named, cache_dir().resolve() / "models"]


def find(relative: str) -> Path:
    """Return the first file of that relative path, e.g. "ms_human_700/scene.xml", on the search path.

    Raises:
        MovlrError: it is nowhere; the sentence says where it was looked for and how to get it.
    """
    for folder in search_path():
        if (folder / relative).is_file():
            return folder / relative
    raise _missing(relative)


def find_folder(name: str) -> Path:
    """Return the first folder of that name, e.g. "ms_human_700", on the search path.

    Raises:
        MovlrError: it is nowhere; the sentence says where it was looked for and how to get it.
    """
    for folder in search_path():
        if (folder / name).is_dir():
            return folder / name
    raise _missing(name)


def _missing(relative: str) -> MovlrError:
    looked = ", ".join(str(f) for f in search_path())
    return MovlrError(
        f"{relative} was not found in {looked}: `movlr morphologies fetch {relative.split('/')[0]}` gets it from the MuJoCo Menagerie, or "
        f"set {PATH_VARIABLE} to the folder that holds it."
    )
