"""Which OpenGL is used, and what is said when there is none. Each case needs a process of its own: the choice is made once."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

_DRAW = """
import mujoco, numpy as np
from movlr_jax.errors import MovlrError
from movlr_jax.media.studio import Camera, Studio
model = mujoco.MjModel.from_xml_string(
    '<mujoco><worldbody><body><freejoint/><geom size=".3"/></body></worldbody></mujoco>')
try:
    with Studio(model, 64, 48) as studio:
        print(studio.backend, studio.shoot(model.qpos0, np.zeros(0), Camera(0, 0, 0, 2, 90, 0), 0.0).std() > 5)
except MovlrError as error:
    print(error)
"""


def _draw(**environment: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if k not in ("MUJOCO_GL", "PYOPENGL_PLATFORM", "DISPLAY")}
    return subprocess.run([sys.executable, "-c", _DRAW], env=kept | environment, capture_output=True, text=True, timeout=120)


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
