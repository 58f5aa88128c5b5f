"""What pytest's --jaxtyping-packages checks calls with: beartype, on the arrays among arguments and results alone.

Tests stand in for bodies, engines and models by objects of their own, so only annotations that hold an array's type and shape are looked
at. A constructor is not: JAX builds its trees of records from placeholders.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

from beartype import beartype
from jaxtyping import AbstractArray


def checked(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function with its arrays checked; itself where it has none."""
    hints = {name: hint for name, hint in function.__annotations__.items() if _holds_array(hint)}
    if not hints or function.__name__ == "__init__":
        return function
    function.__annotations__ = hints
    return beartype(function)


def _holds_array(hint: Any) -> bool:
    if isinstance(hint, type) and issubclass(hint, AbstractArray):
        return True
    return any(_holds_array(part) for part in get_args(hint))
