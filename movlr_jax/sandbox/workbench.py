"""What the jailed process does with a text: execute, trace, export, compile, run at plan size. Imported inside the jail only."""

from __future__ import annotations

import time
from typing import Any

import jax
import numpy as np
from jax import export
from jax._src.interpreters import mlir
from jax._src.lib import _jax
from jaxlib.mlir import passmanager

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


def _measure(exported: export.Exported, columns: int, rows: int) -> tuple[float, float]:
    features = np.random.default_rng(0).normal(size=(rows, columns)).astype(np.float32)
    started = time.monotonic()
    lowered = jax.jit(exported.call).lower(features)
    try:
        compiled = lowered.compile(dict(_FAST))
    except Exception:  # an option that this version of the compiler does not know
        compiled = lowered.compile()
    compile_s = time.monotonic() - started
    started = time.monotonic()
    jax.block_until_ready(compiled(features))
    return compile_s, time.monotonic() - started


def warm_up(layout_json: str | None, rows: int) -> None:
    """Load all that a proof needs: one small program through the same path."""
    if layout_json is None:
        jax.block_until_ready(jax.jit(lambda x: x + 1)(np.zeros(2, np.float32)))
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
        (batch,) = export.symbolic_shape("b")
        argument = jax.ShapeDtypeStruct((batch, 2 * layout.size), np.float32)
        try:
            exported = export.export(jax.jit(fn), platforms=program.PLATFORMS)(argument)
            text = text_of(exported)
        except program.ProgramError:
            raise
        except Exception as error:
            raise program.ProgramError(f"The program cannot be exported: {type(error).__name__}: {error}") from error
        seconds["trace"] = time.monotonic() - started
        seconds["compile"], seconds["run"] = _measure(exported, 2 * layout.size, rows)
    except program.ProgramError as error:
        cause = error.__cause__
        memory = isinstance(cause, MemoryError) or "RESOURCE_EXHAUSTED" in str(error)
        return {"ok": False, "reason": str(error)[:1000], "line": error.line, "memory": memory}, b""
    except MemoryError:
        return {"ok": False, "reason": "The program asks for too much memory.", "line": None, "memory": True}, b""
    except Exception as error:
        return {"ok": False, "reason": f"{type(error).__name__}: {error}"[:1000], "line": None, "memory": False}, b""
    return {"ok": True, "names": list(names), "seconds": seconds}, text.encode("ascii", "replace")
