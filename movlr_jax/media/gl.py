"""An OpenGL context for rendering without a screen.

Flows in: nothing but the environment (MUJOCO_GL, DISPLAY). Flows out: a context object of MuJoCo's own (make_current, free). EGL comes
first (a GPU's driver, or Mesa's software renderer), then OSMesa, then GLFW where there is a display. MuJoCo picks one of them when it is
imported, from MUJOCO_GL, and does not look for another if that one is missing; importing its back ends by name does not depend on it.
"""

from __future__ import annotations

import importlib
import os
import sys
import warnings
from pathlib import Path
from typing import Any, Protocol

from movlr_jax._mujoco_import import forget_opengl
from movlr_jax.errors import MovlrError

BACKENDS: tuple[str, ...] = ("egl", "osmesa", "glfw")
ON = ("enable", "enabled", "on", "true", "1")  # MuJoCo's words for: choose one
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


def wanted() -> str:
    """Return what MUJOCO_GL asks for, in lower case; "" where it leaves the choice."""
    return os.environ.get("MUJOCO_GL", "").strip().lower()


def switched_off() -> bool:
    """Whether MUJOCO_GL asks for no drawing at all."""
    return wanted() in _OFF


def _candidates() -> tuple[str, ...]:
    if switched_off():
        raise MovlrError(f"Rendering is switched off by MUJOCO_GL={wanted()}; unset it or set it to egl to get clips.")
    first = wanted()
    return (first, *(b for b in BACKENDS if b != first)) if first in BACKENDS else BACKENDS


def _libegl_loaded() -> bool:
    """Whether libEGL is in this process; MuJoCo then asks it for every function, and no OSMesa context can work any more."""
    try:
        return "libEGL.so" in Path("/proc/self/maps").read_text()
    except OSError:
        return False


def _open(backend: str, width: int, height: int) -> Any:
    """Open a context of one back end and make it current.

    Raises:
        Exception: it does not work here; what is raised depends on the library that is missing.
    """
    if backend == "glfw":
        _find_display()
    if os.environ.get("PYOPENGL_PLATFORM", backend).lower() != backend:
        forget_opengl()  # MuJoCo refuses a platform of PyOpenGL that was chosen before
    context = importlib.import_module(f"mujoco.{backend}").GLContext(width, height)
    context.make_current()
    return context


def _find_display() -> None:
    """Raise OSError where GLFW finds no display: asked for a second window there, it would abort the process."""
    import glfw

    if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise OSError("there is no display")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if not glfw.init():
            raise OSError("the display cannot be opened")


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
            return _open(backend, width, height), backend
        except Exception as error:  # a missing library shows as ImportError, AttributeError, OSError or PyOpenGL's own errors
            failures.append(f"{backend}: {str(error).splitlines()[0] if str(error) else type(error).__name__}"[:160])
            forget_opengl()
    raise MovlrError(f"Clips cannot be rendered, no OpenGL works here ({'; '.join(failures)}): {CURE}.")
