"""Spoils run folders at random, for longer than the test suite does, and reads them in every way; stops at the first defect and shows it.

python tools/fuzz_run_folders.py --examples 5000
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TEST = "tests/searches/test_spoilt_folders.py"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=5000, help="how many folders to spoil; about ten a second")
    asked = parser.parse_args()
    command = [sys.executable, "-m", "pytest", "-p", "no:xdist", "-x", "-q", TEST, "-k", "sentence_or_harmless"]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, "MOVLR_FUZZ_EXAMPLES": str(asked.examples)}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
