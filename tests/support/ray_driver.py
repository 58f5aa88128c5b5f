"""Drives a sweep of pendulum trials on a Ray of its own or on a cluster, as `movlr sweep` does; called by test_ray.py as a script, to be
killed.

python ray_driver.py FILE [ADDRESS]
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from movlr_jax.sweeps import definition, drive
from movlr_jax.sweeps.backends import ray

if __name__ == "__main__":
    sweep = definition.read(Path(sys.argv[1]))
    command = (sys.executable, str(Path(__file__).with_name("pendulum_trial.py")))
    for note in sweep.folder.glob("kill-*"):
        note.write_text(note.read_text().replace("driver", str(os.getpid())))

    def executor():
        if sys.argv[2:]:
            return ray.cluster(sys.argv[2], sweep.resources)
        return ray.embedded(sweep.folder, sweep.resources, workers=2)

    outcome = drive.run(sweep, executor, print, command=command)
    sys.exit(1 if outcome.failed else 0)
