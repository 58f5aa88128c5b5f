"""The jail, seen from outside: starts the single-use process, hands it a text, takes one bounded answer, and ends it.

Everything that comes back is untrusted: the answer is data (a small header and StableHLO text), checked in type and size here and in
meaning by `inspect`. What is trusted is only what the process said *before* it saw the text: which of its locks hold.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import sysconfig
import time
import weakref
from dataclasses import dataclass
from pathlib import Path

import movlr_jax
from movlr_jax.errors import MovlrError
from movlr_jax.rewards.layout import FeatureLayout
from movlr_jax.sandbox import wire
from movlr_jax.sandbox.inmate import TOO_MANY_TASKS

MEMORY_BYTES = 4 << 30  # JAX aborts where the address space is limited to 1 GiB
PLAN_ROWS = 64 * 44  # candidates x steps of one plan
START_DEADLINE_S = 120.0
_BOOTSTRAP = "import sys; sys.path[:] = {path!r}; from movlr_jax.sandbox.inmate import main; main()"


class JailError(MovlrError):
    """The jail could not be started on this machine; the sentence says why."""


@dataclass(frozen=True)
class Answer:
    """What came out of a jail; all of it untrusted, but of the right types and sizes.

    Attributes:
        ok: the jail says that it proved the text.
        reason: one line, if not ok.
        line: the line of the text it points at, or None.
        names: term names that the jail claims.
        module: StableHLO text that the jail claims, b"" if not ok.
    """

    ok: bool
    reason: str = ""
    line: int | None = None
    names: tuple[str, ...] = ()
    module: bytes = b""


def package_folder() -> str:
    """Return the folder of this package's own files."""
    return str(Path(movlr_jax.__file__).resolve().parent)


def import_path() -> list[str]:
    """Return where the jail looks for modules: Python's library, installed packages, and this package's parent folder."""
    paths = sysconfig.get_paths()
    wanted = {os.path.realpath(paths[k]) for k in ("stdlib", "platstdlib", "purelib", "platlib")}
    folders = [p for p in sys.path if p and _is_library(p, wanted)]
    parent = str(Path(package_folder()).parent)
    return [*folders, *([] if parent in folders else [parent])]


def _is_library(path: str, wanted: set[str]) -> bool:
    real = os.path.realpath(path)
    inside = any(real == w or real.startswith(w + os.sep) for w in wanted)
    return inside or Path(real).name in ("site-packages", "dist-packages") or real.endswith(".zip")


def readable_paths() -> list[str]:
    """Return the files and folders that the jail may read: Python's, installed packages, this package, system libraries."""
    parent = str(Path(package_folder()).parent)
    paths = [p for p in import_path() if p != parent or Path(p).name in ("site-packages", "dist-packages")]
    paths += [package_folder(), os.path.realpath(sys.executable), str(Path(sys.base_prefix) / "lib")]
    # Shared libraries, and what the C library and the compiler read about the machine. Nothing here is the user's.
    paths += ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/nix/store", "/etc/ld.so.cache", "/dev/null"]
    paths += ["/dev/urandom", "/proc/cpuinfo", "/sys/devices/system/cpu"]
    return sorted({p for p in paths if Path(p).exists() and p not in ("/", "/usr", "/home", "/root")})


def _end(process: subprocess.Popen[bytes], pipes: tuple[int, ...]) -> None:
    """End a jail and everything in it, wait until it is gone, and close the pipes."""
    try:
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGTERM)  # the first process kills the second, waits for it, and ends
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(2.0)
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    finally:
        for fd in pipes:
            with contextlib.suppress(OSError):
                os.close(fd)


class Jail:
    """One single-use jail. It starts at once and warms up on its own; `ready` waits for it, `ask` uses it up, `close` ends it.

    Args:
        layout: warm up with this body's layout (the first proof is then as fast as any); None: a plain warm-up.
        rows: batch size at which texts are run.
        memory_bytes: limit of the address space; a process that is large when warm gets three quarters of it on top.
        cpu_s: limit of the processor time of the proof (s): ends what loops, however busy the machine is.
        skip: layers to leave out ("namespaces": all of them, "mount namespace", "landlock", "seccomp"): lets tests see that the others
            hold alone.
    """

    def __init__(
        self,
        layout: FeatureLayout | None = None,
        rows: int = PLAN_ROWS,
        memory_bytes: int = MEMORY_BYTES,
        cpu_s: int = 15,
        skip: tuple[str, ...] = (),
    ):
        if sys.platform != "linux":
            raise JailError("The jail needs Linux: run movlr there, or in a Linux container.")
        self.layers: dict[str, str] = {}
        self.jax_version = ""
        self._rows = rows
        self._used = False
        self._ready = False
        request_read, self._requests = os.pipe()
        self._replies, reply_write = os.pipe()
        pipes = (self._requests, self._replies)
        with contextlib.suppress(OSError):
            fcntl.fcntl(self._requests, 1031, 1 << 20)  # F_SETPIPE_SZ: a large body's layout fits without waiting for its reader
        try:
            # 3 is where the jail expects the reply pipe; Popen cannot renumber, so the bootstrap does.
            bootstrap = f"import os; os.dup2({reply_write}, 3); " if reply_write != 3 else ""
            command = [sys.executable, "-I", "-B", "-c", bootstrap + _BOOTSTRAP.format(path=import_path())]
            self._process = subprocess.Popen(
                command,
                stdin=request_read,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(reply_write,),
                env={},
                cwd="/",
                start_new_session=True,  # Ctrl-C in the terminal reaches the prover only, which then ends the jail
            )
        except OSError as error:
            for fd in pipes:
                os.close(fd)
            raise JailError(f"The jail's process could not be started ({error}): free some memory or processes.") from None
        finally:
            os.close(request_read)
            os.close(reply_write)
        self._finalizer = weakref.finalize(self, _end, self._process, pipes)
        settings = {
            "readable": readable_paths(),
            "memory_bytes": memory_bytes,
            "cpu_s": cpu_s,
            "skip": list(skip),
            "layout": None if layout is None else layout.to_json(),
            "rows": rows,
            "parent": os.getpid(),
        }
        self._send(settings)

    @property
    def pid(self) -> int:
        """The number of the jail's first process."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it can still be used."""
        return not self._used and self._finalizer.alive and self._process.poll() is None

    def close(self) -> None:
        """End the jail and all in it; a second call does nothing."""
        self._finalizer()

    def __enter__(self) -> Jail:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _send(self, content: dict[str, object]) -> None:
        data = wire.pack({}, json.dumps(content).encode())
        view = memoryview(data)
        os.set_blocking(self._requests, False)
        deadline = time.monotonic() + START_DEADLINE_S
        while view:
            if not select.select([], [self._requests], [], max(0.0, deadline - time.monotonic()))[1]:
                raise JailError("The jail does not read its request: try again, or look for what keeps this machine busy.")
            try:
                view = view[os.write(self._requests, view) :]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                return  # it ended; reading says why

    def ready(self, deadline_s: float = START_DEADLINE_S) -> dict[str, str]:
        """Wait until the jail is warm and locked; return its layers, each "active" or "not granted: why".

        Raises:
            JailError: it did not come up.
        """
        if self._ready:
            return self.layers
        try:
            header, _ = wire.read(self._replies, time.monotonic() + deadline_s)
        except wire.TransportTimeout:
            self.close()
            raise JailError(f"The jail was not ready within {deadline_s:.0f} s: look for what keeps this machine busy.") from None
        except wire.TransportError:
            how = self._how_it_ended()
            raise JailError(f"The jail did not start ({how}): run `movlr doctor` to see what this machine grants.") from None
        if header.get("ready") is not True:
            self.close()
            raise JailError(f"The jail did not start ({header.get('error')}): run `movlr doctor`.")
        self.layers = {str(k): str(v) for k, v in header["layers"].items()}
        self.layers["deadline"] = "active"
        self.jax_version = str(header.get("jax", ""))
        self._ready = True
        return self.layers

    def ask(self, source: str, layout: FeatureLayout, deadline_s: float) -> Answer:
        """Run one text in the jail, then end the jail.

        Args:
            source: the text, hostile until proven otherwise.
            layout: the body.
            deadline_s: wall-clock time until it is killed (s).

        Raises:
            JailError: the jail was used or has ended, or this machine grants too few layers to let a stranger's text run.
        """
        if not self.alive:
            raise JailError("This jail was used or has ended: start another.")
        open_ways = unguarded(self.ready())
        if open_ways:
            self.close()
            raise JailError(
                f"This machine grants the jail too little ({', '.join(open_ways)} would be open): allow seccomp or user "
                "namespaces, for example with a newer kernel or a less restricted container."
            )
        self._used = True
        try:
            self._send({"source": source, "layout": layout.to_json(), "rows": self._rows})
            header, body = wire.read(self._replies, time.monotonic() + deadline_s)
        except wire.TransportTimeout:
            return Answer(
                False,
                f"It did not finish within the jail's deadline of {deadline_s:g} s: make it smaller, with short loops over few elements.",
            )
        except wire.TransportClosed:
            return Answer(False, f"The jail ended before it answered ({self._how_it_ended()}): {_cure(self._process.returncode)}.")
        except wire.TransportError as error:
            return Answer(False, f"The jail's answer is not one ({error}): the text tampers with its jail; remove that.")
        finally:
            self.close()
        return _checked(header, body)

    def _how_it_ended(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5.0)
        self.close()
        return _ending(self._process.returncode)


# What is kept from a text -> the ways to keep it, each a set of layers that does so without any other. Landlock is in none: it lets
# modes, times and extended attributes be set, and answers whether a path exists. A network namespace alone leaves sockets that are files.
GUARDS: dict[str, tuple[tuple[str, ...], ...]] = {
    "files": (("seccomp",), ("mount namespace",)),
    "network": (("seccomp",), ("network namespace", "mount namespace")),
    "processes": (("seccomp",), ("pid namespace",)),
    "shared memory": (("seccomp",), ("ipc namespace",)),
}


def kept_by(layers: dict[str, str]) -> dict[str, list[str]]:
    """Return what is kept from a text -> each way in which the active layers keep it; no way: it is open."""
    active = {name for name, state in layers.items() if state == "active"}
    return {what: [" with ".join(way) for way in ways if active.issuperset(way)] for what, ways in GUARDS.items()}


def unguarded(layers: dict[str, str]) -> list[str]:
    """Return what the active layers leave open, in words of GUARDS."""
    return [what for what, ways in kept_by(layers).items() if not ways]


def _ending(code: int | None) -> str:
    if code is None:
        return "killed"
    if code < 0:
        known = {
            signal.SIGSYS: "killed by seccomp for a forbidden system call",
            signal.SIGKILL: "killed by the system: its limit of processor time or memory",
            signal.SIGXCPU: "killed at its limit of processor time",
            signal.SIGABRT: "it aborted, most often for lack of memory",
            signal.SIGSEGV: "it crashed, most often for lack of memory or stack",
            signal.SIGBUS: "it crashed on a memory access",
            signal.SIGXFSZ: "killed for writing to a file",
        }
        with contextlib.suppress(ValueError):
            number = signal.Signals(-code)
            return known.get(number, f"killed by {number.name}")
        return f"killed by signal {-code}"
    if code == TOO_MANY_TASKS:
        return "it started too many threads or processes"
    return f"it left with status {code}" if code else "it left without an answer"


def _cure(code: int | None) -> str:
    if code == -signal.SIGSYS:
        return "use only m, jnp and the shaping functions"
    if code is not None and code < 0:
        return "make the program smaller, with small arrays and short loops"
    return "return the terms and do nothing else"


def plain(text: object, limit: int = 500) -> str:
    """Return untrusted text as one printable ASCII line of bounded length."""
    cleaned = "".join(c if " " <= c <= "~" else " " for c in str(text)[: 4 * limit])
    cleaned = " ".join(cleaned.split())
    return cleaned if len(cleaned) <= limit else cleaned[: limit - 3] + "..."


def _checked(header: dict[str, object], body: bytes) -> Answer:
    ok, line, names = header.get("ok"), header.get("line"), header.get("names")
    if ok is not True:
        number = line if isinstance(line, int) and not isinstance(line, bool) and 1 <= line <= 100_000 else None
        reason = plain(header.get("reason") or "The program failed in the jail.")
        if header.get("memory") is True:
            reason = f"It needs more memory than the jail grants ({reason.rstrip('.')}): use smaller arrays."
        return Answer(False, reason, number)
    if not isinstance(names, list) or not all(isinstance(n, str) and n.isidentifier() for n in names):
        return Answer(False, "The jail's answer names no terms: the text tampers with its jail; remove that.")
    return Answer(True, names=tuple(names), module=body)


_probed: dict[str, str] = {}


def probe() -> dict[str, str]:
    """Start a jail and ask which layers hold on this machine: layer -> "active" or "not granted: why".

    Raises:
        JailError: no jail can be started.
    """
    if not _probed:
        with Jail() as jail:
            _probed.update(jail.ready())
    return dict(_probed)
