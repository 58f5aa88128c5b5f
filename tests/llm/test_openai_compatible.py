"""The OpenAI-compatible client against a server that speaks that protocol: what goes over the wire, and what it learns of a server."""

from __future__ import annotations

import base64
import io
import itertools
import subprocess
from collections.abc import Iterator
from pathlib import Path

import imageio_ffmpeg
import pytest
from matplotlib.image import imread
from pydantic import BaseModel
from support.openai_server import OpenAIServer, words

from movlr_jax.errors import MovlrError
from movlr_jax.llm import frames, requests
from movlr_jax.llm.base import Image, ModelRequest, Text, Video
from movlr_jax.llm.faults import Fault
from movlr_jax.llm.openai_compatible import OpenAICompatible

pytest.importorskip("openai", reason="openai is not installed")


class Verdict(BaseModel):
    success: bool


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with OpenAIServer('{"success": true}') as server:
        yield server


@pytest.fixture(scope="module")
def film(tmp_path_factory) -> Path:
    """A film of 2 s, 10 frames a second, whose frames grow brighter."""
    path = tmp_path_factory.mktemp("film") / "clip.mp4"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "lavfi", "-i", "nullsrc=s=64x48:r=10:d=2,geq=lum=20+N*9:cb=128:cr=128"]
    subprocess.run([*command, "-pix_fmt", "yuv420p", str(path)], check=True)
    return path


def brightness(png: bytes) -> int:
    return round(255 * float(imread(io.BytesIO(png), format="png")[24, 32, 0]))


def test_words_alone_travel_as_a_plain_string(server):
    ask = ModelRequest("write", "w@1", "Write.", (Text("one"), Text("two")), None, (("bad", "why"),), 0.8, 99, 7)
    reply = OpenAICompatible("tiny", server.url, key="a-test-key").send(ask)
    assert (reply.complete, reply.tokens_in, reply.tokens_out, reply.answered_by) == (True, 120, 30, "tiny")
    assert server.asked == [
        {
            "model": "tiny",
            "messages": [
                {"role": "system", "content": "Write."},
                {"role": "user", "content": "one\n\ntwo"},
                {"role": "assistant", "content": "bad"},
                {"role": "user", "content": "why"},
            ],
            "temperature": 0.8,
            "max_tokens": 99,
            "seed": 7,
        }
    ]
    assert server.seen[0].headers["authorization"] == "Bearer a-test-key"


def test_a_clip_travels_whole_with_its_rate_and_a_schema_as_response_format(server, film):
    ask = ModelRequest("critique", "c@1", "", (Text("look"), Image(b"\x89PNG"), Video(film, 8.0)), Verdict)
    OpenAICompatible("tiny", server.url).send(ask)
    body = server.asked[0]
    kinds = [part["type"] for part in body["messages"][0]["content"]]
    assert kinds == ["text", "image_url", "video_url"] and body["media_io_kwargs"] == {"video": {"fps": 8.0, "num_frames": -1}}
    assert body["response_format"]["json_schema"] == {"name": "Verdict", "schema": Verdict.model_json_schema()}


def test_a_server_that_takes_no_video_gets_frames_from_then_on(server, film):
    server.takes_video = False
    client = OpenAICompatible("tiny", server.url)
    for _ in range(2):
        client.send(ModelRequest("critique", "c@1", "", (Video(film, 4.0),)))
    assert len(server.asked) == 3  # one refusal, then two answers
    pictures = server.asked[-1]["messages"][0]["content"]
    assert [part["type"] for part in pictures] == ["image_url"] * 8 and "media_io_kwargs" not in server.asked[-1]
    seen = [brightness(base64.b64decode(part["image_url"]["url"].split(",")[1])) for part in pictures]
    assert seen == sorted(seen) and seen[0] < 40 and seen[-1] > 180
    with pytest.raises(Fault, match="video"):
        OpenAICompatible("tiny", server.url, video="video").send(ModelRequest("critique", "c@1", "", (Video(film, 4.0),)))


def test_a_server_that_takes_no_schema_is_told_it_in_words(server):
    server.takes_schema = False
    client = OpenAICompatible("tiny", server.url)
    for _ in range(2):
        assert client.send(ModelRequest("critique", "c@1", "Judge.", (Text("x"),), Verdict)).text == '{"success": true}'
    assert len(server.asked) == 3 and "success" in words(server.asked[-1]) and "success" not in words(server.asked[0])


def test_the_frames_in_place_of_a_film_are_of_the_moments_that_it_names(server, film):
    moments = (0.0, 1.0, 1.55)
    ask = ModelRequest("critique", "c@1", "", (Video(film, 8.0, moments),))
    OpenAICompatible("tiny", server.url, video="frames").send(ask)
    (pictures,) = (body["messages"][-1]["content"] for body in server.asked)
    shown = [brightness(base64.b64decode(entry["image_url"]["url"].split(",")[1])) for entry in pictures]
    every = [brightness(png) for png in frames.evenly(film, 20)]
    assert shown == [every[index] for index in (0, 10, 15, 19)]
    described = requests.describe("openai", "tiny", ask)
    assert described["parts"][0]["video"]["moments"] == list(moments)
    evenly = ModelRequest("critique", "c@1", "", (Video(film, 8.0),))
    assert requests.key_of(described) != requests.key_of(requests.describe("openai", "tiny", evenly))
    assert len(frames.at(film, (0.0, 5.0))) == 3, "of a film that ends before"


def test_frames_are_evenly_spaced_and_bounded(film, tmp_path):
    assert len(frames.evenly(film, 4)) == 4 and len(frames.evenly(film, 1)) == 1 and len(frames.evenly(film, 500)) == 20
    four = [brightness(png) for png in frames.evenly(film, 4)]
    steps = [b - a for a, b in itertools.pairwise(four)]
    assert max(steps) - min(steps) < 25
    assert len(frames.at_rate(film, 1000.0)) == 20
    (tmp_path / "no.mp4").write_bytes(b"no film")
    with pytest.raises(MovlrError, match=r"no\.mp4 cannot be read as a film"):
        frames.evenly(tmp_path / "no.mp4", 4)
