"""What the jailed process does with a text: execute, trace, export, compile, run at plan size. Imported inside the jail only."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import export
from jax._src.interpreters import mlir
from jax._src.lib import _jax
from jaxlib.mlir import passmanager
from jaxlib.mlir.dialects import stablehlo

from movlr_jax.rewards import program
from movlr_jax.rewards.layout import FeatureLayout

# Here only whether it compiles and ends in time matters, not how fast it runs: measured 0.15 s in place of 0.7 s for ten terms.
_FAST: dict[str, str | bool] = {
    "xla_backend_optimization_level": "0",
    "xla_llvm_disable_expensive_passes": True,
    "xla_cpu_use_fusion_emitters": False,
}
_WARM_SOURCE = """
WEIGHTS = {"one": 1.0, "two": 1.0, "three": 1.0}

def terms(m):
    a = m.pelvis.height - m.standing.pelvis_height
    return {
        "one": -smooth_abs(a) + tolerance(m.com.velocity_forward, 0.5, 1.0),
        "two": jnp.where(a > 0.0, jnp.sin(m.pelvis.pitch), jnp.exp(-jnp.square(m.pelvis.yaw))),
        "three": mean_square(m.muscles.activation) + norm(m.pelvis.velocity) + jnp.dot(m.pelvis.up, m.pelvis.forward)
        + jnp.clip(jnp.max(jnp.abs(m.pelvis.velocity - m.previous.pelvis.velocity) / m.dt), 0.0, 1.0),
    }
"""


def versions() -> dict[str, str]:
    """Return the versions that the jail runs."""
    return {"jax": jax.__version__}


def text_of(exported: export.Exported) -> str:
    """Return an exported function's StableHLO as text in MLIR's generic form, common subexpressions merged.

    Text, because the prover's process must not run a binary parser on bytes from the jail: damaged MLIR bytecode crashes it.
    """
    with mlir.make_ir_context():
        module = _jax.mlir.deserialize_portable_artifact(exported.mlir_module_serialized)
        passmanager.PassManager.parse("builtin.module(cse)").run(module.operation)
        return str(module.operation.get_asm(print_generic_op_form=True, enable_debug_info=False))


# What XLA's own refinement of symbolic shapes does, in words of passes that Python can run.
_REFINEMENT = """builtin.module(func.func(stablehlo-legalize-composite-to-call), inline, cse, stablehlo-refine-shapes,
    func.func(stablehlo-canonicalize-dynamism, stablehlo-check-shape-assertions))"""


def _refine(module: Any) -> Any:
    with module.context:
        passmanager.PassManager.parse(_REFINEMENT).run(module.operation)
    return module


def _without_pool(context: Any, pool: object) -> None:
    del pool
    context.enable_multithreading(False)


def start_threads() -> None:
    """Start every thread that compiling and running will use, and keep the compiler from starting others later.

    In the jail no thread can be started once its locks hold, and XLA ends the process where one that it wants is refused. Its pools are
    made on first use: those of the client by any program, that of its evaluator by one that subtracts a computed constant (the
    compiler makes that an addition, and evaluates what it adds), that of the linear algebra library by calling an export. MLIR starts
    threads whenever it likes: in JAX's contexts, which are told to do without, and in those that XLA makes for itself to refine symbolic
    shapes, which `_refine` does in a context of JAX's instead.
    """
    mlir.JaxIrContext.set_thread_pool = _without_pool  # type: ignore[method-assign]
    with contextlib.suppress(RuntimeError):  # registered already
        stablehlo.register_stablehlo_passes()
    mlir.refine_polymorphic_shapes = _refine
    constant = np.arange(2, dtype=np.float32)

    def small(x: jax.Array) -> jax.Array:
        return x - jnp.negative(constant) - jnp.sin(constant)

    exported = _export(small, columns=2)
    text_of(exported)
    _measure(exported, small, columns=2, rows=4)


def _export(fn: Callable[[Any], Any], columns: int) -> export.Exported:
    (batch,) = export.symbolic_shape("b")
    return export.export(jax.jit(fn), platforms=program.PLATFORMS)(jax.ShapeDtypeStruct((batch, columns), np.float32))


def _measure(exported: export.Exported, fn: Callable[[Any], Any], columns: int, rows: int) -> tuple[float, float]:
    """Compile a text's export at plan size and run it; return the seconds of each.

    Args:
        exported: the export.
        fn: what was exported; compiled instead, at the cost of tracing once more, where `_refine` cannot bring the export to size.
        columns: features of an instant pair.
        rows: batch size.
    """
    features = np.random.default_rng(0).normal(size=(rows, columns)).astype(np.float32)
    started = time.monotonic()
    try:
        compiled = jax.jit(exported.call).lower(features).compile(dict(_FAST))
    except Exception:
        lowered = jax.jit(fn).lower(features)
        try:
            compiled = lowered.compile(dict(_FAST))
        except Exception:  # an option that this version of the compiler does not know
            compiled = lowered.compile()
    compile_s = time.monotonic() - started
    started = time.monotonic()
    jax.block_until_ready(compiled(features))
    return compile_s, time.monotonic() - started


def warm_up(layout_json: str | None, rows: int) -> None:
    """Load all that a proof needs and start its threads: one small program through the same path."""
    start_threads()
    if layout_json is None:
        return
    header, _ = prove(_WARM_SOURCE, layout_json, rows)
    if not header["ok"]:
        raise RuntimeError(header["reason"])


def prove(source: str, layout_json: str, rows: int) -> tuple[dict[str, Any], bytes]:
    """Execute, trace, export, compile and run a text.

    Returns:
        (header, StableHLO text): header has "ok", and "reason" and "line" where it is not.
    """
    seconds: dict[str, float] = {}
    started = time.monotonic()
    try:
        layout = FeatureLayout.from_json(layout_json)
        fn, names = program.batched(program.execute(source), layout)
        try:
            exported = _export(fn, 2 * layout.size)
            text = text_of(exported)
        except program.ProgramError:
            raise
        except Exception as error:
            raise program.ProgramError(f"The program cannot be exported: {type(error).__name__}: {error}") from error
        seconds["trace"] = time.monotonic() - started
        seconds["compile"], seconds["run"] = _measure(exported, fn, 2 * layout.size, rows)
    except program.ProgramError as error:
        cause = error.__cause__
        memory = isinstance(cause, MemoryError) or "RESOURCE_EXHAUSTED" in str(error)
        return {"ok": False, "reason": str(error)[:1000], "line": error.line, "memory": memory}, b""
    except MemoryError:
        return {"ok": False, "reason": "The program asks for too much memory.", "line": None, "memory": True}, b""
    except Exception as error:
        return {"ok": False, "reason": f"{type(error).__name__}: {error}"[:1000], "line": None, "memory": False}, b""
    return {"ok": True, "names": list(names), "seconds": seconds}, text.encode("ascii", "replace")
