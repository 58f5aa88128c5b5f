"""From what a jail sent to an artifact that may be loaded: every byte of the artifact is written here, none is copied unread.

The jail's answer is StableHLO *text*. It is read in plain Python (`stablehlo`), walked operation by operation against an allow-list
with every shape and amount checked (`evaluate`), and written anew from that walk (`rebuild`): what is judged, and what runs, is the text
written here. The compiler's own reader verifies that text; last, it is wrapped in a jax.export container that this process made itself,
so that no header, effect, platform or calling convention of the jail's survives. A loaded artifact (from a run's folder) goes the same
way: it must be byte for byte what this procedure makes of its text.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import re
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import export
from jax._src.export import serialization_generated as container
from jax._src.interpreters import mlir
from jaxlib.mlir import ir

from movlr_jax.rewards.program import PLATFORMS
from movlr_jax.sandbox import evaluate, operations, stablehlo
from movlr_jax.sandbox.evaluate import Walker
from movlr_jax.sandbox.operations import Refused

MAX_TEXT_BYTES = 2_000_000
MAX_ARTIFACT_BYTES = MAX_TEXT_BYTES + 64 * 1024
MAX_WRITTEN_OPERATIONS = 4 * evaluate.MAX_OPERATIONS  # bookkeeping of sizes included
_FUNCTION_ATTRIBUTES = {"arg_attrs", "res_attrs", "function_type", "sym_name", "sym_visibility"}
_CUSTOM_CALL_ATTRIBUTES = {"api_version", "call_target_name", "error_message", "has_side_effect"}
# Operation -> attributes that it may carry. All not listed may carry none.
_ATTRIBUTES: dict[str, set[str]] = {
    "stablehlo.broadcast_in_dim": {"broadcast_dimensions"},
    "stablehlo.dynamic_broadcast_in_dim": {"broadcast_dimensions"},
    "stablehlo.compare": {"comparison_direction", "compare_type"},
    "stablehlo.composite": {"name", "decomposition", "version"},
    "stablehlo.concatenate": {"dimension"},
    "stablehlo.constant": {"value"},
    "stablehlo.custom_call": _CUSTOM_CALL_ATTRIBUTES,
    "stablehlo.dot_general": {"dot_dimension_numbers", "precision_config"},
    "stablehlo.get_dimension_size": {"dimension"},
    "stablehlo.iota": {"iota_dimension"},
    "stablehlo.reduce": {"dimensions"},
    "stablehlo.slice": {"start_indices", "limit_indices", "strides"},
    "stablehlo.transpose": {"permutation"},
    "func.call": {"callee"},
}


@dataclass(frozen=True)
class Inspected:
    """A program that passed.

    Attributes:
        artifact: serialised jax.export, features float32[b, F + p] -> terms, then nominal angles, float32[b, n + k].
        walker: evaluates it without compiling.
        operations: data operations it executes.
        sha256: of the artifact.
    """

    artifact: bytes
    walker: Walker
    operations: int
    sha256: str


def inspect_module(module: bytes, columns: int, terms: int) -> Inspected:
    """Inspect StableHLO text and wrap it as an artifact.

    Args:
        module: what the jail sent.
        columns: F + p, which the program must take.
        terms: columns that it must return: n terms, and the nominal angles of k joints where its text names any.

    Raises:
        Refused: it is not let through; one sentence says why.
    """
    text, walker = _read(module, columns, terms)
    written = walker.rebuilt()
    if written != text:
        walker = Walker(stablehlo.parse(written, MAX_WRITTEN_OPERATIONS), columns, terms)
        walker.check()
    _check_natively(written)
    artifact = _wrap(written, columns, terms)
    return Inspected(artifact, walker, walker.operations, hashlib.sha256(artifact).hexdigest())


def rewrite(module: bytes, columns: int, terms: int) -> tuple[bytes, bytes]:
    """Return the text that `inspect_module` would write, and its artifact, unverified: for the jail, to run what will be run.

    Raises:
        Refused: it is not let through.
    """
    written = _read(module, columns, terms)[1].rebuilt()
    return written.encode(), _wrap(written, columns, terms)


def _read(module: bytes, columns: int, terms: int) -> tuple[str, Walker]:
    """Return a module's text and the walker that found nothing wrong with it."""
    if len(module) > MAX_TEXT_BYTES:
        raise Refused(f"The compiled program is {len(module)} bytes long; at most {MAX_TEXT_BYTES}: use fewer terms.")
    try:
        text = module.decode("ascii")
        tree = stablehlo.parse(text, MAX_WRITTEN_OPERATIONS)
    except UnicodeDecodeError:
        raise Refused("The compiled program is not text: the jail's answer is damaged or forged.") from None
    except stablehlo.FormError as error:
        raise _from_form(text, error) from None
    _check_operations(tree, evaluate.most_elements(columns))
    _check_frame(tree, columns, terms)
    walker = Walker(tree, columns, terms)
    walker.check()
    return text, walker


def inspect_artifact(artifact: bytes, columns: int, terms: int) -> Inspected:
    """Inspect a stored artifact, of which nothing is believed.

    Raises:
        Refused: it is not let through; one sentence says why.
    """
    if len(artifact) > MAX_ARTIFACT_BYTES:
        raise Refused(f"The artifact is {len(artifact)} bytes long, more than any that this package writes: prove its source again.")
    try:
        # The accessor of plain-Python flatbuffers: a damaged offset raises or yields wrong bytes, which the comparison below finds.
        text = container.Exported.GetRootAsExported(bytearray(artifact), 0).MlirModuleSerializedAsNumpy()
        module = b"" if isinstance(text, int) else np.asarray(text).tobytes()
    except Exception:
        raise Refused("The artifact is damaged: its container cannot be read. Prove its source again.") from None
    if module[:4] == b"ML\xefR":
        raise Refused("The artifact holds bytecode, which this package neither writes nor reads: prove its source again.")
    inspected = inspect_module(module, columns, terms)
    if inspected.artifact != artifact:
        raise Refused(
            "The artifact's container differs from the one that belongs to its program (altered, or made by another "
            f"version of this package or another JAX than {jax.__version__}): prove its source again."
        )
    return inspected


def _from_form(text: str, error: stablehlo.FormError) -> Refused:
    # The grammar knows only what allowed operations use; name a forbidden operation rather than the first odd token.
    text = text[:MAX_TEXT_BYTES]
    names = set(re.findall(r'^ *(?:%[^=\n]* = )?"([a-z_]{1,20}\.[a-z_0-9]{1,40})"\(', text, re.MULTILINE))
    targets = set(re.findall(r'call_target_name = "([A-Za-z0-9_.]{1,60})"', text))
    if refusal := _worst(names - {"builtin.module", "func.func"}, targets):
        return refusal
    if "too many operations" in str(error):
        return Refused(
            f"The compiled program has more than {MAX_WRITTEN_OPERATIONS} operations: use fewer terms, and jnp on whole vectors "
            "in place of loops."
        )
    if "dynamic" not in str(error) and "elements" in str(error):
        return Refused(f"The compiled program has a constant that is too large ({error}): use small arrays.")
    return Refused(f"The compiled program is not what an exported reward looks like ({error}): the answer is damaged or forged.")


def _worst(names: set[str], targets: set[str]) -> Refused | None:
    """Return the most telling refusal: a linear solve also brings odd gathers along, but it is the solve that must go."""
    if called := sorted(targets - {"shape_assertion"}):
        return _refused_call(called[0])
    refused = sorted(names - operations.ALLOWED_OPERATIONS - {"stablehlo.custom_call"})
    known = [n for short in operations.CURES for n in refused if n == f"stablehlo.{short}"]
    return operations.refuse_operation((known or refused)[0]) if refused else None


def _refused_call(target: str) -> Refused:
    return Refused(
        f"The compiled program calls {target} (custom_call): linear algebra, callbacks and library calls are not allowed; use norm, "
        "jnp.dot or mean_square."
    )


def _walk(operation: stablehlo.Operation):  # type: ignore[no-untyped-def]
    waiting = [operation]
    while waiting:
        current = waiting.pop()
        yield current
        for region in current.regions:
            waiting.extend(region.operations)


def _check_operations(tree: stablehlo.Operation, most: int) -> None:
    constants = 0
    every = list(_inner(tree))
    targets = {str(o.attributes.get("call_target_name", ""))[:60] or "nothing" for o in every if o.name == "stablehlo.custom_call"}
    if refusal := _worst({o.name for o in every}, targets):
        raise refusal
    for operation in every:
        name, attributes = operation.name, operation.attributes
        if name == "stablehlo.custom_call":
            if operation.results or operation.regions or set(attributes) != _CUSTOM_CALL_ATTRIBUTES:
                raise Refused("The compiled program's shape assertion is malformed.")
            continue
        extra = set(attributes) - _ATTRIBUTES.get(name, set())
        if extra:
            raise Refused(f"The compiled program's {name} carries {sorted(extra)[0]}, which is not allowed.")
        if name == "stablehlo.composite" and attributes.get("name") not in operations.COMPOSITES:
            raise Refused(f"The compiled program uses the composite {attributes.get('name')}, which is not allowed.")
        if operation.regions and name not in ("stablehlo.reduce", "stablehlo.case"):
            raise Refused(f"The compiled program's {name} holds a region.")
        if name == "stablehlo.constant":
            dense = attributes.get("value")
            constants += dense.type.elements if isinstance(dense, stablehlo.Dense) else 1
            if constants > evaluate.MAX_CONSTANT_ELEMENTS:
                raise Refused(
                    f"The compiled program has constants of more than {evaluate.MAX_CONSTANT_ELEMENTS} numbers: use small arrays."
                )
        for kind in (*operation.type.inputs, *operation.type.outputs):
            if kind.elements > most:
                raise Refused(
                    f"The compiled program makes an array of {kind.elements} elements per row; at most {most}: use smaller arrays."
                )


def _inner(tree: stablehlo.Operation):  # type: ignore[no-untyped-def]
    """Yield every operation within functions."""
    for function in tree.regions[0].operations:
        for region in function.regions:
            for operation in region.operations:
                yield from _walk(operation)


def _check_frame(tree: stablehlo.Operation, columns: int, terms: int) -> None:
    """Check the module's own attributes and its functions' signatures."""
    allowed = {"jax.uses_shape_polymorphism": True, "mhlo.num_partitions": 1, "mhlo.num_replicas": 1}
    for key, value in tree.attributes.items():
        plain = value.value if isinstance(value, stablehlo.Typed) else value
        if key != "sym_name" and (key not in allowed or plain != allowed[key]):
            raise Refused(f"The compiled program's module carries {key}, which is not as exported for one device.")
    if not set(allowed) <= set(tree.attributes):
        raise Refused("The compiled program's module is not as exported with a symbolic batch.")
    functions = {}
    for function in tree.regions[0].operations:
        if function.name != "func.func" or set(function.attributes) - _FUNCTION_ATTRIBUTES or len(function.regions) != 1:
            raise Refused(f"The compiled program's module holds {function.name}, which is not a plain function.")
        name, kind = function.attributes.get("sym_name"), function.attributes.get("function_type")
        if not isinstance(kind, stablehlo.Function) or not isinstance(name, str):
            raise Refused("The compiled program has a function without a name or type.")
        if tuple(t for _, t in function.regions[0].arguments) != kind.inputs:
            raise Refused(f"The compiled program's function {name} takes other arguments than it states.")
        expected = "public" if name == "main" else "private"
        if function.attributes.get("sym_visibility") != expected:
            raise Refused(f"The compiled program's function {name} is not {expected}.")
        for given in (function.attributes.get("arg_attrs", []), function.attributes.get("res_attrs", [])):
            for entry in given if isinstance(given, list) else [{"?": 0}]:
                if not isinstance(entry, dict) or set(entry) - {"jax.global_constant", "jax.result_info"}:
                    raise Refused(f"The compiled program's function {name} carries attributes that are not allowed.")
        functions[name] = function
    main = functions.get("main")
    if main is None:
        raise Refused("The compiled program has no entry.")
    kind = main.attributes["function_type"]
    assert isinstance(kind, stablehlo.Function)
    want_in = (stablehlo.Tensor((), "i32"), stablehlo.Tensor((None, columns), "f32"))
    want_out = (stablehlo.Tensor((None, terms), "f32"),)
    if kind.inputs != want_in or main.attributes.get("arg_attrs") != [{"jax.global_constant": "_platform_index"}, {}]:
        raise Refused(f"The compiled program must take the platform's index and one float32[b, {columns}], for {', '.join(PLATFORMS)}.")
    if kind.outputs != want_out:
        raise Refused(f"The compiled program must return one float32[b, {terms}], a column a term.")
    for name, function in functions.items():
        calls = [o for o in _walk(function) if o.name == "stablehlo.custom_call"]
        if name != "main" and calls:
            raise Refused("The compiled program asserts shapes outside its entry.")
        if len(calls) > 2:
            raise Refused("The compiled program asserts more than its batch.")


def _check_natively(text: str) -> None:
    """Let the compiler's own reader and verifier see the text, whose every token is known by now."""
    try:
        with mlir.make_ir_context():
            ir.Module.parse(text).operation.verify()
    except Exception as error:
        first = (str(error).strip().splitlines() or ["?"])[0][:200]
        raise Refused(f"The compiled program is not valid ({first}): the answer is damaged or forged.") from None


@functools.lru_cache(maxsize=64)
def _frame(columns: int, terms: int) -> export.Exported:
    (batch,) = export.symbolic_shape("b")

    def reward(features: jax.Array) -> jax.Array:
        return jnp.zeros((features.shape[0], terms), jnp.float32) + features[:, :1]

    argument = jax.ShapeDtypeStruct((batch, columns), jnp.float32)
    return export.export(jax.jit(reward), platforms=PLATFORMS)(argument)


def _wrap(text: str, columns: int, terms: int) -> bytes:
    """Return the text in a jax.export container of this process's own making."""
    return bytes(dataclasses.replace(_frame(columns, terms), mlir_module_serialized=text.encode()).serialize())
