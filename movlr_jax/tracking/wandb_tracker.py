"""Weights & Biases, offline or online, held at arm's length: a separate process does the talking (`wandb_worker.py`).

Flows in: what a Tracker is told. Flows out: a W&B run whose id is the run folder's, so that a resumed run goes on in
the same place; its files stand in the run folder's `wandb/`. Server, account and key are those of the user's environment
and own settings (`~/.config/wandb`, `.netrc`) alone: a run's folder may come from someone else, and nothing that stands in
it is imported or read as settings. Commands are queued and never waited for, except at the end and then for a bounded
time. Whatever fails (not installed, no key, no network, a server that hangs) costs one warning, and the run goes on without it.
"""

from __future__ import annotations

import importlib.util
import json
import os
import queue
import re
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from movlr_jax.processes import PYTHON

# Longest wait for the answer to one command [s]; uploading a clip over a slow line takes some tens of seconds.
ANSWER_SECONDS = 90.0
# Longest wait for a server at the start [s].
START_SECONDS = 30.0
# Longest wait at the end of a run for what is still under way [s].
FINISH_SECONDS = 60.0
# A project in another account would be ACCOUNT/PROJECT; an id stands in addresses and in names of folders.
_PROJECT, _ID = re.compile(r"[^/\\#?%:\x00-\x1f]{1,128}"), re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")


class WandbTracker:
    """Mirrors a run to Weights & Biases.

    Args:
        folder: the run's folder.
        mode: "offline" (files only; `wandb sync` sends them later) or "online".
        project: the W&B project.
        run_name: the run's display name.
        warn: told at most once, in one sentence, that tracking has ended early.
        group: the W&B group of runs that belong together; "": none.
        start_seconds, answer_seconds, finish_seconds: longest waits [s].
    """

    name = "wandb"

    def __init__(
        self,
        folder: Path,
        mode: Literal["offline", "online"],
        project: str,
        run_name: str,
        warn: Callable[[str], None],
        *,
        group: str = "",
        start_seconds: float = START_SECONDS,
        answer_seconds: float = ANSWER_SECONDS,
        finish_seconds: float = FINISH_SECONDS,
    ):
        self._folder, self._mode, self._project, self._run_name = folder.resolve(), mode, project, run_name
        self._warn, self._group = warn, group
        self._start_seconds, self._answer_seconds, self._finish_seconds = start_seconds, answer_seconds, finish_seconds
        self._worker: subprocess.Popen[str] | None = None
        self._commands: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        # Guarded by _state: when each command that has no answer yet was queued, the error that came back, whether the
        # end was confirmed.
        self._state = threading.Condition()
        self._pending: list[float] = []
        self._error: str | None = None
        self._gave_up = False

    def start(self, config: Mapping[str, Any], run_id: str) -> None:
        """Start the worker and queue the start of the W&B run; no answer is waited for."""
        if importlib.util.find_spec("wandb") is None:
            self._give_up("wandb is not installed; run `pip install wandb` to track online or offline")
            return
        strange = self._strange(run_id)
        if strange:
            self._give_up(strange)
            return
        environment = {**os.environ, **self._environment()}
        try:
            self._worker = subprocess.Popen(
                [*PYTHON, "-m", "movlr_jax.tracking.wandb_worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                # Not the run's folder: Python would import from it, and wandb read its `wandb/settings`, which may name another server.
                cwd="/",
                env=environment,
                text=True,
                # Ctrl-C is the run's to handle: the worker is told by the end of its stdin.
                start_new_session=True,
            )
        except OSError as error:
            self._give_up(f"its process does not start: {error}")
            return
        threading.Thread(target=self._feed, args=(self._worker,), daemon=True, name="wandb-feed").start()
        threading.Thread(target=self._listen, args=(self._worker,), daemon=True, name="wandb-listen").start()
        self._send(
            {
                "do": "start",
                "project": self._project,
                "name": self._run_name,
                "group": self._group,
                "id": run_id,
                "mode": self._mode,
                "dir": str(self._folder),
                "config": dict(config),
                "timeout": self._start_seconds,
            }
        )

    def _strange(self, run_id: str) -> str:
        """Return what the folder asks for that a run of ours never does, or ""."""
        if not _PROJECT.fullmatch(self._project):
            return "the project is no plain name: runs are sent to your own account"
        if not _ID.fullmatch(run_id):
            return "the run's id in run.json is no plain name"
        if (self._folder / "wandb").is_symlink():
            return f"{self._folder / 'wandb'} is a link"
        return ""

    def _environment(self) -> dict[str, str]:
        own = self._folder / "wandb"
        own.mkdir(parents=True, exist_ok=True)
        # Caches and staging would otherwise go to the home folder. The user's settings and key (WANDB_API_KEY, .netrc)
        # are left alone.
        return {
            "WANDB_DIR": str(self._folder),
            "WANDB_MODE": self._mode,
            "WANDB_CACHE_DIR": str(own / "cache"),
            "WANDB_DATA_DIR": str(own / "data"),
            "WANDB_ARTIFACT_DIR": str(own / "artifacts"),
            "WANDB_SILENT": "true",
            "WANDB_CONSOLE": "off",
            "WANDB_ERROR_REPORTING": "false",
        }

    def log(self, iteration: int, scalars: Mapping[str, float], images: Mapping[str, Path], videos: Mapping[str, Path]) -> None:
        """Queue an iteration; files that do not exist are left out."""
        self._check()
        self._send(
            {
                "do": "log",
                "iteration": iteration,
                "scalars": dict(scalars),
                "images": {name: str(path.resolve()) for name, path in images.items() if path.exists()},
                "videos": {name: str(path.resolve()) for name, path in videos.items() if path.exists()},
            }
        )

    def finish(self) -> None:
        """Wait, for a bounded time, until everything queued is handed over; then end the worker."""
        if self._worker is None or self._gave_up:
            return
        self._send({"do": "finish"})
        deadline = time.monotonic() + self._finish_seconds
        with self._state:
            while self._pending and self._error is None and time.monotonic() < deadline:
                self._state.wait(max(0.0, deadline - time.monotonic()))
            error, pending = self._error, bool(self._pending)
        if error is not None:
            self._give_up(error)
        elif pending:
            self._give_up(f"no answer within {self._finish_seconds:g} s at the end of the run")
        else:
            self._end()

    def _check(self) -> None:
        """Give up if the worker reported an error, died, or owes an answer for too long."""
        with self._state:
            error, oldest = self._error, self._pending[0] if self._pending else None
        limit = self._answer_seconds
        if error is not None:
            self._give_up(error)
        elif oldest is not None and time.monotonic() - oldest > limit:
            self._give_up(f"no answer within {limit:g} s")

    def _send(self, command: dict[str, Any]) -> None:
        if self._worker is None or self._gave_up:
            return
        with self._state:
            self._pending.append(time.monotonic())
        self._commands.put(json.dumps(command, default=str) + "\n")

    def _feed(self, worker: subprocess.Popen[str]) -> None:
        # A worker that hangs stops reading, and a full pipe blocks: here, not in the run.
        assert worker.stdin is not None
        try:
            while (line := self._commands.get()) is not None:
                worker.stdin.write(line)
                worker.stdin.flush()
            worker.stdin.close()
        except (OSError, ValueError):
            return  # the listener sees the worker's end and says so

    def _listen(self, worker: subprocess.Popen[str]) -> None:
        assert worker.stdout is not None
        for line in worker.stdout:
            reply = json.loads(line)
            with self._state:
                if "error" in reply:
                    self._error = str(reply["error"])
                elif self._pending:
                    self._pending.pop(0)
                    if self._pending:
                        # Commands are answered one by one: the next one's wait begins now.
                        self._pending[0] = time.monotonic()
                self._state.notify_all()
        with self._state:
            if self._pending and self._error is None:
                self._error = "its process ended"
            self._state.notify_all()

    def _give_up(self, reason: str) -> None:
        if self._gave_up:
            return
        self._gave_up = True
        self._end()
        self._warn(f"Weights & Biases tracking has ended ({self._clean(reason)}): the run goes on, and its folder holds everything.")

    def _end(self) -> None:
        worker, self._worker = self._worker, None
        if worker is None:
            return
        self._commands.put(None)
        try:
            worker.wait(0.5)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()

    @staticmethod
    def _clean(reason: str) -> str:
        """Return an error as one short line without the key."""
        text = " ".join(reason.split()).rstrip(".")
        key = os.environ.get("WANDB_API_KEY", "")
        if key:
            text = text.replace(key, "(key)")
        return text if len(text) <= 200 else f"{text[:197]}..."
