"""run.json: what a run is made with, so that another can be told from it and made again.

In: its configuration, what its stages say of it. Out: versions, engine, seed, commit, identifiers; nothing that names the host.
"""

from __future__ import annotations

import platform
import subprocess
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from movlr_jax._versions import installed
from movlr_jax.runs.config import RunConfig


def describe_run(config: RunConfig, header: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return what run.json says: versions, engine, seed, commit, identifiers; nothing that names the host."""
    packages = ("movlr-jax", "mujoco", "mujoco-mjx", "jax", "jaxlib", "numpy")
    versions = {"python": platform.python_version(), **{package: installed(package) for package in packages}}
    return {
        # Drawn once: a resumed run goes on under it, and two runs of one name stay apart.
        "run_id": f"{name}-{uuid.uuid4().hex[:8]}",
        **header,
        "seed": config.seed,
        "seeds": list(config.seeds),
        "versions": versions,
        "commit": _commit(),
    }


def _commit() -> str | None:
    """Return this package's git commit, with "+changes" where files differ from it; None outside its own checkout."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None

    def git(*words: str) -> str:
        done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, timeout=5, check=True)
        return done.stdout.strip()

    try:
        changed = git("status", "--porcelain", "--untracked-files=no")
        return git("rev-parse", "HEAD") + ("+changes" if changed else "")
    except (OSError, subprocess.SubprocessError):
        return None
