"""Small edits of a reward's text that leave the rest of it as its writer wrote it.

In: source text and Changes (add a term, set a weight, remove a term, change an expression, set a parameter). Out: new source text. The
entries of the dict literals are edited in a tree that keeps comments, order, spacing and local variables (module program_tree); where
`terms` does not return a literal, the function is kept under another name and wrapped by a new one. The text is never executed here.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from movlr_jax.errors import MovlrError
from movlr_jax.rewards.parameters import Parameter, fault, moved, of_entries, values_of
from movlr_jax.rewards.program import ProgramError, literal_parameters, literal_weights
from movlr_jax.rewards.shaping import SHAPING
from movlr_jax.writers.base import EditError

if TYPE_CHECKING:
    from movlr_jax.writers.program_tree import Tree


@dataclass(frozen=True)
class Change:
    """One change of a reward.

    Attributes:
        action: add a term, reweigh it, remove it, or change its expression; or set a parameter.
        term: the term's or the parameter's name.
        weight: its weight; needed to add and to reweigh, optional to change. Of a parameter, its value.
        expression: its text in terms of m; needed to add and to change.
        before: the value of a parameter before, for people.
        parameters: what an added term's expression reads of m.parameters: name -> (value, lowest, highest); the program declares what it
            does not have of them, and keeps what it has.
    """

    action: Literal["add", "reweigh", "remove", "change", "set"]
    term: str
    weight: float | None = None
    expression: str | None = None
    before: float | None = None
    parameters: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)

    def line(self) -> str:
        """Return the change in a few words; equal changes give equal words."""
        if self.action == "add":
            return f"add {self.term} {self.weight:g}"
        if self.action == "reweigh":
            return f"reweigh {self.term} to {self.weight:g}"
        if self.action == "set":
            return f"set {self.term} to {self.weight!r}" if self.before is None else f"set {self.term} {self.before!r} -> {self.weight!r}"
        if self.action == "change":
            return f"change {self.term}" + ("" if self.weight is None else f" {self.weight:g}")
        return f"remove {self.term}"


def to_values(source: str, weights: Mapping[str, float], parameters: Mapping[str, float]) -> list[Change]:
    """Return the changes that give a text these weights and parameters, of those that it has otherwise.

    Raises:
        EditError: the text does not keep the contract.
    """
    own, declared = _weights(source), values_of(_parameters(source))
    changes = [Change("reweigh", term, weight) for term, weight in weights.items() if weight != own.get(term)]
    moved = [(name, value) for name, value in parameters.items() if value != declared.get(name)]
    return changes + [Change("set", name, value, before=declared.get(name)) for name, value in moved]


def parameter_changes(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, str]:
    """Return what an edit did to parameters, name -> "1.0 -> 1.1", "added 1.0" or "removed"."""
    changes = {name: f"{before[name]!r} -> {value!r}" for name, value in after.items() if name in before and value != before[name]}
    changes |= {name: f"added {value!r}" for name, value in after.items() if name not in before}
    return changes | {name: "removed" for name in before if name not in after}


def describe(changes: Sequence[Change]) -> str:
    """Return an edit in one line, in an order that does not depend on that of its changes."""
    return ", ".join(sorted(c.line() for c in changes))


def apply(source: str, changes: Sequence[Change]) -> str:
    """Apply changes one after another.

    Raises:
        EditError: a change does not fit the text; nothing is half done, because the text is returned, not altered.
    """
    for change in changes:
        if change.action == "add":
            if change.weight is None or change.expression is None:
                raise EditError(f"To add {change.term} a weight and an expression are needed.")
            source = add_term(source, change.term, change.weight, change.expression, change.parameters)
        elif change.action == "reweigh":
            if change.weight is None:
                raise EditError(f"To reweigh {change.term} a weight is needed.")
            source = set_weight(source, change.term, change.weight)
        elif change.action == "set":
            if change.weight is None:
                raise EditError(f"To set {change.term} a value is needed.")
            source = set_parameter(source, change.term, change.weight)
        elif change.action == "remove":
            source = remove_term(source, change.term)
        else:
            if change.expression is None:
                raise EditError(f"To change {change.term} an expression is needed.")
            source = change_expression(source, change.term, change.expression)
            if change.weight is not None:
                source = set_weight(source, change.term, change.weight)
    return source


def add_term(
    source: str, name: str, weight: float, expression: str, parameters: Mapping[str, tuple[float, float, float]] | None = None
) -> str:
    """Add a term with its weight, and declare the parameters that it reads and the program lacks.

    Raises:
        EditError: it is there already, the text does not keep the contract, or a parameter is called as a term is.
    """
    before = _weights(source)
    if name in before:
        raise EditError(f"The reward has a term {name} already: reweigh or change it.")
    if name in _parameters(source):
        raise EditError(f"The reward has a parameter {name}: a term of that name cannot be added.")
    source = _declaring(source, parameters or {}, {*before, name})
    source = _read(source).with_weight(name, weight)
    return _checked(_with_expression(source, name, expression, new=True), {**before, name: weight})


def _declaring(source: str, parameters: Mapping[str, tuple[float, float, float]], terms: set[str]) -> str:
    """Return a text that declares these parameters; those that it has stay as they are."""
    before = _parameters(source)
    new = {name: entry for name, entry in parameters.items() if name not in before}
    for name, entry in new.items():
        if why := fault(name, entry, terms):
            raise EditError(f"The parameter {name} cannot be declared: {why[0]}; {why[1]}.")
        source = _read(source).with_declaration(name, entry)
    if _parameters(source) != {**before, **of_entries(new)}:
        raise EditError("The edit did not take: PARAMETERS reads differently afterwards.")
    return source


def part_of(source: str, name: str) -> Change:
    """Return the change that adds a term of one program to another: its weight, its expression in terms of m, the parameters that it reads.

    Raises:
        EditError: there is no such term, or it cannot be told what it depends on: it stands in no literal that is returned, or reads names
            of its program's own.
    """
    from movlr_jax.writers import program_tree

    weight, tree = _weights_with(source, name)[name], _read(source)
    if tree.entries is None or not tree.plain or name not in tree.names:
        raise EditError(f"The term {name} stands in no literal that is returned, so that it cannot be taken out of its program.")
    parsed = program_tree.bounded(f"({tree.expression(name)}\n)", "eval")
    read = {node.id for node in ast.walk(parsed) if isinstance(node, ast.Name)} - {tree.parameter}
    if foreign := sorted((read - {"jnp", "pi", *SHAPING}) | (read & (tree.inside | tree.outside))):
        raise EditError(f"The term {name} reads {', '.join(foreign)} of its program, so that it cannot be taken out of it.")
    for node in ast.walk(parsed):
        if isinstance(node, ast.Name) and node.id == tree.parameter:
            node.id = "m"
    attributes = {node.attr for node in ast.walk(parsed) if isinstance(node, ast.Attribute)}
    parameters = {key: parameter.triple() for key, parameter in _parameters(source).items() if key in attributes}
    return Change("add", name, weight, ast.unparse(parsed), parameters=parameters)


def set_weight(source: str, name: str, weight: float) -> str:
    """Give a term another weight.

    Raises:
        EditError: there is no such term.
    """
    before = _weights_with(source, name)
    return _checked(_read(source).with_weight(name, weight), {**before, name: weight})


def set_parameter(source: str, name: str, value: float) -> str:
    """Give a parameter another value; its range stays.

    Raises:
        EditError: there is no such parameter, or the value is outside its range.
    """
    before = _parameters(source)
    try:
        expected = moved(before, {name: value})
    except MovlrError as error:
        raise EditError(str(error)) from None
    source = _read(source).with_parameter(name, value)
    if _parameters(source) != expected:
        raise EditError("The edit did not take: PARAMETERS reads differently afterwards.")
    return source


def remove_term(source: str, name: str) -> str:
    """Remove a term and its weight, and the parameters that nothing reads any more.

    Raises:
        EditError: there is no such term, or it is the last one.
    """
    before = _weights_with(source, name)
    if len(before) == 1:
        raise EditError(f"{name} is the reward's only term and cannot be removed.")
    declared = [parameter for parameter in _parameters(source) if parameter in _attributes(source)]
    tree = _read(source)
    tree = _read(tree.without(tree.weights, name))
    if tree.entries is not None and tree.plain and name in tree.names and None not in tree.names:
        source = tree.without(tree.entries, name)
    else:
        source = tree.wrapped(name)
    for parameter in declared:
        if parameter not in _attributes(source):
            source = _read(source).without_declaration(parameter)
    return _checked(source, {term: weight for term, weight in before.items() if term != name})


def _attributes(source: str) -> set[str]:
    """Return what a text reads of anything, the parameters of m among it."""
    from movlr_jax.writers import program_tree

    return {node.attr for node in ast.walk(program_tree.bounded(source, "exec")) if isinstance(node, ast.Attribute)}


def change_expression(source: str, name: str, expression: str) -> str:
    """Give a term another expression; its weight stays.

    Raises:
        EditError: there is no such term.
    """
    before = _weights_with(source, name)
    return _checked(_with_expression(source, name, expression), before)


def _read(source: str) -> Tree:
    from movlr_jax.writers import program_tree  # libcst takes a moment to import

    return program_tree.read(source)


def _weights(source: str) -> dict[str, float]:
    from movlr_jax.writers import program_tree

    program_tree.bounded(source, "exec")
    try:
        return literal_weights(source)
    except ProgramError as error:
        raise EditError(str(error)) from None


def _parameters(source: str) -> dict[str, Parameter]:
    try:
        return literal_parameters(source)
    except ProgramError as error:
        raise EditError(str(error)) from None


def _weights_with(source: str, name: str) -> dict[str, float]:
    """Return the weights of a reward that must have the term."""
    weights = _weights(source)
    if name not in weights:
        raise EditError(f"The reward has no term {name}: it has {', '.join(weights)}.")
    return weights


def _with_expression(source: str, name: str, expression: str, *, new: bool = False) -> str:
    """Set a term's expression in what `terms` returns: in its literal, on a line before the return, or by a wrapper."""
    from movlr_jax.writers import program_tree

    expression, tree = expression.strip(), _read(source)
    try:
        parsed = program_tree.bounded(expression, "eval")
    except EditError as error:
        raise EditError(f"The expression of {name}: {error}") from None
    names = {n.id for n in ast.walk(parsed) if isinstance(n, ast.Name)}
    if shadowed := sorted((names - {"m"}) & (tree.outside - {"WEIGHTS", "PARAMETERS", "terms"})):
        raise EditError(f"The text gives {', '.join(shadowed)} another meaning, so the term {name} cannot be added to it.")
    clashes = names & tree.inside or tree.parameter in tree.inside or tree.parameter in names - {"m"}
    foreign = tree.parameter != "m" and "m" in tree.inside
    if not clashes and not foreign:
        # A value put into a literal may be overwritten later, unless the literal is all that is returned. After an expansion such as
        # **base(m) an entry at the end adds or overrides, which is what is wanted.
        if tree.entries is not None and (tree.plain or new):
            return tree.with_term(name, expression)
        if tree.returned is not None:
            return tree.with_assignment(name, expression)
    return tree.wrapped(name, expression)


def _checked(source: str, expected: dict[str, float]) -> str:
    """Return the text if it is Python with the expected weights and, where they are plain to see, the expected terms."""
    weights = _weights(source)
    if set(weights) != set(expected) or any(abs(weights[k] - expected[k]) > 1e-5 for k in expected):
        raise EditError("The edit did not take: WEIGHTS reads differently afterwards.")
    tree = _read(source)
    if tree.entries is not None and tree.plain and None not in tree.names and set(tree.names) != set(expected):
        raise EditError("The edit did not take: WEIGHTS and terms name different terms afterwards.")
    return source
