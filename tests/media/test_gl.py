"""Which OpenGL is used, and what is said when there is none. Each case needs a process of its own: the choice is made once."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

_DRAW = """
import sys
import numpy as np
from movlr_jax.errors import MovlrError
from movlr_jax.media.studio import Camera, Studio
import mujoco
model = mujoco.MjModel.from_xml_string(
    '<mujoco><worldbody><body><freejoint/><geom size=".3"/></body></worldbody></mujoco>')
for _ in range(int(sys.argv[1])):
    try:
        with Studio(model, 64, 48) as studio:
            print(studio.backend, studio.shoot(model.qpos0, np.zeros(0), Camera(0, 0, 0, 2, 90, 0), 0.0).std() > 5)
    except MovlrError as error:
        print(error)
"""


_UNSET = ("MUJOCO_GL", "PYOPENGL_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY")
# What asks for an OpenGL that is not here: no library, no display, a display that does not answer, no back end, another platform.
ODD = (
    {"MUJOCO_GL": "osmesa"},
    {"MUJOCO_GL": "glfw"},
    {"MUJOCO_GL": "glfw", "DISPLAY": ":4321"},
    {"MUJOCO_GL": "nonsense"},
    {"MUJOCO_GL": "egl", "PYOPENGL_PLATFORM": "osmesa"},
    {"MUJOCO_GL": "egl", "PYOPENGL_PLATFORM": "nonsense"},
)


def _python(code: str, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if k not in _UNSET}
    return subprocess.run([sys.executable, "-c", code, *words], env=kept | environment, capture_output=True, text=True, timeout=120)


def _draw(times: int = 1, **environment: str) -> subprocess.CompletedProcess[str]:
    return _python(_DRAW, str(times), **environment)


@pytest.mark.gl
def test_without_display_or_environment_it_draws_and_ends_quietly():
    ran = _draw()
    assert ran.stdout.strip() in ("egl True", "osmesa True")
    assert ran.stderr == ""


def test_no_driver_names_the_packages():
    # glvnd finds no EGL vendor in an empty folder; where EGL is not glvnd's, the driver is found all the same.
    ran = _draw(__EGL_VENDOR_LIBRARY_DIRS="/nonexistent")
    if ran.stdout.strip() in ("egl True", "osmesa True"):
        pytest.skip("this machine's EGL cannot be hidden")
    assert "Traceback" not in ran.stderr
    assert "libegl1" in ran.stdout and "libgl1-mesa-dri" in ran.stdout and "libosmesa6" in ran.stdout
    assert len(ran.stdout.strip().splitlines()) == 1


def test_switched_off_says_so():
    assert "switched off by MUJOCO_GL=off" in _draw(MUJOCO_GL="off").stdout


@pytest.mark.gl
@pytest.mark.parametrize("environment", ODD, ids=lambda e: "-".join(e.values()))
def test_another_back_end_draws_where_the_one_asked_for_is_missing_again_and_again(environment):
    ran = _draw(3, **environment)
    assert ran.returncode == 0, ran.stderr
    assert len(set(ran.stdout.split("\n")[:3])) == 1 and ran.stdout.split()[0::2] == ran.stdout.split()[:1] * 3
    assert ran.stdout.split()[1::2] == ["True"] * 3
    assert ran.stderr == ""


# Hides the library from PyOpenGL and from MuJoCo, which both look it up by this function and then load what it names.
_HIDE = """
import ctypes, ctypes.util, sys
hidden = sys.argv[1]
find, load = ctypes.util.find_library, ctypes.CDLL.__init__
ctypes.util.find_library = lambda name: None if name == hidden else find(name)
def init(self, name, *rest, **more):
    if name and hidden in str(name):
        raise OSError(f"lib{hidden}.so: cannot open shared object file")
    load(self, name, *rest, **more)
ctypes.CDLL.__init__ = init
import movlr_jax
"""


@pytest.mark.parametrize("library", ["EGL", "OSMesa"])
def test_mujoco_is_imported_without_the_library_that_is_asked_for(library):
    ran = _python(_HIDE + "import mujoco; print(mujoco.MjModel.__name__)", library, MUJOCO_GL=library.lower())
    assert (ran.stdout.strip(), ran.stderr) == ("MjModel", "")


@pytest.mark.parametrize("environment", [*ODD, {"MUJOCO_GL": "off"}], ids=lambda e: "-".join(e.values()))
def test_what_draws_nothing_does_not_ask_for_opengl(environment):
    ran = _python("from movlr_jax.cli.main import main; raise SystemExit(main(['tasks']))", **environment)
    assert ran.returncode == 0 and "walk_flat" in ran.stdout
    assert ran.stderr == ""
