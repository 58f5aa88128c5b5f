"""Fetching a model: one folder of one commit of a git repository, into the cache, complete and verified or not at all.

Flows in: a manifest (where from, what it must be). Flows out: CACHE/models/FOLDER with `fetched.json`, which records the commit. The
commit's trees come first, without files; then the folder's files in batches, so that a fetch that is broken off goes on with the batch
it was at. All of it happens in CACHE/models/.fetching-FOLDER; only what the manifest accepts is renamed into place.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from movlr_jax.errors import MovlrError
from movlr_jax.morphologies import manifest, sources
from movlr_jax.morphologies.manifest import Manifest

RECORD = "fetched.json"
_BATCH = 24  # files a request: few enough to lose little when broken off, enough not to wait for the network each time
_GIT = (
    *("-c", "core.autocrlf=false", "-c", "advice.detachedHead=false", "-c", "gc.auto=0", "-c", "protocol.version=2"),
    *("-c", "http.lowSpeedLimit=1000", "-c", "http.lowSpeedTime=30"),  # a dead connection ends by itself
)
_UNKNOWN_COMMIT = re.compile(r"not our ref|couldn't find remote ref|could not find remote ref|invalid refspec|unadvertised object", re.I)
_NO_ROOM = re.compile(r"no space left|disk quota exceeded", re.I)
_UNWRITTEN = re.compile(r"unable to (write|create)|could not write|cannot (write|create)|write error|failed to write", re.I)
_FULL = 1 << 20  # bytes; git does not always say why a file could not be written: with less than this left, for want of room

Progress = Callable[[str, int, int], None]  # what is done in words, files that are here, files in all


@dataclass(frozen=True)
class Fetched:
    """What a fetch did.

    Attributes:
        folder: the model's folder.
        repository, commit: where it came from; the commit is "" where an older record has none.
        new: False where a sound copy was there already and nothing was fetched.
    """

    folder: Path
    repository: str
    commit: str
    new: bool


class _GitError(Exception):
    """A git command failed; holds its own words."""


def fetch(model: Manifest, repository: str = "", commit: str = "", progress: Progress = lambda what, done, total: None) -> Fetched:
    """Fetch a model into the cache, unless a sound copy is there.

    Args:
        model: the model.
        repository: URL or path of a git repository; empty: the manifest's.
        commit: commit, branch or tag; empty: the manifest's commit. Naming one fetches it even where a sound copy is there that came
            from another.
        progress: told what is done.

    Raises:
        MovlrError: git is missing, the repository or the commit cannot be had, there is no room or no permission, or what came is not
            what the manifest knows.
    """
    repository, pinned = repository or model.repository, commit or model.commit
    if Path(repository).exists():
        repository = str(Path(repository).resolve())  # git runs in another folder
    models = sources.cache_dir() / "models"
    target = models / model.folder
    with _filesystem(models):
        models.mkdir(parents=True, exist_ok=True)
        with _only_one(models / f".fetching-{model.folder}.lock", model.folder):
            record = _record(target)
            if target.is_dir() and not manifest.deviations(target, model) and commit in ("", record.get("commit"), record.get("asked")):
                return Fetched(target, record.get("repository", ""), record.get("commit", ""), False)
            work = models / f".fetching-{model.folder}"
            try:
                revision = _checkout(work, repository, pinned, model.folder, progress)
            except _GitError as error:
                # What was left by a fetch that was broken off may be damaged: once more, from nothing.
                if not work.is_dir() or not _damaged(error):
                    raise _git_fault(error, repository, pinned, models) from None
                shutil.rmtree(work)
                try:
                    revision = _checkout(work, repository, pinned, model.folder, progress)
                except _GitError as again:
                    raise _git_fault(again, repository, pinned, models) from None
            fresh = work / model.folder
            progress("checking", 0, 0)
            deviations = manifest.deviations(fresh, model)
            if deviations:
                shutil.rmtree(work)
                more = f" ({len(deviations) - 1} more deviations)" if len(deviations) > 1 else ""
                raise MovlrError(
                    f"{model.folder} of {repository} at {revision[:12]} is not the model that this version knows: "
                    f"{deviations[0].rstrip('.')}{more}; nothing was put in place, the commit {model.commit[:12]} is the known one."
                )
            note = {"repository": repository, "commit": revision, "asked": pinned}
            (fresh / RECORD).write_text(json.dumps(note, indent=1) + "\n", encoding="utf-8")
            _put(fresh, target)
            shutil.rmtree(work)
    return Fetched(target, repository, revision, True)


def _record(folder: Path) -> dict[str, str]:
    try:
        return dict(json.loads((folder / RECORD).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def _put(fresh: Path, target: Path) -> None:
    """Rename a folder into place; one that is there is taken away only then."""
    old = target.with_name(f".replaced-{target.name}")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    fresh.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def _checkout(work: Path, repository: str, commit: str, folder: str, progress: Progress) -> str:
    """Fill work/FOLDER from a commit and return that commit's id. What an earlier call left in `work` is used."""
    progress("asking for the commit", 0, 0)
    if not (work / ".git" / "HEAD").is_file():
        work.mkdir(exist_ok=True)
        _git(work, "init", "--quiet")
    # Written anew each time: the earlier call may have been another repository's.
    for key, value in (
        ("remote.origin.url", repository),
        ("remote.origin.promisor", "true"),
        ("remote.origin.partialclonefilter", "blob:none"),
        ("core.repositoryformatversion", "1"),
        ("extensions.partialClone", "origin"),
    ):
        _git(work, "config", key, value)
    (work / ".git" / "shallow.lock").unlink(missing_ok=True)  # a killed git leaves its locks; ours says that no other is at work
    if not _has_commit(work, commit):
        _git(work, "fetch", "--quiet", "--depth=1", "--no-tags", "--filter=blob:none", "origin", commit)
        commit = "FETCH_HEAD"
    revision = _git(work, "rev-parse", "--verify", f"{commit}^{{commit}}").strip()
    if not _git(work, "ls-tree", "-d", revision, "--", folder):
        raise MovlrError(f"{repository} has no folder {folder} at {revision[:12]}: name another commit with --commit.")
    listed = _git(work, "rev-list", "--objects", "--no-walk", "--missing=print", revision, "--", folder).split("\n")
    missing = [line[1:] for line in listed if line.startswith("?")]
    total = len(_git(work, "ls-tree", "-r", "--name-only", revision, "--", folder).splitlines())
    for start in range(0, len(missing), _BATCH):
        progress("fetching", total - len(missing) + start, total)
        batch = missing[start : start + _BATCH]
        words = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--filter=blob:none", "--stdin", "origin")
        _git(work, *words, feed="\n".join(batch) + "\n")
    progress("fetching", total, total)
    # Nothing of an earlier checkout is trusted: the files are written again from git's objects, whose hashes git checks.
    shutil.rmtree(work / folder, ignore_errors=True)
    for leftover in ("index", "index.lock"):
        (work / ".git" / leftover).unlink(missing_ok=True)
    _git(work, "checkout", "--quiet", revision, "--", folder)
    return revision


def _has_commit(work: Path, commit: str) -> bool:
    """Whether a full commit id is here already; a branch is always asked for anew."""
    if not re.fullmatch(r"[0-9a-f]{40}", commit):
        return False
    shallow = work / ".git" / "shallow"  # lists the commits that were fetched; asking git for the object would make it fetch it
    return shallow.is_file() and commit in shallow.read_text().split()


def _git(work: Path, *words: str, feed: str = "") -> str:
    """Run git and return what it wrote.

    Raises:
        MovlrError: there is no git.
        _GitError: it failed.
    """
    outside = {name: value for name, value in os.environ.items() if not re.fullmatch(r"GIT_(DIR|WORK_TREE|INDEX_FILE|OBJECT_.*)", name)}
    quiet = {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}  # never wait for a password; its words are read below
    try:
        ran = subprocess.run(["git", *_GIT, *words], cwd=work, input=feed, capture_output=True, text=True, env=outside | quiet)
    except FileNotFoundError:
        raise MovlrError("git was not found: install the system package git (on Debian and Ubuntu: apt-get install git).") from None
    if ran.returncode:
        output = [line for line in ran.stderr.splitlines() if line.strip()]
        raise _GitError("\n".join([words[0], *output]))
    return ran.stdout


def _damaged(error: _GitError) -> bool:
    """Whether a failure looks like one of the work folder and not of the other side."""
    command, _, output = str(error).partition("\n")
    if _NO_ROOM.search(output) or _UNWRITTEN.search(output):
        return False
    return command != "fetch" or bool(re.search("corrupt|bad object", output))


def _git_fault(error: _GitError, repository: str, commit: str, models: Path) -> MovlrError:
    """Return the sentence for a failure of git."""
    lines = str(error).splitlines()[1:]
    output = next((line for line in lines if line.startswith(("fatal:", "error:"))), lines[-1] if lines else "it says nothing")
    output = output.removeprefix("fatal: ").removeprefix("error: ").rstrip(".")
    text = "\n".join(lines)
    if _NO_ROOM.search(text) or (_UNWRITTEN.search(text) and shutil.disk_usage(models).free < _FULL):
        return _no_room(models)
    if _UNWRITTEN.search(text):
        return MovlrError(f"{models} cannot be written (git: {output}): set {sources.CACHE_VARIABLE} to a folder that can.")
    if _UNKNOWN_COMMIT.search(text):
        return MovlrError(f"{repository} has no commit, branch or tag {commit}: name another with --commit, for example main.")
    return MovlrError(
        f"{repository} cannot be fetched (git: {output}): look to the network or name another with --repository; "
        "the same command goes on where this one stopped."
    )


def _no_room(models: Path) -> MovlrError:
    return MovlrError(f"There is no room left in {models}: make some, or set {sources.CACHE_VARIABLE} to a folder on a larger disk.")


@contextlib.contextmanager
def _filesystem(models: Path) -> Iterator[None]:
    """Turn the file system's refusals into sentences."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _no_room(models) from None
        raise MovlrError(f"{models} cannot be written ({error.strerror}): set {sources.CACHE_VARIABLE} to a folder that can.") from None


@contextlib.contextmanager
def _only_one(path: Path, folder: str) -> Iterator[IO[str]]:
    """Hold a lock that ends with this process, so that two fetches of a model do not write into each other."""
    with path.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise MovlrError(f"{folder} is being fetched by another process: wait for it.") from None
        yield handle
