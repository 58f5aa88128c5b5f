"""Folders that may come from someone else: looked through at the door, before anything in them is read, written or moved.

Flows in: a folder. Flows out: nothing, or one sentence about what must not be in it. A run's folder holds regular files and folders, and
one kind of link: `best`, which points to an iteration beside it. Anything else (another link, a pipe, a socket, a device) could make a
later step read, write or wait somewhere else. `atomic.py` then guards each single file.

W&B keeps links of its own below `wandb/`, to its newest run and its logs, which it makes anew and never reads.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from movlr_jax import atomic
from movlr_jax.errors import BadFile, MovlrError

_BEST = re.compile(r"iterations/\d{3,9}/?")
_WANDB = "wandb"
_WANDBS_OWN = re.compile(r"latest-run|debug[\w.-]*\.log")
MOST_ENTRIES = 1_000_000
DEEPEST = 40


def unwritable(folder: Path, error: OSError) -> MovlrError:
    """Return what is said where a folder that was named for results cannot be written."""
    return MovlrError(f"Cannot write into {folder} ({error.strerror}): choose another --out.")


def require_writable(folder: Path) -> None:
    """Refuse a folder for results before anything is computed for it; nothing is made yet.

    Raises:
        MovlrError: it cannot be written or made.
    """
    try:
        atomic.require_writable(folder)
    except OSError as error:
        raise unwritable(folder, error) from None


def admit(folder: Path) -> Path:
    """Look through a folder, and return it.

    Args:
        folder: a folder that a run, a sweep or a training was kept in; it may itself be reached by a link, as the user typed it.

    Raises:
        BadFile: it holds a link other than a run's `best`, or something that is neither a file nor a folder.
        MovlrError: it cannot be read.
    """
    pending = [(str(folder), 0, False)]  # folder, depth, whether it is below wandb/
    seen = 0
    while pending:
        place, depth, in_wandb = pending.pop()
        try:
            with os.scandir(place) as entries:
                for entry in entries:
                    seen += 1
                    if seen > MOST_ENTRIES or depth > DEEPEST:
                        raise BadFile(f"{folder} holds more files or deeper folders than a run writes: remove what does not belong there.")
                    if entry.is_symlink():
                        _link(entry, in_wandb)
                    elif entry.is_dir(follow_symlinks=False):
                        pending.append((entry.path, depth + 1, in_wandb or entry.name == _WANDB))
                    elif not stat.S_ISREG(entry.stat(follow_symlinks=False).st_mode):
                        raise BadFile(f"{entry.path} is no regular file (a pipe, a socket or a device): remove it.")
        except FileNotFoundError:
            if place == str(folder):
                raise MovlrError(f"There is no folder {folder}: check the path.") from None
            continue  # another process works in it, and has just removed what it had not finished
        except NotADirectoryError:
            raise MovlrError(f"{folder} is no folder: give the folder itself.") from None
        except OSError as error:
            raise MovlrError(f"{place} cannot be read ({error.strerror}): make it readable.") from None
    return folder


def _link(entry: os.DirEntry[str], in_wandb: bool) -> None:
    """Raise BadFile unless a link may stay."""
    try:
        target = str(Path(entry.path).readlink())
    except FileNotFoundError:
        return
    if entry.name == "best" and _BEST.fullmatch(target):
        return
    if in_wandb and _WANDBS_OWN.fullmatch(entry.name):
        return
    raise BadFile(f"{entry.path} is a link to {target}, and such a folder holds no links: remove it, or put the file itself there.")
