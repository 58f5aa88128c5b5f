"""Trials on Ray: a cluster of our own on this machine, or one that is there.

Flows in: jobs. Flows out: how they ended. A trial is a Ray task that attends a process; where the process or the worker is killed, Ray
starts the task again on whatever worker is free, and the trial goes on from its run's folder.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import logging
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from movlr_jax import proxies
from movlr_jax.errors import MovlrError
from movlr_jax.processes import package_folder, private
from movlr_jax.sweeps.definition import Resources
from movlr_jax.sweeps.drive import gave_up
from movlr_jax.sweeps.worker import Ended, Job, TrialDied, attend

_MISSING = "Ray is not installed: pip install 'movlr-jax[sweep]', or run one trial after the other with --on here."
_BUSY = "try when the machine is less busy, or run here with --on here"
_AUTH = "RAY_AUTH_MODE"
_OBJECTS = 100 * 2**20  # bytes; jobs and their ends are all that is kept there
_AGENTS = ("metrics_agent_port", "runtime_env_agent_port", "dashboard_agent_listen_port", "metrics_export_port")
# The system's limit for the path of a socket, without its end [bytes], and what Ray adds to its folder:
# /session_2026-01-01_00-00-00_000000_1234567/sockets/plasma_store, some of whose processes add a suffix.
_LONGEST_SOCKET, _SOCKET = 107, 68
_ANSWER = 5.0  # seconds that a cluster's head has to take a connection


class RayExecutor:
    """Runs trials as tasks of the Ray that this process is connected to.

    Args:
        resources: what one trial may use.
    """

    def __init__(self, resources: Resources):
        import ray

        self._ray, self._resources = ray, resources
        self._task = ray.remote(attend).options(
            num_cpus=resources.cpus,
            num_gpus=resources.gpus,
            resources=resources.more or None,
            max_retries=resources.retries,
            retry_exceptions=[TrialDied],
            scheduling_strategy="SPREAD",
        )
        self._numbers: dict[Any, int] = {}

    def start(self, job: Job) -> Any:
        """Queue a trial."""
        handle = self._task.remote(job)
        self._numbers[handle] = job.number
        return handle

    def wait(self, handles: Sequence[Any]) -> list[tuple[Any, Ended]]:
        """Wait for one trial to end."""
        ready, _ = self._ray.wait(list(handles), num_returns=1)
        return [(handle, self._ended(handle)) for handle in ready]

    def _ended(self, handle: Any) -> Ended:
        number, errors = self._numbers.pop(handle), self._ray.exceptions
        try:
            return self._ray.get(handle)
        except TrialDied as died:  # Ray's wrapper of a task's error is one of its kind too
            how = str(getattr(died, "cause", died))
        except (errors.WorkerCrashedError, errors.OutOfMemoryError, errors.NodeDiedError, errors.RaySystemError):
            how = "its worker was killed"
        except errors.RayError as error:
            how = " ".join(str(error).split())[-300:]
        return Ended(number, False, gave_up(number, self._resources.retries, how))


@contextlib.contextmanager
def embedded(out: Path, resources: Resources, workers: int = 0) -> Iterator[RayExecutor]:
    """Start Ray on this machine, for this sweep alone, and end it again.

    Args:
        out: the sweep's folder.
        resources: what one trial may use.
        workers: trials side by side; 0: as many as this machine has cores for.

    Raises:
        MovlrError: Ray is not installed or does not start, or no trial would ever have room.
    """
    ray = _ray()
    there = len(os.sched_getaffinity(0))
    cpus = max(1.0, workers * resources.cpus) if workers else float(there)
    if resources.cpus > cpus:
        raise MovlrError(f"A trial asks for {resources.cpus:g} cores, and this machine has {there}: lower resources.cpus.")
    # A killed driver's folder goes, now that the sweep is ours.
    place = _short_place(f"movlr-ray-{os.getuid()}-{hashlib.sha256(os.fsencode(out)).hexdigest()[:8]}")
    shutil.rmtree(place, ignore_errors=True)
    private(place)  # others may make folders beside it, and Ray's sockets and pickles run as this user
    try:
        with _ports_given():
            _init(
                ray, _BUSY, num_cpus=max(1, int(cpus)), resources=resources.more or None, object_store_memory=_OBJECTS, _temp_dir=str(place)
            )
        _refuse_hopeless(ray, resources, "this machine")
        yield RayExecutor(resources)
    finally:
        ray.shutdown()
        shutil.rmtree(place, ignore_errors=True)


@contextlib.contextmanager
def cluster(address: str, resources: Resources) -> Iterator[RayExecutor]:
    """Connect to a cluster that is there, and leave it running.

    Args:
        address: HOST:PORT of its head, or "auto" on one of its machines.
        resources: what one trial may use.

    Raises:
        MovlrError: Ray is not installed, there is no cluster, it does not let us in, or no trial would ever have room on it.
    """
    _refuse_absent(address)
    ray = _ray()
    # Ray sends its token to an address only where it has to, so that it goes to no stranger.
    token = "" if os.environ.get(_AUTH) == "token" or address == "auto" else f"; if it wants its token, set {_AUTH}=token"
    try:
        _init(ray, f"see that the cluster at {address} runs the same Ray and Python{token}", address=address)
        _refuse_hopeless(ray, resources, f"the cluster at {address}")
        yield RayExecutor(resources)
    finally:
        ray.shutdown()


def _short_place(name: str) -> Path:
    """Return a folder for Ray's sockets, whose whole paths the system bounds: in the temporary folder, or where its path is long, in /tmp.

    Raises:
        MovlrError: neither can hold them.
    """
    candidates = [Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")]
    for folder in candidates:
        if len(os.fsencode(folder / name)) + _SOCKET <= _LONGEST_SOCKET and folder.is_dir() and os.access(folder, os.W_OK | os.X_OK):
            return folder / name
    raise MovlrError(
        f"Ray's sockets need a short path, and the temporary folder {candidates[0]} is too long for them: set TMPDIR to a folder of at "
        f"most {_LONGEST_SOCKET - _SOCKET - len(name) - 1} characters, or run here with --on here."
    )


def _ray() -> Any:
    # Read when Ray is imported. A user's own word stays.
    for name, value in {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}.items():
        os.environ.setdefault(name, value)
    proxies.around_this_machine()  # gRPC asks a proxy for localhost too
    try:
        import ray
    except ImportError:
        raise MovlrError(_MISSING) from None
    return ray


def _init(ray: Any, cure: str, **more: Any) -> None:
    try:
        # Ray's workers look for modules in the folder that it is started in: where this package is, and not where the user happens to be.
        with contextlib.chdir(package_folder()):
            ray.init(include_dashboard=None if "address" in more else False, log_to_driver=False, logging_level=logging.CRITICAL, **more)
    except Exception as error:
        reason = " ".join(str(error).split())[:200].rstrip(".")
        raise MovlrError(f"Ray does not start ({reason}): {cure}.") from None


@contextlib.contextmanager
def _ports_given() -> Iterator[None]:
    """Give the agents of a Ray of our own their ports.

    Ray otherwise waits until each agent has chosen one, at most 15 s, and ends where that takes longer, which no setting changes: on a busy
    machine it does, and an idle one starts sooner for it. `ray start` takes the ports as flags, `ray.init` does not hand them on. Where a
    version keeps its parameters elsewhere, it starts as it does by itself.
    """
    try:
        parameter = importlib.import_module("ray._private.parameter")
        plain = parameter.RayParams
    except (ImportError, AttributeError):
        yield
        return
    with contextlib.ExitStack() as stack:
        taken = [stack.enter_context(socket.socket()) for _ in _AGENTS]
        for one in taken:
            one.bind(("127.0.0.1", 0))
        ports = {name: one.getsockname()[1] for name, one in zip(_AGENTS, taken, strict=True)}
    parameter.RayParams = lambda *values, **more: plain(*values, **{**more, **ports})  # type: ignore[attr-defined]
    try:
        yield
    finally:
        parameter.RayParams = plain  # type: ignore[attr-defined]


def _refuse_absent(address: str) -> None:
    if address == "auto":
        return
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or "/" in host:
        raise MovlrError(f"--address {address} is no HOST:PORT: give that of the cluster's head, such as 10.0.0.1:6379.")
    try:
        socket.create_connection((host, int(port)), timeout=_ANSWER).close()
    except OSError as error:
        reason = error.strerror or str(error)
        raise MovlrError(
            f"No Ray cluster answers at {address} ({reason}): start one with `ray start --head`, or leave out --address."
        ) from None


def _refuse_hopeless(ray: Any, resources: Resources, where: str) -> None:
    """Refuse what no single machine has room for: Ray would wait for such a machine for ever."""
    wanted = {"CPU": resources.cpus, "GPU": resources.gpus, **resources.more}
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    if any(all(node.get(name, 0.0) >= amount for name, amount in wanted.items()) for node in nodes):
        return
    most = {name: max((node.get(name, 0.0) for node in nodes), default=0.0) for name in wanted}
    lacking = [f"{wanted[n]:g} {n} where no machine has more than {most[n]:g}" for n in wanted if most[n] < wanted[n]]
    amounts = " and ".join(lacking) or "more of everything than any one machine has"
    raise MovlrError(f"A trial asks for {amounts} on {where}: lower `resources` in the sweep's file.")
