"""A reward program: the text `WEIGHTS = {...}` and `def terms(m): return {...}`, executed, traced and exported.

It may also say how some joints should go: `JOINTS = (...)` and `def posture(m): return {...}`, the nominal angles that a planner's target
postures move along with; and declare constants with their ranges, `PARAMETERS = {...}` (`movlr_jax.rewards.parameters`).

`execute` runs the text. It is called in one of two places only: inside the jail, for text that anyone wrote; and in this process for
the package's own reward texts. The names given to the text are the same in both.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, export

from movlr_jax import reference_cycles
from movlr_jax.rewards import parameters
from movlr_jax.rewards.layout import FeatureLayout
from movlr_jax.rewards.motion import Motion, MotionError
from movlr_jax.rewards.named import unknown
from movlr_jax.rewards.parameters import Parameter
from movlr_jax.rewards.shaping import SHAPING

# Elementwise mathematics, small reductions and array building: what a reward needs, and nothing that lowers to a loop or a call
# into a library (no linalg, no sort, no random, no interp).
_JNP = (
    "abs absolute add all any arccos arcsin arctan arctan2 array asarray atan2 cbrt ceil clip concatenate cos cosh cross deg2rad "
    "divide dot equal exp exp2 expm1 fabs float32 floor greater greater_equal heaviside hypot isfinite less less_equal log log10 "
    "log1p log2 logaddexp logical_and logical_not logical_or max maximum mean min minimum mod multiply nan_to_num negative newaxis "
    "not_equal ones ones_like pi power prod rad2deg ravel reciprocal remainder reshape rint round sign sin sinc sinh sqrt square "
    "squeeze stack std subtract sum tan tanh true_divide var vdot where zeros zeros_like "
)
JNP_NAMES: tuple[str, ...] = tuple(_JNP.split())
BUILTIN_NAMES: tuple[str, ...] = (
    "abs",
    "dict",
    "enumerate",
    "float",
    "int",
    "len",
    "list",
    "range",
    "sum",
    "tuple",
    "zip",
)
_Function = Callable[[Motion], Mapping[str, Any]]
PLATFORMS: tuple[str, ...] = ("cpu", "cuda", "tpu")
MAX_TERMS = 32


class ProgramError(ValueError):
    """A reward program that cannot be used, in one sentence that its writer can act on.

    Attributes:
        line: the source line it points at (1 is the first), or None.
    """

    def __init__(self, message: str, line: int | None = None):
        super().__init__(message)
        self.line = line


@dataclass(frozen=True)
class Program:
    """An executed reward program.

    Attributes:
        weights: term name -> weight, in the order of the text.
        terms: Motion -> {term name: scalar}.
        source: the text.
        joints: the joints that have a nominal posture; none where the program gives none.
        posture: Motion -> {joint: nominal angle (rad)}; None where the program gives none.
        parameters: declared constants by name, in the order of the text; none where the program declares none.
    """

    weights: dict[str, float]
    terms: _Function
    source: str = ""
    joints: tuple[str, ...] = ()
    posture: _Function | None = None
    parameters: Mapping[str, Parameter] = field(default_factory=dict)


def _namespace() -> dict[str, Any]:
    import builtins

    return {
        "__builtins__": {name: getattr(builtins, name) for name in BUILTIN_NAMES},
        "jnp": SimpleNamespace(**{name: getattr(jnp, name) for name in JNP_NAMES}),
        "pi": math.pi,
        **SHAPING,
    }


def _line_of(error: BaseException) -> int | None:
    """Return the last line of the program's own text in an exception's traceback."""
    line, frame = None, error.__traceback__
    while frame is not None:
        if frame.tb_frame.f_code.co_filename == "reward.py":
            line = frame.tb_lineno
        frame = frame.tb_next
    return line


def _first_line(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0][:300]}" if text else type(error).__name__


# What Python decides at once, while a traced value is known only when the body moves; what to write in its place.
DECIDES: dict[str, tuple[str, str]] = {
    "If": ("an if", "choose between two values with jnp.where(condition, a, b)"),
    "IfExp": ("an if", "write jnp.where(condition, a, b)"),
    "While": ("a while", "choose with jnp.where(condition, a, b); nothing here runs until a quantity of m says so"),
    "comprehension": ("an if", "choose with jnp.where(condition, a, b)"),
    "And": ("and", "write jnp.logical_and(a, b)"),
    "Or": ("or", "write jnp.logical_or(a, b)"),
    "Not": ("not", "write jnp.logical_not(a)"),
    "Compare": ("a chain of comparisons", "write jnp.logical_and(a < b, b < c)"),
    "Call": ("float, int or range", "leave the value as it is: jnp works on it"),
}
TRACED = "a quantity of m, which is known only when the body moves"


def decides(node: ast.AST) -> str:
    """Return by which entry of DECIDES a node makes Python decide on a value; "" where it does not."""
    if isinstance(node, ast.BoolOp):
        return type(node.op).__name__
    if isinstance(node, ast.UnaryOp):
        return "Not" if isinstance(node.op, ast.Not) else ""
    if isinstance(node, ast.comprehension):
        return "comprehension" if node.ifs else ""
    if isinstance(node, ast.Compare):
        return "Compare" if len(node.ops) > 1 else ""
    if isinstance(node, ast.Call):
        return "Call" if isinstance(node.func, ast.Name) and node.func.id in ("float", "int", "range", "bool") else ""
    name = type(node).__name__
    return name if name in DECIDES else ""


def _decided_on(source: str, line: int | None) -> str:
    """Return a sentence for a value that Python had to decide on, by what stands on the line of the text."""
    try:
        nodes = [node for node in ast.walk(ast.parse(source)) if _at_line(node, line)]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        nodes = []
    kind = next((name for node in reversed(nodes) if (name := decides(node))), "If")
    what, cure = DECIDES[kind]
    return f"{what} asks for {TRACED}: {cure}"


def _at_line(node: ast.AST, line: int | None) -> bool:
    if isinstance(node, ast.comprehension):
        return node.target.lineno == line
    last = getattr(getattr(node, "test", node), "end_lineno", None) if isinstance(node, ast.If | ast.While) else None
    first = getattr(node, "lineno", None)
    return first is not None and line is not None and first <= line <= (last or getattr(node, "end_lineno", None) or first)


def literal_weights(source: str) -> dict[str, float]:
    """Return WEIGHTS of a program's text without executing it.

    Raises:
        ProgramError: WEIGHTS is missing or is not a dict of names to finite numbers.
    """
    value, line = _literal(source, "WEIGHTS")
    if line is None:
        raise ProgramError('There is no WEIGHTS: start the text with WEIGHTS = {"term_name": 1.0, ...}.')
    return checked_weights(value, line)


def literal_joints(source: str) -> tuple[str, ...]:
    """Return JOINTS of a program's text without executing it; none where it has none.

    Raises:
        ProgramError: JOINTS is not a tuple or list of names.
    """
    value, line = _literal(source, "JOINTS")
    return () if line is None else checked_joints(value, line)


def literal_parameters(source: str) -> dict[str, Parameter]:
    """Return PARAMETERS of a program's text without executing it; none where it has none.

    Raises:
        ProgramError: PARAMETERS is not a dict of names to (value, lowest, highest).
    """
    value, line = _literal(source, "PARAMETERS")
    return {} if line is None else checked_parameters(value, literal_weights(source), line)


def _literal(source: str, name: str) -> tuple[Any, int | None]:
    """Return the literal that a text gives a name, None for what is none, and its line, None where the name is not given.

    Raises:
        ProgramError: the text is not Python.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ProgramError(f"The text is not Python: {_first_line(error)}.", getattr(error, "lineno", None)) from None
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in node.targets):
            try:
                return ast.literal_eval(node.value), node.lineno
            except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
                return None, node.lineno
    return None, None


def checked_weights(value: Any, line: int | None = None) -> dict[str, float]:
    """Return WEIGHTS as they are used.

    Raises:
        ProgramError: it is no dict of a few plain names to finite numbers.
    """
    if not isinstance(value, dict) or not value:
        raise ProgramError('WEIGHTS must be a literal dict such as {"forward_speed": 10.0}, with at least one term.', line)
    if len(value) > MAX_TERMS:
        raise ProgramError(f"There are {len(value)} terms: keep at most {MAX_TERMS}.", line)
    weights = {}
    for name, weight in value.items():
        if not isinstance(name, str) or not name.isidentifier() or not name.isascii() or len(name) > 64:
            raise ProgramError(f"The term name {str(name)[:40]!r} is not a plain identifier: use letters, digits and _.", line)
        try:
            ok = not isinstance(weight, bool) and isinstance(weight, int | float) and math.isfinite(weight) and abs(weight) <= 1e6
        except OverflowError:
            ok = False
        if not ok:
            raise ProgramError(f"The weight of {name!r} must be a finite number of at most 1e6 in size.", line)
        weights[name] = float(weight)
    return weights


def checked_parameters(value: Any, weights: Mapping[str, float], line: int | None = None) -> dict[str, Parameter]:
    """Return PARAMETERS as they are used.

    Args:
        value: what the program gives.
        weights: its weights, whose names are taken.
        line: where it stands.

    Raises:
        ProgramError: it is no dict of a few plain names to (value, lowest, highest).
    """
    if not isinstance(value, dict) or not value:
        raise ProgramError(f"PARAMETERS is not a literal dict of parameters: {parameters.NONE_SUCH}.", line)
    if len(value) > parameters.MAX_PARAMETERS:
        raise ProgramError(f"There are {len(value)} parameters: keep at most {parameters.MAX_PARAMETERS}.", line)
    for name, entry in value.items():
        if (fault := parameters.fault(name, entry, weights)) is not None:
            raise ProgramError(f"{fault[0][0].upper()}{fault[0][1:]}: {fault[1]}.", line)
    return parameters.of_entries(value)


def checked_joints(value: Any, line: int | None = None) -> tuple[str, ...]:
    """Return JOINTS as they are used.

    Raises:
        ProgramError: it is no tuple or list of names, or names one twice.
    """
    if not isinstance(value, tuple | list) or not value or not all(isinstance(name, str) for name in value):
        raise ProgramError('JOINTS must be a literal tuple of joint names such as ("hip_flexion_l", "hip_flexion_r").', line)
    if repeated := sorted({name for name in value if value.count(name) > 1}):
        raise ProgramError(f"JOINTS names {repeated[0][:64]!r} twice: keep one.", line)
    return tuple(value)


def planned_joints(joints: Sequence[str], layout: FeatureLayout) -> None:
    """Refuse joints that the planner does not move: they can follow no nominal posture.

    Raises:
        MotionError: the body has no such planned joint; the sentence names close ones.
    """
    for name in joints:
        if name not in layout.planned_joints:
            raise unknown("planned joint", name[:64], sorted(layout.planned_joints), layout.morphology)


def nominal(joints: Any, posture: _Function | None) -> tuple[tuple[str, ...], _Function | None]:
    """Return JOINTS and the function posture of a program, () and None where it has neither.

    Raises:
        ProgramError: there is one without the other, or JOINTS are no names.
    """
    if posture is None and joints is None:
        return (), None
    if posture is None:
        raise ProgramError("There is JOINTS and no function posture: define `def posture(m):`, which returns an angle for each.")
    if joints is None:
        raise ProgramError('There is a function posture and no JOINTS: name its joints beside it, as in JOINTS = ("knee_angle_l",).')
    return checked_joints(joints), posture


def execute(source: str) -> Program:
    """Run a program's text with the restricted names and return what it defines: weights and terms, nominal posture and parameters if any.

    Raises:
        ProgramError: it does not run, or does not define what the contract asks for.
    """
    try:
        code = compile(source, "reward.py", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError) as error:
        raise ProgramError(f"The text is not Python: {_first_line(error)}.", getattr(error, "lineno", None)) from None
    names = _namespace()
    try:
        exec(code, names)
    except Exception as error:
        raise ProgramError(f"The text does not run: {_first_line(error)}.", _line_of(error)) from error
    terms = names.get("terms")
    if not callable(terms):
        raise ProgramError("There is no function terms: define `def terms(m):` that returns a dict of scalars.")
    posture = names.get("posture")
    joints, posture = nominal(names.get("JOINTS"), posture if callable(posture) else None)
    weights, declared = checked_weights(names.get("WEIGHTS")), names.get("PARAMETERS")
    return Program(weights, terms, source, joints, posture, {} if declared is None else checked_parameters(declared, weights))


def batched(program: Program, layout: FeatureLayout) -> tuple[Callable[[Array], Array], tuple[str, ...]]:
    """Return the program as a function of features float32[b, F + p] to float32[b, n + k], and the n term names.

    The last p columns of the features are the values of the program's p parameters. Columns are the n terms, then the nominal angles (rad)
    of the program's k joints. The returned function raises ProgramError while it is
    traced: unknown landmark, wrong names, not a scalar.

    Raises:
        ProgramError: a joint of JOINTS is none that the planner moves.
    """
    names, declared = tuple(program.weights), tuple(program.parameters)
    try:
        planned_joints(program.joints, layout)
    except MotionError as error:
        raise ProgramError(f"JOINTS: {error}") from None

    def called(name: str, function: _Function, m: Motion) -> Any:
        try:
            return function(m)
        except MotionError as error:
            raise ProgramError(str(error), _line_of(error)) from error
        except jax.errors.ConcretizationTypeError as error:
            line = _line_of(error)
            raise ProgramError(f"{_decided_on(program.source, line)}.", line) from error
        except Exception as error:
            raise ProgramError(f"{name}(m) fails: {_first_line(error)}.", _line_of(error)) from error

    def one(features: Array) -> Array:
        scalars = _scalars(called("terms", program.terms, Motion(layout, features, declared)), names, _TERMS)
        if program.posture is not None:
            scalars += _scalars(called("posture", program.posture, Motion(layout, features, declared)), program.joints, _POSTURE)
        return jnp.stack(scalars)

    return jax.vmap(one), names


@dataclass(frozen=True)
class _Named:
    """What a function of a program returns by name, in words: `function` returns a `value` for each of `listed`, an `entry` each."""

    function: str
    value: str
    listed: str
    things: str
    entry: str
    cure: str


_TERMS = _Named("terms", "scalars", "WEIGHTS", "terms", "term", "give every term one weight")
_POSTURE = _Named("posture", "angles", "JOINTS", "joints", "posture of", "give an angle (rad) for each joint of JOINTS")


def _scalars(values: Any, names: Sequence[str], words: _Named) -> list[Array]:
    """Return the scalars of names, in their order.

    Raises:
        ProgramError: values are no dict of exactly these names to scalars.
    """
    if not isinstance(values, dict):
        raise ProgramError(f"{words.function}(m) returns a {type(values).__name__}: return a dict of named {words.value}.")
    if set(values) != set(names):
        missing, extra = sorted(set(names) - set(map(str, values))), sorted(set(map(str, values)) - set(names))
        raise ProgramError(
            f"{words.function}(m) and {words.listed} name different {words.things} (only in {words.listed}: {missing or 'none'}; only in "
            f"{words.function}: {extra or 'none'}): {words.cure}."
        )
    scalars = []
    for name in names:
        try:
            value = jnp.asarray(values[name])
        except Exception:
            raise ProgramError(f"The {words.entry} {name!r} is not a number: return a scalar.") from None
        if value.shape != ():
            raise ProgramError(f"The {words.entry} {name!r} has shape {value.shape}: reduce it to a scalar, for example with jnp.sum.")
        if not (jnp.issubdtype(value.dtype, jnp.floating) or jnp.issubdtype(value.dtype, jnp.integer) or value.dtype == bool):
            raise ProgramError(f"The {words.entry} {name!r} has type {value.dtype}: return a real number.")
        scalars.append(value.astype(jnp.float32))
    return scalars


def columns_of(layout: FeatureLayout, declared: Collection[str] = ()) -> int:
    """Return the width of a row that an artifact takes: two instants, and the values of its program's parameters."""
    return 2 * layout.size + len(declared)


def export_terms(
    fn: Callable[[Array], Array], layout: FeatureLayout, platforms: tuple[str, ...] = PLATFORMS, declared: Collection[str] = ()
) -> bytes:
    """Export features float32[b, F + p] -> float32[b, n + k], of `batched`, as serialised StableHLO with b symbolic.

    Args:
        fn: what `batched` returned.
        layout: the body's.
        platforms: devices that it can run on.
        declared: names of the program's p parameters.

    Raises:
        ProgramError: the program cannot be exported (for example, it calls back into Python).
    """
    (batch,) = export.symbolic_shape("b")
    argument = jax.ShapeDtypeStruct((batch, columns_of(layout, declared)), jnp.float32)
    # The caller's stack would otherwise stand in the artifact, and the same program would not give the same bytes.
    frames = jax.config.jax_traceback_in_locations_limit  # type: ignore[attr-defined]
    jax.config.update("jax_traceback_in_locations_limit", 0)
    try:
        with reference_cycles.freed():
            return bytes(export.export(jax.jit(fn), platforms=platforms)(argument).serialize())
    except ProgramError:
        raise
    except Exception as error:
        raise ProgramError(f"The program cannot be exported: {_first_line(error)}.", _line_of(error)) from error
    finally:
        jax.config.update("jax_traceback_in_locations_limit", frames)


def write(
    weights: Mapping[str, float],
    entries: Mapping[str, str],
    prelude: str = "",
    parameters: Mapping[str, tuple[float, float, float]] | None = None,
) -> str:
    """Return the canonical text of a program.

    Args:
        weights: term name -> weight.
        entries: term name -> expression of m.
        prelude: lines (already indented by four spaces) before the return, or "".
        parameters: name -> (value, lowest, highest) of what it declares; none where it declares nothing.
    """
    lines = ["WEIGHTS = {"]
    lines += [f'    "{name}": {weight!r},' for name, weight in weights.items()]
    lines += ["}"]
    if parameters:
        lines += ["PARAMETERS = {", *(f'    "{name}": {triple!r},' for name, triple in parameters.items()), "}"]
    lines += ["", "", "def terms(m):"]
    if prelude:
        lines += prelude.rstrip("\n").split("\n")
    lines += ["    return {"]
    lines += [f'        "{name}": {entries[name]},' for name in weights]
    lines += ["    }", ""]
    return "\n".join(lines)
