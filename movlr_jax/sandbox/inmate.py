"""The program of the jailed process: warm up, lock the door from inside, run one text, send one message, end.

Started by `jail.Jail` as `python -I -c BOOTSTRAP` with an empty environment. Descriptor 0 is the pipe of requests, 3 that
of replies, all others are closed. The first process stays outside the pid namespace, only waits for the second, passes on
how it ended, and kills it on SIGTERM; the second does everything else. Before JAX is imported (which starts threads) the
second process enters its own file tree, gives up capabilities and takes Landlock; when JAX is warm it takes the resource limits and
seccomp, then *tries* forbidden acts: a layer counts as active only if its act was refused. Where it can still start threads, the first
process counts them and ends it when there are too many.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import mmap
import os
import resource
import signal
import stat
import sys
import threading
import time
from typing import Any

from movlr_jax.sandbox import locks, mounts, wire

REQUESTS, REPLIES = 0, 3
ACTIVE = "active"
MORE_TASKS = 64  # threads and processes beyond those of the warm jail, where only counting bounds them
COUNT_EVERY_S = 0.02
TOO_MANY_TASKS = 73  # the exit status that says so


def _left_out() -> OSError:
    return OSError(0, "left out on request")


def _not_granted(error: OSError) -> str:
    return f"not granted: {os.strerror(error.errno) if error.errno else error.strerror or error}"


def _user_namespace_works() -> bool:
    """Try a user namespace in a child first: where ids are not mapped, the process could not read its own files."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            locks.enter_user_namespace()
            os.stat(sys.executable)  # noqa: PTH116
            code = 0 if os.getuid() == os.stat("/proc/self").st_uid else 1  # noqa: PTH116
        except OSError:
            pass
        finally:
            os._exit(code)
    return os.waitpid(child, 0)[1] == 0


def _enter_namespaces() -> dict[str, str]:
    """Leave the parent's namespaces; return what was not granted."""
    refused: dict[str, str] = {}
    if _user_namespace_works():
        locks.enter_user_namespace()
    else:
        refused["user namespace"] = "not granted: unprivileged user namespaces are off"
    for name, flag in (
        ("network namespace", locks.CLONE_NEWNET),
        ("pid namespace", locks.CLONE_NEWPID),
        ("ipc namespace", locks.CLONE_NEWIPC | locks.CLONE_NEWUTS),
    ):
        try:
            locks.unshare(flag)
        except OSError as error:
            refused[name] = _not_granted(error)
    return refused


def _tasks(process: int) -> int:
    """Return how many threads a process and its descendants have.

    Raises:
        OSError: it has ended.
    """
    tasks = os.listdir(f"/proc/{process}/task")  # noqa: PTH208
    count = len(tasks)
    for task in tasks:
        with contextlib.suppress(FileNotFoundError), open(f"/proc/{process}/task/{task}/children") as text:  # noqa: PTH123
            for child in text.read().split():
                with contextlib.suppress(FileNotFoundError):
                    count += _tasks(int(child))
    return count


def _count_tasks_of(child: int) -> None:
    """As the first process: kill the second and say so when it has too many threads; return when it has ended."""
    try:
        limit = _tasks(child) + MORE_TASKS
        while os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            if _tasks(child) > limit:
                break
            time.sleep(COUNT_EVERY_S)
        else:
            return
    except OSError:  # gone between two looks, or out of sight: what cannot be counted does not run
        if os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            return
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os._exit(TOO_MANY_TASKS)


def _wait_for(child: int, asked_to_count: int) -> None:
    """As the first process: wait for the second and end as it did."""
    if os.read(asked_to_count, 1):
        _count_tasks_of(child)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if number not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 70)


def main() -> None:
    """Run the jail.

    The first message's body is JSON with "readable" (paths), "memory_bytes", "cpu_s" (for the proof), "skip" (layers to leave out, for
    tests), "layout" (a FeatureLayout's JSON or null), "rows" (batch to warm up with), "parent" (the prover's pid).
    """
    settings = json.loads(wire.read(REQUESTS, None)[1])
    locks.prctl(locks.PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != settings["parent"]:
        os._exit(71)  # the prover died before we could ask to die with it
    # Rounds off what Popen did: nothing but the two pipes and /dev/null (1, 2) comes in.
    os.closerange(REPLIES + 1, 4096)
    os.umask(0o077)
    os.chdir("/")
    skip = set(settings["skip"])
    before = {name: os.stat(f"/proc/self/ns/{name}").st_ino for name in ("user", "net", "pid", "ipc")}  # noqa: PTH116
    refused: dict[str, str] = {}
    if "namespaces" in skip:
        refused = {f"{n} namespace": "not granted: left out on request" for n in ("user", "network", "pid", "ipc")}
    else:
        refused = _enter_namespaces()
    asked_to_count, ask_to_count = os.pipe()
    child = os.fork()
    if child:
        # This process never sees hostile text. The other's number cannot be reused before this one has waited for it.
        signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGKILL))
        os.close(REPLIES)
        os.close(REQUESTS)
        os.close(ask_to_count)
        _wait_for(child, asked_to_count)
    os.close(asked_to_count)
    try:
        _second(settings, skip, before, refused, ask_to_count)
    except BaseException as error:  # the pipe is the only way to say so
        with contextlib.suppress(BaseException):
            wire.write_all(REPLIES, wire.pack({"ready": False, "error": f"{type(error).__name__}: {error}"[:500]}))
        os._exit(72)
    os._exit(0)


def _second(settings: dict[str, Any], skip: set[str], before: dict[str, int], refused: dict[str, str], ask_to_count: int) -> None:
    """As the second process: lock, warm up, lock more, prove the locks, serve one request.

    Args:
        settings: the first message.
        skip: layers to leave out.
        before: numbers of the prover's namespaces.
        refused: namespaces that were not granted, and why.
        ask_to_count: where a byte asks the first process to count this one's threads; closed: it need not.
    """
    locks.prctl(locks.PR_SET_PDEATHSIG, signal.SIGKILL)
    with contextlib.suppress(OSError):
        fd = os.open("/proc/self/oom_score_adj", os.O_WRONLY)
        os.write(fd, b"1000")  # when memory is short the jail goes first
        os.close(fd)
    layers: dict[str, str] = {}
    statm = os.open("/proc/self/statm", os.O_RDONLY)  # /proc is out of reach once the mount namespace or Landlock holds
    _prove_namespaces(layers, before, refused, settings["parent"])
    if layers["ipc namespace"] == ACTIVE:  # and with it that of the machine's name, which the copy still holds
        locks.LIBC.sethostname(b"jail", 4)
    try:
        if skip & {"namespaces", "mount namespace"}:
            raise _left_out()
        mounts.enter(settings["readable"])
        layers["mount namespace"] = mounts.prove()
    except OSError as error:
        layers["mount namespace"] = _not_granted(error)

    try:
        locks.lock_capabilities()
        layers["capabilities"] = ACTIVE if locks.capabilities() == 0 else "not granted: some remain"
    except OSError as error:
        layers["capabilities"] = _not_granted(error)
    try:
        locks.prctl(locks.PR_SET_NO_NEW_PRIVS, 1)
        layers["no_new_privs"] = ACTIVE if locks.prctl(locks.PR_GET_NO_NEW_PRIVS) == 1 else "not granted: not set"
    except OSError as error:
        layers["no_new_privs"] = _not_granted(error)
    try:
        if "landlock" in skip:
            raise _left_out()
        locks.lock_files(settings["readable"])
        layers["landlock"] = _prove_landlock()
    except OSError as error:
        layers["landlock"] = _not_granted(error)

    # Few threads: on a machine with many cores their stacks alone would use up the address space.
    with contextlib.suppress(OSError):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-2:])
    os.environ.update(JAX_PLATFORMS="cpu", OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", TF_CPP_MIN_LOG_LEVEL="3")
    started = time.monotonic()
    from movlr_jax.sandbox import workbench

    workbench.warm_up(settings["layout"], settings["rows"])
    warm_s = time.monotonic() - started
    os.environ.clear()

    with contextlib.suppress(OSError):
        locks.prctl(locks.PR_SET_DUMPABLE, 0)
    # Both limits are on top of what the warm process has used: a CUDA build of JAX maps gigabytes before it starts.
    mapped = int(os.pread(statm, 100, 0).split()[0]) * mmap.PAGESIZE
    os.close(statm)
    memory = max(settings["memory_bytes"], mapped + settings["memory_bytes"] * 3 // 4)
    try:
        locks.lock_resources(memory, int(time.process_time()) + 1 + settings["cpu_s"])
        layers["resource limits"] = _prove_resources(memory)
    except OSError as error:
        layers["resource limits"] = _not_granted(error)
    layers["empty environment"] = ACTIVE if not os.environ else "not granted: variables remain"
    try:
        if "seccomp" in skip:
            raise _left_out()
        # In its own tree Python may still import its files; elsewhere no path can be opened or asked after any more.
        locks.lock_calls(may_name=layers["mount namespace"] == ACTIVE)
        layers["seccomp"] = _prove_seccomp()
    except OSError as error:
        layers["seccomp"] = _not_granted(error)
    layers["thread limit"] = _prove_threads()
    if layers["thread limit"] != ACTIVE:
        os.write(ask_to_count, b".")
    os.close(ask_to_count)
    layers["closed descriptors"] = _prove_descriptors()

    wire.write_all(REPLIES, wire.pack({"ready": True, "layers": layers, "warm_s": warm_s, **workbench.versions()}))
    try:
        request = json.loads(wire.read(REQUESTS, None)[1])
    except wire.TransportClosed:
        return  # the prover needs no text proved
    header, body = workbench.prove(request["source"], request["layout"], int(request["rows"]))
    wire.write_all(REPLIES, wire.pack(header, body))


def _prove_namespaces(layers: dict[str, str], before: dict[str, int], refused: dict[str, str], parent: int) -> None:
    """Look from inside whether the namespaces are others than the prover's, and act on it."""
    for short, name in (("user", "user"), ("net", "network"), ("pid", "pid"), ("ipc", "ipc")):
        key = f"{name} namespace"
        if key in refused:
            layers[key] = refused[key]
        elif os.stat(f"/proc/self/ns/{short}").st_ino == before[short]:  # noqa: PTH116
            layers[key] = "not granted: still the prover's"
        else:
            layers[key] = ACTIVE
    if layers["pid namespace"] == ACTIVE:
        # /proc still shows the outer view, so the proof is that the prover cannot even be named for a signal.
        try:
            os.kill(parent, 0)
            layers["pid namespace"] = "not granted: the prover can be signalled"
        except ProcessLookupError:
            pass
        except OSError as error:
            layers["pid namespace"] = _not_granted(error)


def _prove_landlock() -> str:
    for path, flags in (("/etc/passwd", os.O_RDONLY), ("/", os.O_RDONLY), ("/tmp", os.O_WRONLY | 0o20000000)):
        try:
            os.close(os.open(path, flags | (os.O_DIRECTORY if flags != os.O_RDONLY else 0)))
            return f"not granted: {path} could be opened"
        except PermissionError:
            pass
        except FileNotFoundError:
            pass
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EOPNOTSUPP, errno.EISDIR, errno.EROFS):
                return _not_granted(error)
    return ACTIVE


def _prove_resources(memory_bytes: int) -> str:
    try:
        mmap.mmap(-1, memory_bytes).close()
        return "not granted: more memory than the limit could be mapped"
    except (OSError, ValueError, MemoryError):
        return ACTIVE if resource.getrlimit(resource.RLIMIT_FSIZE) == (0, 0) else "not granted: files may grow"


def _prove_descriptors() -> str:
    # 4 and up may only hold what this process opened itself since: none, or the compiler's own event descriptors, which have no file type.
    extra = []
    for fd in range(REPLIES + 1, 64):
        with contextlib.suppress(OSError):
            if stat.S_IFMT(os.fstat(fd).st_mode):
                extra.append(fd)
    return ACTIVE if not extra else f"not granted: descriptors {extra} are open"


def _prove_threads() -> str:
    try:
        threading.Thread(target=int, daemon=True).start()
    except RuntimeError:
        return ACTIVE
    return f"not granted: threads can be started; the jail is ended when there are about {MORE_TASKS} more"


def _prove_seccomp() -> str:
    forbidden: dict[str, tuple[Any, ...]] = {
        "a socket": ("socket", 1, 1, 0),
        "a new process": ("clone", int(signal.SIGCHLD), 0, 0, 0, 0),
        "the machine's state": ("sysinfo", ctypes.create_string_buffer(256)),
        "another's processor time": ("clock_gettime", -14, ctypes.create_string_buffer(16)),
        "running a program": ("execve", None, None, None),
        "a file to write": ("openat", -100, ctypes.c_char_p(b"/dev/null"), os.O_WRONLY),
    }
    for what, (name, *arguments) in forbidden.items():
        try:
            result = locks.syscall(name, *arguments)
        except OSError as error:
            if error.errno in (errno.EPERM, errno.EACCES):
                continue
            return f"not granted: {what} was not refused ({os.strerror(error.errno or 0)})"
        if name == "clone" and result == 0:
            os._exit(0)
        return f"not granted: {what} was possible"
    return ACTIVE
