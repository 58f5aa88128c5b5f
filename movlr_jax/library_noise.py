"""What other libraries say about themselves in a normal run is silenced; what a user set in the environment stays."""

from __future__ import annotations

import logging
import os
import warnings


def silence() -> None:
    """Silence them, before they are imported."""
    for variable, value in {
        "MUJOCO_GL": "egl",
        "EGL_LOG_LEVEL": "fatal",
        "MESA_DEBUG": "silent",
        "LIBGL_DEBUG": "quiet",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "ABSL_MIN_LOG_LEVEL": "3",
        "GRPC_VERBOSITY": "ERROR",
    }.items():
        os.environ.setdefault(variable, value)
    warnings.filterwarnings("ignore")
    for name in ("jax", "absl", "matplotlib", "imageio_ffmpeg", "OpenGL", "google_genai", "openai", "httpx2"):
        logging.getLogger(name).setLevel(logging.ERROR)
