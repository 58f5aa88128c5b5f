"""The jail's own file tree: a mount namespace whose root is an empty tmpfs with only the readable paths in it, all of it read-only.

What is not in the tree has no name there: it cannot be opened, and neither `stat` nor `readlink` tells whether it exists. What is
in it cannot be changed, its modes, times and extended attributes included, which Landlock does not guard. Imports only the
standard library, as `locks` does. Numbers are those of linux/mount.h.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import stat
import struct
from collections.abc import Iterable

from movlr_jax.sandbox import locks

AT_FDCWD, AT_EMPTY_PATH, AT_RECURSIVE = -100, 0x1000, 0x8000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 4, 8, 32, 4096, 16384, 1 << 18
OPEN_TREE_CLONE, MOVE_MOUNT_F_EMPTY_PATH, MNT_DETACH = 1, 4, 2
MOUNT_ATTR_RDONLY, MOUNT_ATTR_NOSUID, MOUNT_ATTR_NODEV = 1, 2, 4
_BASES = ("/tmp", "/mnt", "/run", "/proc")  # where the new root is mounted before it becomes the root
_MAX_LINKS = 40  # as many as the kernel follows


def enter(readable: Iterable[str]) -> None:
    """Make the calling process's root a read-only tree of `readable` alone, and its outputs that tree's /dev/null.

    Needs the right to mount, from root or a user namespace, and goes before capabilities are given up.

    Args:
        readable: absolute paths of files and folders; those beneath another are part of it. Links on the way are made anew.

    Raises:
        OSError: the system does not grant it, or the kernel is older than 5.12.
    """
    folders, links = _places(readable)
    locks.unshare(locks.CLONE_NEWNS)
    _mount(None, "/", None, MS_REC | MS_PRIVATE, None)
    trees: dict[str, int] = {}
    try:
        for path in folders:
            trees[path] = _read_only_copy(path)
        base = next((p for p in _BASES if os.path.isdir(p)), "/")  # noqa: PTH112 - pathlib is not loaded yet
        _mount("tmpfs", base, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=1m,nr_inodes=4096,mode=0755")
        os.chdir(base)
        for path, fd in trees.items():
            _make_place(path, stat.S_ISDIR(os.fstat(fd).st_mode))
            place = ctypes.c_char_p(os.fsencode("." + path))
            locks.syscall("move_mount", fd, ctypes.c_char_p(b""), AT_FDCWD, place, MOVE_MOUNT_F_EMPTY_PATH)
        for path, target in links.items():
            os.makedirs("." + os.path.dirname(path), mode=0o755, exist_ok=True)  # noqa: PTH103, PTH120
            os.symlink(target, "." + path)  # noqa: PTH211
    finally:
        for fd in trees.values():
            os.close(fd)
    here = ctypes.c_char_p(b".")
    locks.syscall("pivot_root", here, here)
    locks.syscall("umount2", here, MNT_DETACH)
    os.chdir("/")
    _mount(None, "/", None, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, None)
    # The outputs that came in are the prover's /dev/null, on a mount whose modes can be changed through them.
    null = os.open("/dev/null", os.O_WRONLY)
    for fd in (1, 2):
        os.dup2(null, fd, inheritable=False)
    os.close(null)


def prove() -> str:
    """Try what the tree must refuse; return "active" or "not granted: why"."""
    for path in ("/etc/passwd", "/proc/self", "/proc/1", "/sys/class", "/dev/mem"):
        with contextlib.suppress(FileNotFoundError):
            os.lstat(path)
            return f"not granted: {path} can be seen"
    for path in ("/", "/dev/null", os.path.dirname(os.path.abspath(__file__))):  # noqa: PTH100, PTH120
        try:
            os.chmod(path, stat.S_IMODE(os.stat(path).st_mode))  # noqa: PTH101, PTH116
            return f"not granted: the mode of {path} can be set"
        except OSError as error:
            if error.errno != errno.EROFS:
                return f"not granted: {path}: {os.strerror(error.errno or 0)}"
    return "active"


def _places(readable: Iterable[str]) -> tuple[list[str], dict[str, str]]:
    """Return the real paths to show, none beneath another, and the links (path -> target) that lead to them."""
    real: set[str] = set()
    links: dict[str, str] = {}
    for path in readable:
        with contextlib.suppress(OSError):
            real.add(_follow(path, links))
    real.discard("/")
    tops = sorted(p for p in real if not any(p != other and p.startswith(other + "/") for other in real))
    return tops, {link: target for link, target in links.items() if not any(link.startswith(top + "/") for top in tops)}


def _follow(path: str, links: dict[str, str]) -> str:
    """Return the real path of an absolute path, adding every link on the way.

    Raises:
        OSError: it does not exist, or its links run in a circle.
    """
    here, waiting, followed = "/", path.split("/"), 0
    while waiting:
        name = waiting.pop(0)
        if name in ("", "."):
            continue
        if name == "..":
            here = os.path.dirname(here)  # noqa: PTH120
            continue
        step = os.path.join(here, name)  # noqa: PTH118
        if not stat.S_ISLNK(os.lstat(step).st_mode):
            here = step
            continue
        followed += 1
        if followed > _MAX_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        links[step] = target = os.readlink(step)  # noqa: PTH115
        waiting = target.split("/") + waiting
        here = "/" if target.startswith("/") else here
    return here


def _read_only_copy(path: str) -> int:
    """Return a descriptor of a copy of the mounts at and beneath path, which nothing can be written through.

    Raises:
        OSError: not granted.
    """
    fd = locks.syscall("open_tree", AT_FDCWD, ctypes.c_char_p(os.fsencode(path)), OPEN_TREE_CLONE | os.O_CLOEXEC | AT_RECURSIVE)
    try:
        device = stat.S_ISCHR(os.fstat(fd).st_mode)
        wanted = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | (0 if device else MOUNT_ATTR_NODEV)
        attribute = ctypes.create_string_buffer(struct.pack("=4Q", wanted, 0, 0, 0), 32)
        locks.syscall("mount_setattr", fd, ctypes.c_char_p(b""), AT_EMPTY_PATH | AT_RECURSIVE, attribute, 32)
    except OSError:
        os.close(fd)
        raise
    return fd


def _make_place(path: str, folder: bool) -> None:
    """Make an empty folder or file in the new root (the current folder) for a mount to stand on."""
    inside = "." + path
    os.makedirs(inside if folder else os.path.dirname(inside), mode=0o755, exist_ok=True)  # noqa: PTH103, PTH120
    if not folder:
        os.close(os.open(inside, os.O_WRONLY | os.O_CREAT, 0o644))


def _mount(source: str | None, target: str, kind: str | None, flags: int, options: str | None) -> None:
    """Call mount.

    Raises:
        OSError: not granted.
    """
    texts = [None if t is None else ctypes.c_char_p(t.encode()) for t in (source, target, kind, options)]
    locks.syscall("mount", texts[0], texts[1], texts[2], flags, texts[3])
