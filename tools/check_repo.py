"""Release checks on the tree itself, part of `make lint`: what must not be committed, and what must fit together.

Refused: files over 1 MB, a package index's address, the path of this checkout, a lock file, links in Markdown that lead
nowhere, pins that are not `name==version`, that differ in names between Pythons or break a range of pyproject.toml, and programs in
experiments/ and tools/ that import the command line: what they need is the library's.

    python tools/check_repo.py
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
LARGEST = 1_000_000  # bytes
SKIPPED = {".git", ".venv", "runs", "build", "dist", "wandb"}
# In two parts, so that this file does not name them.
ADDRESSES = re.compile("|".join(("files.python" + "hosted", "pypi" + r"\.org", "index" + "-url", "find" + "-links")))
LINK = re.compile(r"\]\((?!https?://|#|mailto:)([^)#\s]+)")
COMMAND_LINE = re.compile(r"\s*(?:from movlr_jax\.cli\b|import movlr_jax\.cli\b|from movlr_jax import .*\bcli\b)")
PIN = re.compile(r"[a-z0-9][a-z0-9._-]*==[0-9][\w.+!]*")


def files() -> list[Path]:
    """Return the files that git knows or would add; where git is missing, all but outputs."""
    listing = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        ran = subprocess.run(listing, capture_output=True, check=True)
        names = [name for name in ran.stdout.decode().split("\0") if name]
        return sorted({ROOT / name for name in names if (ROOT / name).is_file()})
    except (OSError, subprocess.CalledProcessError):
        return sorted(p for p in ROOT.rglob("*") if p.is_file() and p.relative_to(ROOT).parts[0] not in SKIPPED)


def check_files() -> Iterator[str]:
    """Check every file's size and text."""
    for path in files():
        name = path.relative_to(ROOT)
        if path.stat().st_size > LARGEST:
            yield f"{name} is {path.stat().st_size / 1e6:.1f} MB: keep files under 1 MB"
        if path.name == "uv.lock":
            yield f"{name} names a package index: pins belong into constraints/"
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if ADDRESSES.search(line):
                yield f"{name}:{number} names a package index"
            if str(ROOT) in line:
                yield f"{name}:{number} holds the path of this checkout"
        if path.suffix == ".md":
            for target in LINK.findall(text):
                if not (path.parent / target).exists():
                    yield f"{name} links to {target}, which does not exist"


def check_pins() -> Iterator[str]:
    """Check the constraints files against each other and against pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    tested = (*project["dependencies"], *(r for e in ("dev", "wandb", "gemini", "openai") for r in project["optional-dependencies"][e]))
    pins: dict[str, dict[str, str]] = {}
    for path in sorted((ROOT / "constraints").glob("py*.txt")):
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
        yield from (f"{path.name}: '{line}' is not name==version" for line in lines if not PIN.fullmatch(line))
        pins[path.name] = dict(line.split("==", 1) for line in lines if "==" in line)
    for name, versions in pins.items():
        for requirement in map(Requirement, tested):
            pinned = versions.get(requirement.name.lower())
            if pinned is None:
                yield f"{name} does not pin {requirement.name}"
            elif Version(pinned) not in requirement.specifier:
                yield f"{name} pins {requirement.name} {pinned}, outside {requirement.specifier} of pyproject.toml"
        if versions.get("mujoco") != versions.get("mujoco-mjx"):
            yield f"{name} pins mujoco and mujoco-mjx at different versions"


def check_programs() -> Iterator[str]:
    """Check that experiments and tools need nothing of the command line."""
    for path in files():
        name = path.relative_to(ROOT)
        if path.suffix == ".py" and name.parts[0] in ("experiments", "tools"):
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                if COMMAND_LINE.match(line):
                    yield f"{name}:{number} imports the command line: use movlr_jax.api, or move what is missing into the library"


def main() -> int:
    found = [*check_files(), *check_pins(), *check_programs()]
    for sentence in found:
        print(f"check_repo: {sentence}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
