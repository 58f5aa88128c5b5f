"""Registries: this package's own names, and what entry points of installed packages add, said in one sentence where it cannot be."""

from __future__ import annotations

import importlib.metadata

import pytest

from movlr_jax.control.laws import LAWS
from movlr_jax.control.planners import MPPI, PLANNERS
from movlr_jax.control.values import VALUES
from movlr_jax.critics import CRITICS
from movlr_jax.errors import MovlrError, UnknownName
from movlr_jax.morphologies import CATALOG
from movlr_jax.physics.engines import ENGINES
from movlr_jax.registry import Registry, rule
from movlr_jax.tasks import TASKS
from movlr_jax.writers import WRITERS

GROUP = "movlr_jax.colours"
REGISTRIES = (TASKS, CATALOG, CRITICS, WRITERS, PLANNERS, LAWS, VALUES, ENGINES)


class Colour:
    """What the registry under test holds."""

    def __init__(self, name):
        self.name = name


RED = Colour("red")


@pytest.fixture
def colours():
    return Registry("colour", GROUP, {"red": f"{__name__}:RED"}, rule("Colour", lambda thing: type(thing).__name__ == "Colour"))


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Put a package on the path: its module's text, and the entry points that it declares."""

    def put(package, text, **points):
        site = tmp_path / package
        (site / f"{package}-1.0.dist-info").mkdir(parents=True)
        (site / f"{package}.py").write_text(text)
        (site / f"{package}-1.0.dist-info" / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        lines = [f"{name} = {package}:{place}" for name, place in points.items()]
        (site / f"{package}-1.0.dist-info" / "entry_points.txt").write_text("\n".join([f"[{GROUP}]", *lines, ""]))
        monkeypatch.syspath_prepend(str(site))

    return put


def test_own_names_are_looked_up_without_searching_for_others(colours, monkeypatch):
    def search(**selected):
        raise AssertionError("searched")

    monkeypatch.setattr(importlib.metadata, "entry_points", search)
    assert "red" in colours and colours["red"] is RED
    with pytest.raises(AssertionError, match="searched"):
        list(colours)


def test_an_installed_package_adds_its_own(colours, install):
    install("paint_green", "class Colour: name = 'green'\nGREEN = Colour()\n", green="GREEN")
    assert list(colours) == ["red", "green"] and colours["green"].name == "green" and len(colours) == 2
    assert (colours.package("green"), colours.package("red"), colours.package("blue")) == ("paint_green 1.0", "", "")
    assert [colour.name for colour in colours.values()] == ["red", "green"]


def test_packages_are_searched_once(colours, install, monkeypatch):
    searches = []
    whole = importlib.metadata.entry_points
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda **s: searches.append(s) or whole(**s))
    for _ in range(3):
        assert "blue" not in colours and list(colours) == ["red"]
    assert searches == [{"group": GROUP}]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("import nothing_of_that_name", "cannot be used: ModuleNotFoundError: No module named 'nothing_of_that_name'. Mend or uninstall"),
        ("raise SystemExit(3)", "cannot be used: SystemExit: 3. Mend"),
        ("GREEN = 3", "cannot be used: It is no Colour. Mend"),
        ("pass", "AttributeError: module 'broken' has no attribute 'GREEN'. Mend"),
        ("class Colour: name = 'lime'\nGREEN = Colour()", "It is called 'lime' by its own name: give both one name. Mend"),
    ],
)
def test_a_package_that_cannot_be_used_is_named_and_hides_nothing_else(colours, install, monkeypatch, text, sentence):
    monkeypatch.delitem(__import__("sys").modules, "broken", raising=False)
    install("broken", text, green="GREEN")
    assert list(colours) == ["red", "green"] and colours["red"] is RED
    with pytest.raises(MovlrError) as refused:
        colours["green"]
    told = []
    assert list(colours.usable(told.append)) == [RED] and told == [str(refused.value)]
    assert str(refused.value).startswith("The colour 'green' of the package broken 1.0 cannot be used: ") and sentence in str(refused.value)


def test_no_package_takes_the_place_of_a_name_that_is_there(colours, install):
    install("usurper", "RED = 1", red="RED")
    assert colours["red"] is RED
    with pytest.raises(MovlrError, match=r"The package usurper 1\.0 adds a colour 'red', which this package has: uninstall it"):
        list(colours)


def test_two_packages_cannot_share_a_name(colours, install):
    install("one", "GREEN = 1", green="GREEN")
    install("two", "GREEN = 1", green="GREEN")
    with pytest.raises(MovlrError, match=r"The package one 1\.0 and the package two 1\.0 both add|The package two 1\.0 and"):
        colours["green"]


def test_a_process_registers_its_own(colours):
    colours.register("teal", Colour("teal"))
    assert list(colours) == ["red", "teal"] and colours["teal"].name == "teal"
    for name, thing, sentence in (("teal", Colour("teal"), "already"), ("red", RED, "already"), ("blue", 3, "It is no Colour")):
        with pytest.raises(MovlrError, match=sentence):
            colours.register(name, thing)


def test_an_unknown_name_is_refused_in_one_sentence(colours):
    with pytest.raises(UnknownName) as refused:
        colours["rad"]
    assert str(refused.value) == "There is no colour 'rad': did you mean red? known are red."
    assert colours.get("rad") is None  # as of any mapping


@pytest.mark.parametrize("registry", REGISTRIES, ids=lambda registry: registry.kind)
def test_names_of_this_package_s_own_agree(registry):
    assert len(registry) >= 1
    for name, thing in registry.items():
        assert getattr(thing, "name", name) == name


def test_a_planner_of_one_s_own_is_registered_in_a_process(monkeypatch):
    from dataclasses import dataclass

    @dataclass(frozen=True)
    class Mine(MPPI):
        name: str = "mine"

    monkeypatch.setattr(PLANNERS, "_objects", dict(PLANNERS._objects))
    PLANNERS.register("mine", Mine)
    assert MPPI(candidates=9).as_kind("mine") == Mine(candidates=9)
    with pytest.raises(MovlrError, match=r"It is no subclass of movlr_jax\.control\.planners\.Planner"):
        PLANNERS.register("other", dict)
