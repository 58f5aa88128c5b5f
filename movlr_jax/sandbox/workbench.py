"""What the jailed process does with a text: execute, trace, export, write anew, compile, run at plan size. Imported in the jail only."""

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
from movlr_jax.rewards.reward import Reward, RewardBatch
from movlr_jax.sandbox import inspect
from movlr_jax.sandbox.operations import Refused

# Processor time (s), which a busy machine does not stretch. The largest packaged reward takes 0.3 and 0.01.
MAX_COMPILE_S = 4.0
MAX_RUN_S = 1.0
_STEPS = 44  # of one plan; the candidates follow from the rows
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
    jax.block_until_ready(jax.jit(exported.call)(np.zeros((4, 2), np.float32)))


def _export(fn: Callable[[Any], Any], columns: int) -> export.Exported:
    (batch,) = export.symbolic_shape("b")
    return export.export(jax.jit(fn), platforms=program.PLATFORMS)(jax.ShapeDtypeStruct((batch, columns), np.float32))


def _measure(reward: Reward, layout: FeatureLayout, rows: int) -> dict[str, float]:
    """Compile and run what a plan compiles and runs; return the processor time of each (s).

    Raises:
        ProgramError: either takes too long.
    """
    candidates = max(1, rows // _STEPS)
    shape = (1, candidates, rows // candidates + 1, layout.size)
    instants = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    batch = RewardBatch([reward])
    marks = [time.process_time()]
    for _ in range(2):
        jax.block_until_ready(batch.mean_reward(instants))
        marks.append(time.process_time())
    run = marks[2] - marks[1]
    compile_s = max(0.0, marks[1] - marks[0] - run)
    if run > MAX_RUN_S:
        raise program.ProgramError(
            f"Evaluating it for one plan takes {run:.1f} s of processor time, more than {MAX_RUN_S:g}: use smaller arrays, and build each "
            "vector once from m."
        )
    if compile_s > MAX_COMPILE_S:
        raise program.ProgramError(
            f"Compiling it takes {compile_s:.1f} s of processor time, more than {MAX_COMPILE_S:g}: use fewer terms, and jnp on whole "
            "vectors in place of loops."
        )
    return {"compile": compile_s, "run": run}


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
        ran = program.execute(source)
        fn, names = program.batched(ran, layout)
        columns = program.columns_of(layout, ran.parameters)
        try:
            exported = _export(fn, columns)
            module = text_of(exported).encode("ascii", "replace")
        except program.ProgramError:
            raise
        except Exception as error:
            raise program.ProgramError(f"The program cannot be exported: {type(error).__name__}: {error}") from error
        seconds["trace"] = time.monotonic() - started
        # Written here as the prover will write it, who does so again and believes nothing of this; a refusal is left to it.
        with contextlib.suppress(Refused):
            module, artifact = inspect.rewrite(module, columns, len(names) + len(ran.joints))
            reward = Reward.from_artifact("", source, dict.fromkeys(names, 1.0), artifact, layout, ran.joints, ran.parameters)
            seconds.update(_measure(reward, layout, rows))
    except program.ProgramError as error:
        cause = error.__cause__
        memory = isinstance(cause, MemoryError) or "RESOURCE_EXHAUSTED" in str(error)
        return {"ok": False, "reason": str(error)[:1000], "line": error.line, "memory": memory}, b""
    except MemoryError:
        return {"ok": False, "reason": "The program asks for too much memory.", "line": None, "memory": True}, b""
    except Exception as error:
        return {"ok": False, "reason": f"{type(error).__name__}: {error}"[:1000], "line": None, "memory": False}, b""
    return {"ok": True, "names": list(names), "seconds": seconds}, module
