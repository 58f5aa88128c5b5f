"""Registry: names and what they stand for, this package's own and what installed packages add by entry points.

Flows in: lines `name -> "module:attribute"` of this package, and the entry points of one group (`movlr_jax.tasks`, `movlr_jax.planners`,
...) of whatever is installed. Flows out: the object of a name. Nothing is imported before it is wanted, and packages are searched for entry
points once, when a name is not this package's own or all names are listed.
"""

from __future__ import annotations

import importlib
import importlib.metadata
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, TypeVar

from movlr_jax.errors import MovlrError, UnknownName, did_you_mean

T = TypeVar("T")


class Registry(Mapping[str, T], Generic[T]):
    """A mapping from names to objects of one kind, this package's own first; a name that it lacks is refused in one sentence.

    Args:
        kind: what one is called in a sentence, such as "task".
        group: the group of entry points that add some.
        own: name -> "module:attribute" of this package's own.
        fault: (name, object) -> what keeps an object of another package from being one, in a sentence; "" where nothing does.
        hint: what to add where a name is not known.
    """

    def __init__(self, kind: str, group: str, own: Mapping[str, str], fault: Callable[[str, Any], str], hint: str = ""):
        self.kind, self.group, self._hint, self._fault = kind, group, hint, fault
        self._places: dict[str, str | importlib.metadata.EntryPoint] = dict(own)
        self._own = frozenset(own)
        self._objects: dict[str, T] = {}
        self._searched = False

    def register(self, name: str, thing: T) -> None:
        """Add an object under a name, for this process.

        Raises:
            MovlrError: the name is taken, or the object cannot be one of this kind.
        """
        if name in self:
            raise MovlrError(f"There is a {self.kind} '{name}' already: give yours another name.")
        if fault := self._fault(name, thing):
            raise MovlrError(f"The {self.kind} '{name}' cannot be registered: {fault}")
        self._objects[name] = thing

    def require(self, name: str) -> None:
        """Refuse a name that stands for nothing; loads nothing.

        Raises:
            UnknownName: there is none of that name.
        """
        if name not in self:
            known = f"known are {', '.join(self)}"
            raise UnknownName(f"There is no {self.kind} '{name}': {did_you_mean(name, self)}{known}{self._hint}.")

    def __getitem__(self, name: str) -> T:
        """Return the object of a name.

        Raises:
            UnknownName: there is none.
            MovlrError: the package that adds it cannot be loaded.
        """
        if name not in self._objects:
            self.require(name)
            self._objects[name] = self._load(name, self._places[name])
        return self._objects[name]

    def __contains__(self, name: object) -> bool:
        """Whether there is one of that name; loads nothing."""
        return name in self._own or name in self._objects or name in self._all_places()

    def __iter__(self) -> Iterator[str]:
        """Yield all names, this package's own first."""
        return iter(dict.fromkeys([*self._all_places(), *self._objects]))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def added(self) -> list[str]:
        """Return the names that other packages, or this process, have added."""
        return [name for name in self if name not in self._own]

    def package(self, name: str) -> str:
        """Return the package that adds a name, with its version, "movlr-example 1.0"; "" for this package's own and unknown ones."""
        place = self._places.get(name)
        return _package(place) if isinstance(place, importlib.metadata.EntryPoint) else ""

    def usable(self, tell: Callable[[str], None] = lambda sentence: None) -> Iterator[T]:
        """Yield all objects, without those of packages that cannot be loaded; `tell` is given a sentence for each of these."""
        for name in self:
            try:
                thing = self[name]
            except MovlrError as error:
                tell(str(error))
            else:
                yield thing

    def _all_places(self) -> dict[str, str | importlib.metadata.EntryPoint]:
        """Return where everything is found; searches the installed packages the first time."""
        if not self._searched:
            added: dict[str, importlib.metadata.EntryPoint] = {}
            for point in importlib.metadata.entry_points(group=self.group):
                package, thing = _package(point), f"a {self.kind} '{point.name}'"
                if point.name in self._own:
                    raise MovlrError(f"The package {package} adds {thing}, which this package has: uninstall it, or rename its.")
                other = added.setdefault(point.name, point)
                if other.value != point.value:
                    raise MovlrError(f"The package {_package(other)} and the package {package} both add {thing}: remove one.")
            self._places |= added
            self._searched = True
        return self._places

    def _load(self, name: str, place: str | importlib.metadata.EntryPoint) -> T:
        if isinstance(place, str):
            module, _, attribute = place.partition(":")
            return getattr(importlib.import_module(module), attribute)  # type: ignore[no-any-return]
        try:
            thing = place.load()
            fault = self._fault(name, thing)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # another's code may raise anything, SystemExit too
            said = " ".join(str(error).split())[:300].rstrip(".")
            fault = f"{type(error).__name__}: {said}." if said else f"{type(error).__name__}."
        if fault:
            raise MovlrError(
                f"The {self.kind} '{name}' of the package {_package(place)} cannot be used: {fault} Mend or uninstall that package."
            )
        return thing  # type: ignore[no-any-return]


def rule(what: str, holds: Callable[[Any], bool]) -> Callable[[str, Any], str]:
    """Return the `fault` of a registry whose objects say their own name.

    Args:
        what: what one has to be, for a sentence.
        holds: whether an object is that.
    """

    def fault(name: str, thing: Any) -> str:
        if not holds(thing):
            return f"It is no {what}."
        called = getattr(thing, "name", None)
        return "" if called == name else f"It is called {called!r} by its own name: give both one name."

    return fault


def _package(point: importlib.metadata.EntryPoint) -> str:
    """Return what to call the package of an entry point."""
    return f"{point.dist.name} {point.dist.version}" if point.dist is not None else point.value
