"""An OpenGL context for rendering without a screen.

Flows in: nothing but the environment (MUJOCO_GL, DISPLAY). Flows out: a context object of MuJoCo's own (make_current, free). EGL comes
first (a GPU's driver, or Mesa's software renderer), then OSMesa, then GLFW where there is a display. MuJoCo picks one of them when it is
imported, from MUJOCO_GL, and does not look for another if that one is missing; importing its back ends by name does not depend on it.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import Any, Protocol

from movlr_jax.errors import MovlrError

BACKENDS: tuple[str, ...] = ("egl", "osmesa", "glfw")
_OFF = ("disable", "disabled", "off", "false", "0")
CURE = (
    "install the system packages libegl1 and libgl1-mesa-dri (EGL; an NVIDIA driver brings its own) or libosmesa6 (OSMesa); "
    "on Debian and Ubuntu: apt-get install libegl1 libgl1-mesa-dri libosmesa6"
)


class GLContext(Protocol):
    """What MuJoCo's back ends have in common."""

    def make_current(self) -> None:
        """Make this the calling thread's context."""

    def free(self) -> None:
        """Release it."""


def _candidates() -> tuple[str, ...]:
    wanted = os.environ.get("MUJOCO_GL", "").strip().lower()
    if wanted in _OFF:
        raise MovlrError(f"Rendering is switched off by MUJOCO_GL={wanted}; unset it or set it to egl to get clips.")
    available = tuple(b for b in BACKENDS if b != "glfw" or os.environ.get("DISPLAY") or sys.platform != "linux")
    return (wanted, *(b for b in available if b != wanted)) if wanted in BACKENDS else available


def _libegl_loaded() -> bool:
    """Whether libEGL is in this process; MuJoCo then asks it for every function, and no OSMesa context can work any more."""
    try:
        return "libEGL.so" in Path("/proc/self/maps").read_text()
    except OSError:
        return False


def _forget_opengl() -> None:
    """Undo PyOpenGL's choice of a platform, which it makes once a process, at its first import."""
    os.environ.pop("PYOPENGL_PLATFORM", None)
    for name in [n for n in sys.modules if n.split(".")[0] == "OpenGL" or n.startswith(("mujoco.egl", "mujoco.osmesa"))]:
        del sys.modules[name]


def open_context(width: int, height: int) -> tuple[Any, str]:
    """Open a context and make it current in the calling thread.

    Args:
        width: pixels, needed by back ends that draw into memory of their own.
        height: pixels.

    Returns:
        The context (see GLContext) and the back end's name.

    Raises:
        MovlrError: no back end works; the sentence names the system packages to install.
    """
    failures: list[str] = []
    for backend in _candidates():
        if backend == "osmesa" and failures and _libegl_loaded():
            failures.append("osmesa: only without EGL in the same process, try MUJOCO_GL=osmesa")
            continue
        try:
            context = importlib.import_module(f"mujoco.{backend}").GLContext(width, height)
            context.make_current()
            return context, backend
        except Exception as error:  # a missing library shows as ImportError, AttributeError, OSError or PyOpenGL's own errors
            failures.append(f"{backend}: {str(error).splitlines()[0] if str(error) else type(error).__name__}"[:160])
            _forget_opengl()
    raise MovlrError(f"Clips cannot be rendered, no OpenGL works here ({'; '.join(failures)}): {CURE}.")
