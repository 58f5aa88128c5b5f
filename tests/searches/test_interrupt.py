"""Ctrl-C while a model is asked that does not answer ends the search within a second, saved, and it goes on from there."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from support.pendulum_stages import PendulumStages
from support.slow_server import START, SlowServer, drip, silence

from movlr_jax.critics.base import Evidence
from movlr_jax.feedback.feedback import Feedback
from movlr_jax.llm import addresses
from movlr_jax.llm.config import ModelsConfig
from movlr_jax.llm.gateway import Gateway
from movlr_jax.runs import methods
from movlr_jax.runs.config import RunConfig
from movlr_jax.runs.run_folder import RunFolder
from movlr_jax.searches.loop import Loop
from movlr_jax.writers.base import WriteRequest

pytest.importorskip("google.genai", reason="google-genai is not installed")
pytest.importorskip("openai", reason="openai is not installed")

SOON = 1.0  # s
HANGING = {"silent": silence, "drips": drip(START + b"Content-Length: 9000\r\n\r\n", b" ")}


class Asking(PendulumStages):
    """The pendulum, judged and written for by models, as a run does it."""

    def __init__(self, config: RunConfig, folder: Path, asks: str):
        super().__init__()
        self.asks, self.feedback = asks, Feedback(config, Gateway(folder / "calls"))

    def critique(self, motion: Evidence, earlier):
        return self.feedback.critique(motion, earlier) if self.asks == "critic" else super().critique(motion, earlier)

    def write(self, request: WriteRequest):
        return self.feedback.write(request)


def interrupted_when(asked) -> list[float]:
    """Interrupt the main thread as soon as a server has been asked; the list gets the time of it."""
    moments: list[float] = []

    def wait() -> None:
        end = time.monotonic() + 20.0
        while not asked() and time.monotonic() < end:
            time.sleep(0.01)
        time.sleep(0.3)  # the answer is waited for by now
        moments.append(time.monotonic())
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    threading.Thread(target=wait, daemon=True).start()
    return moments


@pytest.mark.parametrize("how", HANGING)
@pytest.mark.parametrize("service", ["openai", "gemini"])
@pytest.mark.parametrize("asks", ["critic", "writer"])
def test_an_interrupt_ends_a_hanging_call(tmp_path, monkeypatch, asks, service, how):
    monkeypatch.setattr("os.fsync", lambda descriptor: None)
    for name in ("GEMINI_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.setenv(name, "sk-planted-0123456789abcdef")
    with SlowServer(HANGING[how]) as server:
        url = server.address + ("/v1" if service == "openai" else "")
        addresses.allow(url)
        models = ModelsConfig(critic_model="tiny", writer_model="tiny", critic_url=url, writer_url=url)
        config = methods.settled(RunConfig(iterations=1, models=models, **{asks: service}))
        config = RunConfig(**{**vars(config), "show": type(config.show)(clip="nothing")})
        folder = RunFolder.create(tmp_path / "run", config.to_yaml(), {"seed": 0}, config.seeds)
        moments = interrupted_when(lambda: server.heads)
        result = Loop(folder, config, Asking(config, tmp_path / "run", asks), (), None, {}).run()
        assert time.monotonic() - moments[0] < SOON
        assert result.stopped == "interrupted" and "movlr resume" in result.message
        assert how == "silent" or server.ended.wait(3.0), "the connection is ended, too"
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["stopped"] == "interrupted"
    assert not list((tmp_path / "run").glob("calls/*"))


def test_so_does_the_command_with_its_process(tmp_path):
    with SlowServer(silence) as server:
        words = ["run", "stand", "--iterations", "1", "--seconds", "0.06", "--threads", "1", "--out", str(tmp_path / "run")]
        words += ["--planner.candidates", "8", "--planner.elites", "2", "--planner.horizon", "0.08"]
        words += ["--show.clip", "nothing", "--show.width", "64"]
        words += ["--critic", "openai", "--models.critic-url", f"{server.address}/v1"]
        child = subprocess.Popen(
            [sys.executable, "-m", "movlr_jax", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ}
        )
        try:
            end = time.monotonic() + 90.0
            while not server.heads and child.poll() is None and time.monotonic() < end:
                time.sleep(0.02)
            time.sleep(0.5)
            began = time.monotonic()
            child.send_signal(signal.SIGINT)
            _, err = child.communicate(timeout=30)
            took = time.monotonic() - began
        finally:
            child.kill()
    assert child.returncode == 130 and "Interrupted. Go on with: movlr resume" in err, err[-800:]
    assert took < SOON, f"{took:.2f} s"
