"""Closed, full and broken streams, encodings without characters, a folder that is gone: a sentence or silence, never a traceback."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from movlr_jax.cli import main as front
from movlr_jax.cli import system_errors

MOVLR = f"{sys.executable} -m movlr_jax.cli.main"
# name: (what a shell is given, exit code, on stderr; None: nothing at all)
LINES: dict[str, tuple[str, int, str | None]] = {
    "a reader that leaves": (f"{MOVLR} --help | :; exit ${{PIPESTATUS[0]}}", 0, None),
    "a reader that leaves json": (f"{MOVLR} tasks --json | :; exit ${{PIPESTATUS[0]}}", 0, None),
    "stdout closed": (f"{MOVLR} tasks >&-", 0, None),
    "stdout full": (f"{MOVLR} --help > /dev/full", 1, "no space left on device: make room"),
    "stderr closed": (f"{MOVLR} nosuch 2>&-", 2, None),
    "stderr full": (f"{MOVLR} nosuch 2>/dev/full", 2, None),
    "all closed": (f"{MOVLR} nosuch <&- >&- 2>&-", 2, None),
    "ascii": (f"PYTHONIOENCODING=ascii {MOVLR} tasks", 0, None),
    "ascii error": (f"PYTHONIOENCODING=ascii:strict {MOVLR} é", 2, "movlr: There is no verb '"),
    "a C locale": (f"LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0 {MOVLR} check é.py", 1, "movlr: "),
    "a name that is no UTF-8": (f"{MOVLR} check $'\\xff.py'", 1, "movlr: "),
    "a folder that is gone": (f"mkdir gone; cd gone; rmdir ../gone; {MOVLR} tasks", 1, "was it deleted?): go to another with cd"),
    "no HOME": (f"env -u HOME {MOVLR} tasks", 0, None),
}


@pytest.mark.parametrize("case", LINES)
def test_a_shell_may_give_any_stream(case: str, tmp_path: Path) -> None:
    line, code, said = LINES[case]
    here = str(Path(front.__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": here, "PYTHONSAFEPATH": "1"}
    ran = subprocess.run(["bash", "-c", line], capture_output=True, cwd=tmp_path, env=environment, timeout=120)
    err = ran.stderr.decode(errors="replace")
    assert ran.returncode == code, err
    assert "Traceback" not in err and "Exception ignored" not in err and "defect" not in err
    assert (said.lower() in err.lower()) if said is not None else not err, err
    assert err.count("\n") <= 1


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/a/b"), "/a/b: no space left on device: make room"),
        (OSError(errno.EROFS, "Read-only file system", b"/a/\xff"), "read-only file system: choose a folder that can be written"),
        (OSError(errno.EFBIG, "File too large"), "File too large: raise the largest size of a file"),
        (OSError("a library's own words"), "A library's own words: mend that"),
        (RuntimeError("(sqlite3.OperationalError) database or disk is full"), "No space left on device"),
        (FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']"), "set TMPDIR"),
        (MemoryError(), "not enough memory"),
        (OverflowError("int too large to convert to float"), "A number is too large"),
        (UnicodeEncodeError("ascii", "é", 0, 1, "ordinal not in range"), "PYTHONUTF8=1"),
        (ValueError("embedded null byte"), "NUL"),
        (RuntimeError("Symlink loop from '/a'"), "name the file itself"),
        (RuntimeError("Could not determine home directory."), "set HOME"),
    ],
)
def test_what_the_system_would_not_do_is_no_defect(error: BaseException, said: str) -> None:
    assert said in (system_errors.sentence(error) or "")


def test_what_nobody_else_caused_is_a_defect() -> None:
    for error in (RuntimeError("x"), ValueError("x"), ZeroDivisionError(), RecursionError()):
        assert system_errors.sentence(error) is None
