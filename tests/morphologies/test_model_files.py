"""A body from someone else: what its model may read, and what a few words of it may ask for."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from movlr_jax.cli.main import main

MESH = '<asset><mesh name="m" file="{}"/></asset>'
HARM = {
    "a mesh outside": (MESH.format("../outside/a.stl"), "not below"),
    "a mesh by an absolute path": (MESH.format("/etc/hostname"), "not below"),
    "a mesh through a link": (MESH.format("link.stl"), "not below"),
    "a mesh that is a pipe": (MESH.format("pipe.stl"), "no regular file"),
    "a mesh that is a device": (MESH.format("/dev/zero"), "not below"),
    "a mesh that is not there": (MESH.format("missing.stl"), "no such file"),
    "a folder of meshes outside": ('<compiler meshdir="../outside"/>' + MESH.format("a.stl"), "not below"),
    "an include outside": ('<include file="../outside/other.xml"/>', "not below"),
    "an include of itself": ('<include file="biped.xml"/>', "include one another"),
    "a texture outside": ('<asset><texture name="t" type="2d" file="../outside/a.png"/></asset>', "not below"),
    "a side of a cube outside": ('<asset><texture name="t" type="cube" fileup="../outside/a.png"/></asset>', "not below"),
    "heights outside": ('<asset><hfield name="h" size="1 1 1 1" file="../outside/a.png"/></asset>', "not below"),
    "an attached model outside": ('<asset><model name="x" file="../outside/other.xml"/></asset>', "not below"),
    "heights without an end": ('<asset><hfield name="h" size="1 1 1 1" nrow="1000000" ncol="1000000"/></asset>', "nrow x ncol"),
    "a million bodies": ('<worldbody><replicate count="1000000"><geom size="1"/></replicate></worldbody>', "count"),
    "copies of copies": (
        '<worldbody><replicate count="9000"><replicate count="9000"><geom size="1"/></replicate></replicate></worldbody>',
        "replicates",
    ),
    "all the memory": ('<size memory="4T"/>', "memory"),
    "a strange plugin": ('<extension><plugin plugin="not.there"/></extension>', "does not compile"),
}


@pytest.mark.parametrize("what", HARM)
def test_a_model_reads_its_own_folder_and_asks_for_what_a_body_needs(own_body, tmp_path: Path, what: str, capsys) -> None:  # type: ignore[no-untyped-def]
    extra, said = HARM[what]
    outside = tmp_path.parent / "outside"
    outside.mkdir(exist_ok=True)
    for name in ("a.stl", "a.png"):
        (outside / name).write_bytes(b"secret")
    (outside / "other.xml").write_text("<mujoco/>")
    (tmp_path / "link.stl").symlink_to(outside / "a.stl")
    os.mkfifo(tmp_path / "pipe.stl")
    began = time.monotonic()
    path = own_body(own_body.xml.replace("<worldbody>", f"{extra}<worldbody>", 1))
    for verb in (["morphologies", "check", str(path)], ["rollout", "stand", "--morphology", str(path), "--seconds", "0.02"]):
        assert main(verb) == 1
        told = capsys.readouterr()
        assert said in told.out + told.err and "defect" not in told.err and "secret" not in told.out + told.err
    assert time.monotonic() - began < 20


def test_what_an_honest_model_reads_is_read(own_body, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:  # type: ignore[no-untyped-def]
    """Includes beside it, in folders below it, and elsewhere once the user names that place."""
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "colours.xml").write_text('<mujocoinclude><asset><material name="red"/></asset></mujocoinclude>')
    elsewhere = tmp_path.parent / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    (elsewhere / "more.xml").write_text('<mujocoinclude><asset><material name="blue"/></asset></mujocoinclude>')
    xml = own_body.xml.replace("<worldbody>", '<include file="parts/colours.xml"/><include file="../elsewhere/more.xml"/><worldbody>', 1)
    path = own_body(xml)
    assert main(["morphologies", "check", str(path)]) == 1
    monkeypatch.setenv("MOVLR_MODELS_PATH", str(elsewhere))
    assert main(["morphologies", "check", str(path)]) == 0, capsys.readouterr()


@pytest.mark.parametrize("model", ["model.mjb", "model.zip", "model.urdf", "folder.xml"])
def test_what_is_no_model_text_is_named(own_body, tmp_path: Path, model: str, capsys) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "folder.xml").mkdir()
    if model != "folder.xml":
        (tmp_path / model).write_bytes(b"\x00" * 100)
    assert main(["morphologies", "check", str(own_body(model=model))]) == 1
    told = capsys.readouterr()
    assert ("no MJCF text" in told.out or "no regular file" in told.out) and "defect" not in told.err


def test_urdf_is_called_so(own_body, capsys) -> None:  # type: ignore[no-untyped-def]
    assert main(["morphologies", "check", str(own_body('<robot name="r"/>'))]) == 1
    assert "URDF" in capsys.readouterr().out


BOMB = "a: &a [x, x]\n" + "".join(f"{chr(c)}: &{chr(c)} [{', '.join([f'*{chr(c - 1)}'] * 9)}]\n" for c in range(ord("b"), ord("k")))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BOMB, "aliases written out"),
        ("name: &n [*n]\n", "contains itself"),
        ("name: " + "[" * 3000, "nested too deep"),
        ("name: a\nname: b\n", "names name twice"),
        ("name: !!python/object/apply:os.getcwd []\n", "is not YAML"),
        ("name: 2026-13-45\n", "is not YAML"),
        ("x" * (2 << 20), "characters"),
    ],
)
@pytest.mark.parametrize("verb", ["morphologies", "sweep", "run", "train", "prices"])
def test_yaml_of_a_hostile_kind(tmp_path: Path, text: str, said: str, verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    words = {
        "morphologies": ["morphologies", "check", str(file)],
        "sweep": ["sweep", str(file)],
        "run": ["run", "--config", str(file)],
        "train": ["train", "--config", str(file)],
        "prices": ["run", "stand", "--models.prices", str(file), "--out", str(tmp_path / "run")],
    }
    began = time.monotonic()
    assert main(words[verb]) == 1
    told = capsys.readouterr()
    assert said in told.out + told.err and "defect" not in told.err and time.monotonic() - began < 10
    assert len(told.out + told.err) < 2000
