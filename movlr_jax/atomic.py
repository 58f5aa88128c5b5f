"""Files, read and written with care: whole or not at all, and never through a link that somebody planted.

Flows in: bytes, JSON values, arrays. Flows out: files. Each is written under a temporary name in its own folder,
flushed to the disk and renamed over its final name; the folder is flushed too, so that the order of the renames
survives a power cut. A reader, or a process that starts after a kill, sees the old file or the new one and nothing between.

A folder may come from someone else. So temporary names are drawn at random and made anew, a rename replaces a link instead of following
it, and only regular files of bounded size are read: no link, no pipe, no device, no archive that unpacks to more than it may.
`folders.py` checks the folders on the way.
"""

from __future__ import annotations

import contextlib
import errno
import io
import json
import math
import os
import re
import secrets
import shutil
import stat
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from movlr_jax.errors import BadFile

# Every temporary name starts with this, so that what a killed process left can be told from what it finished.
TEMPORARY_PREFIX = ".unfinished-"
MOST_TEXT = 64 << 20  # bytes of a text or JSON file; the largest that a run writes, summary.json of 1,000 iterations, has some 10 MB
DEEPEST = 200  # levels of a JSON text; a run writes about ten
MOST_ARRAYS = 2 << 30  # bytes of an archive's arrays; ten seconds of 700 muscles are some 20 MB
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY  # a pipe without a writer must not hold us


def _temporary(path: Path) -> Path:
    """Return a new name that stands for `path` while it is written; it keeps the suffix, which encoders read."""
    return path.with_name(f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}-{path.name}")


def _flush(path: Path) -> None:
    """Flush a file, or a folder's list of names, to the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def require_writable(folder: Path) -> None:
    """Refuse a folder that cannot be written or made, without making it.

    Raises:
        OSError: why not; what cannot be known beforehand (a full disk) is not told.
    """
    nearest = folder if folder.is_absolute() else Path.cwd() / folder
    while not os.path.lexists(nearest) and nearest != nearest.parent:
        nearest = nearest.parent
    if not nearest.is_dir():
        raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(nearest))
    if not os.access(nearest, os.W_OK | os.X_OK):
        number = errno.EROFS if os.statvfs(nearest).f_flag & os.ST_RDONLY else errno.EACCES
        raise OSError(number, os.strerror(number), str(nearest))


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a new, empty file to write; on leaving without an exception it becomes `path`, otherwise it is removed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = _temporary(path)
    os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666))
    try:
        yield partial
        _flush(partial)
        partial.replace(path)
    except BaseException as error:
        partial.unlink(missing_ok=True)
        # A write that finds no room does not say where; the temporary name tells nobody anything.
        if isinstance(error, OSError) and error.errno and error.filename in (None, partial, str(partial)):
            error.filename = str(path)
        raise
    _flush(path.parent)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a whole file."""
    with replacing(path) as partial:
        partial.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Write a whole text file as UTF-8; halves of characters, which UTF-8 has not, become question marks."""
    write_bytes(path, text.encode("utf-8", "replace"))


def plain(value: Any) -> Any:
    """Return a value as JSON holds it: NumPy values, tuples and paths become plain, NaN and infinity null."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Path):
        return str(value)
    return value


def write_json(path: Path, value: Any) -> Any:
    """Write a value as JSON and return it as a reader of the file sees it.

    Callers go on with the returned value, never with the one they passed: an undisturbed run then computes with the
    very numbers that a resumed one reads back.
    """
    text = json.dumps(plain(value), indent=1, allow_nan=False)
    write_text(path, text + "\n")
    return json.loads(text)


def read_bytes(path: Path, most: int = MOST_TEXT, *, follow: bool = False) -> bytes:
    """Return the bytes of a regular file.

    Args:
        path: the file.
        most: how many bytes it may have.
        follow: whether it may be a link, which only a path that the user typed may.

    Raises:
        BadFile: it is no regular file, or larger.
        OSError: it cannot be opened.
    """
    try:
        descriptor = os.open(path, _READ | (0 if follow else os.O_NOFOLLOW))
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise BadFile(f"{path} is a link, and only regular files are read here: replace it by the file itself.") from None
        raise
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not stat.S_ISREG(status.st_mode):
            raise BadFile(f"{path} is no regular file (a pipe, a socket or a device): remove it.")
        data = file.read(most + 1) if status.st_size <= most else b""
    if status.st_size > most or len(data) > most:
        raise BadFile(f"{path} has more than {most} bytes, which no such file has: remove it.")
    return data


def read_text(path: Path, most: int = MOST_TEXT, *, follow: bool = False, newlines: bool = True) -> str:
    """Return the text of a regular UTF-8 file; with `newlines`, each kind of line end is read as one.

    Raises:
        BadFile: it is no regular file, larger, or not UTF-8.
        OSError: it cannot be opened.
    """
    try:
        text = read_bytes(path, most, follow=follow).decode("utf-8")
    except UnicodeDecodeError:
        raise BadFile(f"{path} is not UTF-8 text: replace it by one that is.") from None
    return text.replace("\r\n", "\n").replace("\r", "\n") if newlines else text


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def read_json(path: Path, most: int = MOST_TEXT) -> Any:
    """Return the value in a JSON file.

    Raises:
        BadFile: it is no regular file, larger, or not JSON.
        OSError: it cannot be opened.
    """
    text = read_text(path, most)
    try:
        if _deepest(text) > DEEPEST:
            raise ValueError(f"it is nested more than {DEEPEST} deep")
        return json.loads(text, parse_constant=_no_constant)
    except ValueError as error:
        raise BadFile(f"{path} is not JSON ({str(error)[:200]}): restore it, or remove it.") from None


def _deepest(text: str) -> int:
    """Return how deep a JSON text is nested."""
    depth = _depth(text)
    return depth if depth <= DEEPEST else _depth(_STRING.sub("", text))  # brackets inside strings were counted along


def _depth(text: str) -> int:
    signs = np.frombuffer(text.encode("utf-8", "replace"), np.uint8)
    opened = np.isin(signs, np.frombuffer(b"[{", np.uint8)).astype(np.int8)
    closed = np.isin(signs, np.frombuffer(b"]}", np.uint8)).astype(np.int8)
    return int(np.cumsum(opened - closed, dtype=np.int32).max(initial=0))


def npz_bytes(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Return arrays as the bytes of an .npz file; equal arrays give equal bytes on every day and machine."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, np.ascontiguousarray(array) if np.ndim(array) else np.asarray(array), allow_pickle=False)
            # The fixed date and system keep the bytes free of the clock and of the platform.
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system, entry.external_attr = 3, 0o600 << 16
            archive.writestr(entry, member.getvalue())
    return buffer.getvalue()


def write_npz(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays as an .npz file whose bytes depend on the arrays alone."""
    write_bytes(path, npz_bytes(arrays))


def read_npz(path: Path, most: int = MOST_ARRAYS) -> dict[str, np.ndarray]:
    """Return the arrays of an .npz file.

    Raises:
        BadFile: it is no regular file, claims more bytes than it may have, or is no archive of plain arrays.
        OSError: it cannot be opened.
    """
    data = read_bytes(path, most)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if sum(member.file_size for member in members) > most:
                raise ValueError(f"its arrays claim more than {most} bytes")
            arrays = {member.filename.removesuffix(".npy"): _read_array(archive.read(member)) for member in members}
    except BadFile:
        raise
    # A damaged archive makes zipfile and NumPy raise whatever their parsers stumble over.
    except Exception as error:
        raise BadFile(f"{path} is no archive of arrays ({type(error).__name__}: {str(error)[:200]}): restore it, or remove it.") from None
    return arrays


def _read_array(data: bytes) -> np.ndarray:
    """Return the array of an .npy file's bytes; a header that claims more than there is is refused before anything is allocated."""
    file = io.BytesIO(data)
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    if dtype.hasobject:
        raise ValueError("an array of Python objects")
    if math.prod(shape) * dtype.itemsize != len(data) - file.tell():
        raise ValueError(f"an array of shape {shape} in {len(data) - file.tell()} bytes")
    file.seek(0)
    array: np.ndarray = np.lib.format.read_array(file, allow_pickle=False)
    return array


def link(path: Path, target: str) -> None:
    """Make `path` a symbolic link to `target` (relative to the link's folder), replacing the one that is there.

    A file system without links is left without one: whoever reads goes by the records. A folder of that name, which is what a link
    becomes where a copy followed it, is set aside under another name.
    """
    if path.is_symlink() and str(path.readlink()) == target:
        return
    partial = _temporary(path)
    try:
        partial.symlink_to(target)
    except OSError as error:
        if error.errno in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS):
            return
        raise
    if path.is_dir() and not path.is_symlink():
        path.replace(_aside(path))
    partial.replace(path)
    _flush(path.parent)


def _aside(path: Path) -> Path:
    """Return a name beside `path` that is free."""
    return next(p for n in range(1, 1 << 20) if not os.path.lexists(p := path.with_name(f"{path.name}-copy-{n}")))


@contextlib.contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Give a temporary folder to fill; left without an exception it becomes `path`, which must be empty or missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for leftover in path.parent.glob(f"{TEMPORARY_PREFIX}*-{path.name}"):
        _remove(leftover)
    partial = _temporary(path)
    partial.mkdir()
    try:
        yield partial
        partial.replace(path)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    _flush(path.parent)


def _remove(leftover: Path) -> None:
    if leftover.is_dir() and not leftover.is_symlink():
        shutil.rmtree(leftover, ignore_errors=True)
    else:
        leftover.unlink(missing_ok=True)


def sweep(folder: Path) -> None:
    """Remove what killed processes left unfinished under a folder. The caller holds the folder's lock."""
    for leftover in sorted(folder.rglob(f"{TEMPORARY_PREFIX}*")):
        _remove(leftover)
