"""Gives movlr odd commands at random, for longer than the test suite does: odd values, missing files, files of the wrong kind.

Each is given in this process, in a folder of its own, up to where it would begin to plan. What is told as a defect, ends with a traceback
or leaves something behind after a refusal is shown, the first of each kind.

python tools/fuzz_commands.py --seconds 600
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TEST = "tests/cli/test_odd_commands.py"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600.0, help="how long; some ten commands a second [s]")
    parser.add_argument("--seed", type=int, default=0, help="of the commands; 0: drawn anew")
    asked = parser.parse_args()
    command = [sys.executable, "-m", "pytest", "-p", "no:xdist", "-q", "--tb=short", TEST]
    more = {"MOVLR_FUZZ_SECONDS": str(asked.seconds), "MOVLR_FUZZ_SEED": str(asked.seed)}
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **more}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
