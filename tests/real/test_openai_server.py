"""A real OpenAI-compatible server (`transformers serve`) with a small random language model: the writer and the critic over the wire.

A random model writes no reward and no judgement, so what is shown is that its words arrive, are recorded with their tokens, and are refused
as they should be.
"""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs torch: run make test-models")
pytest.importorskip("fastapi", reason="needs transformers[serving]: run make test-models")

from pydantic import BaseModel
from support import tiny_models as tiny

from movlr_jax import searches
from movlr_jax.control.planners import MPPI
from movlr_jax.llm.base import ModelFault, ModelRequest, Text
from movlr_jax.llm.config import ModelsConfig
from movlr_jax.llm.factory import open_model
from movlr_jax.llm.gateway import Gateway
from movlr_jax.llm.structured import ask_for
from movlr_jax.searches import RunConfig

_PATIENCE_S = 240.0


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("language")
    tiny.language_model(folder)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = Path(sys.executable).with_name("transformers")
    process = subprocess.Popen(
        [program, "serve", str(folder), "--host", "127.0.0.1", "--port", str(port)],
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + _PATIENCE_S
        while True:
            assert process.poll() is None and time.monotonic() < until, "the server did not start"
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2).close()
                break
            except OSError:
                time.sleep(1.0)
        url = f"http://127.0.0.1:{port}/v1"
        yield ModelsConfig(writer_url=url, critic_url=url, writer_model=str(folder), critic_model=str(folder), retries=0)
    finally:
        process.terminate()
        process.wait(30)


class _Form(BaseModel):
    winner: str


def test_words_arrive_with_their_tokens_and_a_form_that_is_not_kept_is_told(server, tmp_path):
    model = open_model("critic", "openai", server, Gateway(tmp_path / "calls"))
    answer = model.ask(ModelRequest("critique", "critique@0", "You watch.", (Text("What do you see?"),), max_tokens=16))
    assert answer.record["tokens"]["in"] > 10 and 0 < answer.record["tokens"]["out"] <= 16
    with pytest.raises(ModelFault) as fault:
        ask_for(model, ModelRequest("compare", "compare@0", "You compare.", (Text("Which?"),), schema=_Form, max_tokens=16), _Form)
    assert fault.value.kind == "unusable"
    assert len(list((tmp_path / "calls").glob("*.json"))) >= 3


def test_a_run_whose_writer_is_served_ends_in_order_with_every_refusal_in_its_folder(server, tmp_path):
    config = RunConfig(
        task="stand",
        iterations=1,
        attempts=2,
        seconds=0.1,
        writer="openai",
        models=server,
        planner=MPPI(candidates=8, elites=2, instant=2, horizon=0.08),
        out=tmp_path / "run",
    )
    result = searches.run(config)
    refusals = sorted((tmp_path / "run" / "iterations" / "001").rglob("refusals/*.json"))
    assert len(result.rows) == 2 and result.best == 0 and len(refusals) == 2
    assert all(json.loads(path.read_text())["sentence"] for path in refusals)
