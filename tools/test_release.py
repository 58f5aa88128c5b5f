"""What a user gets: the built wheel in a fresh environment of each Python that is found, away from this tree.

    python tools/test_release.py                       # every supported Python found, and the notebook
    python tools/test_release.py --pythons python3.12 --no-notebook

In each environment, with the versions of constraints/: the import and its time, `movlr --help`, and one episode of 0.1 s, planned in an
empty folder; in the first one the whole of docs/tutorial.ipynb too, where it is there. Prints a line a step; exit code 1 where one fails.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTHONS = ("python3.11", "python3.12", "python3.13")
NOTEBOOK = ROOT / "docs" / "tutorial.ipynb"
PLAN = ("rollout", "stand", "--reward", "start", "--seconds", "0.1", "--seeds", "0", "--json")
_TIMED = "import time; began = time.perf_counter(); import movlr_jax; print(time.perf_counter() - began)"
_EXECUTE = """
import sys, nbclient, nbformat
nbclient.NotebookClient(nbformat.read(sys.argv[1], as_version=4), timeout=None, kernel_name="python3").execute()
"""


class StepFailed(Exception):
    """A command that should have worked did not; the sentence ends with what it said last."""


def run(*command: str | Path, where: Path, timeout: float = 1800.0) -> str:
    """Run a command and return its stdout.

    Raises:
        StepFailed: it fails, or takes longer than `timeout` (s).
    """
    # Neither this tree nor what a developer has set is to be found from there.
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV", "PYTHONHOME")}
    try:
        ran = subprocess.run([*map(str, command)], cwd=where, env=clean, capture_output=True, text=True, errors="replace", timeout=timeout)
    except subprocess.TimeoutExpired:
        raise StepFailed(f"{command[0]} took longer than {timeout:g} s") from None
    if ran.returncode:
        raise StepFailed(f"{' '.join(map(str, command))[:200]} ended with {ran.returncode}: {(ran.stderr or ran.stdout).strip()[-1000:]}")
    return ran.stdout


def interpreters(names: list[str]) -> dict[str, str]:
    """Return version ("3.12") -> executable of the Pythons that run; version managers leave names on PATH that only print an error."""
    found: dict[str, str] = {}
    for name in names:
        try:
            version = run(name, "-c", "import sys; print('%d.%d' % sys.version_info[:2], sys.executable)", where=ROOT, timeout=60.0).split()
        except (StepFailed, OSError):
            continue
        found.setdefault(version[0], version[1])
    return found


class Environment:
    """A fresh environment.

    Args:
        python: the interpreter that it is made of.
        version: its version, such as "3.12".
        folder: where to make it.
    """

    def __init__(self, python: str, version: str, folder: Path):
        self.folder, self.bin = folder, folder / "env" / "bin"
        self._pins = ROOT / "constraints" / f"py{version.replace('.', '')}.txt"
        self._uv = shutil.which("uv")
        folder.mkdir(parents=True)
        if self._uv:
            run(self._uv, "venv", "--quiet", "--seed", "--python", python, folder / "env", where=folder)
        else:
            run(python, "-m", "venv", folder / "env", where=folder)

    def install(self, *what: str) -> None:
        """Install packages in the pinned versions."""
        pip = (self._uv, "pip", "install", "--python", self.bin / "python") if self._uv else (self.bin / "python", "-m", "pip", "install")
        run(*pip, "--quiet", "-c", self._pins, *what, where=self.folder)

    def wheel(self) -> Path:
        """Build the wheel from what git tracks, so that nothing is left in this tree and nothing untracked gets in."""
        source = self.folder / "source"
        for name in run("git", "ls-files", "-z", where=ROOT).split("\0"):
            if name and (ROOT / name).is_file():
                (source / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, source / name)
        self.install("setuptools", "wheel")
        run(
            self.bin / "python",
            "-m",
            "pip",
            "wheel",
            "--quiet",
            "--no-deps",
            "--no-build-isolation",
            "-w",
            self.folder,
            source,
            where=self.folder,
        )
        (built,) = self.folder.glob("*.whl")
        return built

    def check(self, notebook: bool) -> dict[str, float]:
        """Run the steps in an empty folder; return what each took (s)."""
        empty = self.folder / "empty"
        empty.mkdir()
        took = {"import": min(float(run(self.bin / "python", "-c", _TIMED, where=empty)) for _ in range(3))}
        began = time.monotonic()
        if "rollout" not in run(self.bin / "movlr", "--help", where=empty):
            raise StepFailed("movlr --help does not name its verbs")
        took["help"], began = time.monotonic() - began, time.monotonic()
        document = json.loads(run(self.bin / "movlr", *PLAN, where=empty))
        if len(document["episodes"]) != 1 or document["episodes"][0]["diverged"]:
            raise StepFailed(f"an episode of 0.1 s came out as {document['episodes']}")
        took["plan"], began = time.monotonic() - began, time.monotonic()
        if left := sorted(path.name for path in empty.iterdir()):
            raise StepFailed(f"an episode that is only printed leaves {', '.join(left)} behind")
        if notebook:
            shutil.copy2(NOTEBOOK, empty)
            run(self.bin / "python", "-c", _EXECUTE, empty / NOTEBOOK.name, where=empty)
            took["notebook"] = time.monotonic() - began
        return took


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pythons", nargs="+", default=list(PYTHONS), metavar="PYTHON", help="interpreters to try")
    parser.add_argument("--notebook", action=argparse.BooleanOptionalAction, default=True, help="execute docs/tutorial.ipynb whole")
    options = parser.parse_args()
    found = interpreters(options.pythons)
    if not found:
        print(f"test_release: none of {', '.join(options.pythons)} runs here: name one with --pythons.", file=sys.stderr)
        return 1
    failed, wheel = False, None
    with tempfile.TemporaryDirectory() as folder:
        for version, python in found.items():
            notebook = options.notebook and NOTEBOOK.is_file() and wheel is None
            began = time.monotonic()
            try:
                environment = Environment(python, version, Path(folder) / version)
                wheel = wheel or environment.wheel()
                environment.install(f"{wheel}[notebook]" if notebook else str(wheel))
                installed = time.monotonic() - began
                took = environment.check(notebook)
            except StepFailed as error:
                print(f"Python {version}: FAILED: {error}", flush=True)
                failed = True
            else:
                steps = ", ".join(f"{step} {seconds:.2f} s" for step, seconds in took.items())
                print(f"Python {version}: {wheel.name}, installed in {installed:.0f} s, {steps}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
