"""The process that talks to Weights & Biases, so that nothing it does can hold, stop or soil a run.

Flows in: one JSON command a line on stdin: start, log, finish. Flows out: one JSON reply a command on stdout: {"done":
n} or {"error": text}. The library prints, retries for minutes, registers exit hooks and starts a service of its own;
all of that stays in here, and ends when stdin closes or the parent kills this process.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any

# How long the library may take to hand over what it still holds when the parent is gone [s].
_ORPHAN_SECONDS = 20


def _start(command: dict[str, Any]) -> Any:
    import wandb

    settings = wandb.Settings(
        console="off",
        silent=True,
        disable_git=True,
        disable_code=True,
        save_code=False,
        x_disable_stats=True,
        x_disable_meta=True,
        init_timeout=float(command["timeout"]),
        login_timeout=float(command["timeout"]),
    )
    run = wandb.init(
        project=command["project"],
        name=command["name"],
        group=command["group"] or None,
        # An agent of a W&B sweep has drawn the id itself, and knows its run by that.
        id=os.environ["WANDB_RUN_ID"] if os.environ.get("WANDB_SWEEP_ID") else command["id"],
        resume="allow" if command["mode"] == "online" else None,
        mode=command["mode"],
        dir=command["dir"],
        config=command["config"],
        settings=settings,
    )
    run.define_metric("iteration")
    run.define_metric("*", step_metric="iteration")
    return run


def _log(run: Any, command: dict[str, Any]) -> None:
    import wandb

    record: dict[str, Any] = {"iteration": command["iteration"], **command["scalars"]}
    for name, path in command["images"].items():
        record[f"heatmaps/{name}"] = wandb.Image(path)
    for name, path in command["videos"].items():
        record[f"videos/{name}"] = wandb.Video(path, format="mp4")
    # The iteration is the step, so that a resumed run goes on counting where the first one stopped, offline too.
    run.log(record, step=command["iteration"])


def _finish(run: Any, exit_code: int = 0) -> None:
    """Hand over what the run still holds, and wait until the library's service has ended.

    The service is a process of its own that stops as soon as its parent is gone, also in the midst of writing the last rows.
    """
    import wandb

    run.finish(exit_code=exit_code)
    wandb.teardown(exit_code)


def main() -> None:
    """Serve commands until `finish` or the end of stdin."""
    # The library writes to stdout; replies go to the real one, kept aside.
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    run: Any = None
    for number, line in enumerate(sys.stdin):
        command = json.loads(line)
        try:
            if command["do"] == "start":
                run = _start(command)
            elif command["do"] == "log":
                _log(run, command)
            else:
                _finish(run)
                run = None
            reply: dict[str, Any] = {"done": number}
        except BaseException as error:
            reply = {"error": f"{type(error).__name__}: {error}"}
        replies.write(json.dumps(reply) + "\n")
        replies.flush()
        if "error" in reply or command["do"] == "finish":
            os._exit(0)  # the library's exit hooks may wait for a server that does not answer
    if run is not None:
        # The run was killed: what it logged is worth handing over, in bounded time.
        signal.alarm(_ORPHAN_SECONDS)
        _finish(run, exit_code=1)
    os._exit(0)


if __name__ == "__main__":
    main()
