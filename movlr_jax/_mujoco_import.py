"""Lets MuJoCo be imported where the OpenGL that the environment names is missing.

`import mujoco` loads the back end that MUJOCO_GL names, and catches an ImportError only: without libOSMesa or libEGL it ends with an
AttributeError, and with a name that it does not know with a RuntimeError. Most of what is done here draws nothing. So that one
submodule may fail: MuJoCo is then imported as with MUJOCO_GL=off, and `media/gl.py` looks for a back end that works when something is
drawn.
"""

from __future__ import annotations

import importlib.abc
import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

_BACK_ENDS = "mujoco.rendering.classic.gl_context"


class _Tolerant(importlib.abc.Loader):
    """A loader whose module stays empty where executing it fails."""

    def __init__(self, loader: importlib.abc.Loader):
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Create the module as its own loader does."""
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Execute it; what a missing library makes PyOpenGL and ctypes raise is of many kinds."""
        try:
            self._loader.exec_module(module)
        except Exception:
            forget_opengl()


class _Finder(importlib.abc.MetaPathFinder):
    """Finds that one module, where Python finds it, and gives it the tolerant loader."""

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Return the module's spec, None for every other module."""
        if name != _BACK_ENDS:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Tolerant(spec.loader)
        return spec


def forget_opengl() -> None:
    """Undo PyOpenGL's choice of a platform, which it makes once a process, at its first import."""
    os.environ.pop("PYOPENGL_PLATFORM", None)
    for name in [n for n in sys.modules if n.split(".")[0] == "OpenGL" or n.startswith(("mujoco.egl", "mujoco.osmesa"))]:
        del sys.modules[name]


def tolerate_missing_opengl() -> None:
    """Have `import mujoco` succeed in this process whatever MUJOCO_GL names."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
