"""The Prover: from untrusted text to a trusted reward, through the static check, the jail, the inspection and the behaviour checks.

A Prover keeps one warm jail spare, so that proving a changed term costs what tracing and compiling it costs. It owns that process and
nothing else: `close` (or leaving the `with` block, or the end of the interpreter) leaves no process, file or socket behind.
"""

from __future__ import annotations

import functools
import hashlib
import time
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType

import jax
import numpy as np

from movlr_jax import jax_environment
from movlr_jax.errors import MovlrError
from movlr_jax.rewards import parameters, program
from movlr_jax.rewards.layout import FeatureLayout
from movlr_jax.rewards.parameters import Parameter
from movlr_jax.rewards.reward import Reward
from movlr_jax.sandbox import behaviour, inspect, static
from movlr_jax.sandbox.behaviour_motions import BehaviourMotions
from movlr_jax.sandbox.evaluate import Walker
from movlr_jax.sandbox.jail import PLAN_ROWS, Jail, JailError, plain, probe
from movlr_jax.sandbox.operations import Refused
from movlr_jax.sandbox.proof import Proof, Verdict

__all__ = ["JailError", "Prover", "probe"]

DEADLINE_S = 60.0  # an honest text takes half a second of processor time; a busy machine may take long to give it that
STAGES = ("static", "jail", "inspection", "behaviour")


class Prover:
    """Proves reward texts for one body.

    Args:
        layout: the body's feature layout.
        motions: its behaviour motions; None skips the behaviour checks but those on random features, and the verdict says so.
        spare: keep a warm jail waiting (one process of about 300 MB).
        deadline_s: wall-clock time that one text may take in the jail (s).
        rows: batch size at which a text is run there.
        skip_layers: layers of the jail to leave out, for tests.
        tell: is told what is waited for.
        lying: the task asks to lie down; see `behaviour.judge`.
    """

    def __init__(
        self,
        layout: FeatureLayout,
        motions: BehaviourMotions | None = None,
        *,
        spare: bool = True,
        deadline_s: float = DEADLINE_S,
        rows: int = PLAN_ROWS,
        skip_layers: tuple[str, ...] = (),
        tell: Callable[[str], None] | None = None,
        lying: bool = False,
    ):
        jax_environment.require_devices()
        self.layout, self.motions, self.lying = layout, motions, lying
        self.deadline_s = deadline_s
        self._rows, self._skip_layers = rows, skip_layers
        self._tell = tell or (lambda _: None)
        self._keep_spare = spare
        self._spare: Jail | None = None
        self._layers: dict[str, str] = {}
        self._closed = False
        if spare:
            self._spare = self._start()

    def __enter__(self) -> Prover:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the spare jail; a second call does nothing."""
        self._closed = True
        if self._spare is not None:
            self._spare.close()
            self._spare = None

    def warm(self) -> dict[str, str]:
        """Wait until the spare jail is warm; return the jail's layers.

        Raises:
            JailError: no jail can be started.
        """
        if self._spare is None or not self._spare.alive:
            self._spare = self._start()
        self._layers = self._spare.ready()
        return dict(self._layers)

    def layers(self) -> dict[str, str]:
        """Return the jail's layers, each "active" or "not granted: why".

        Raises:
            JailError: no jail can be started.
        """
        return dict(self._layers) if self._layers else self.warm()

    def _start(self) -> Jail:
        if self._closed:
            raise MovlrError("This Prover is closed: make another.")
        return Jail(self.layout, rows=self._rows, skip=self._skip_layers)

    def _take(self) -> Jail:
        taken, self._spare = self._spare, None
        if taken is not None and taken.alive:
            return taken
        if taken is not None:
            taken.close()
        return self._start()

    def prove(self, source: str, name: str = "candidate") -> Proof:
        """Put a text through all gates.

        Args:
            source: the text, hostile until proven otherwise.
            name: for people.

        Raises:
            JailError: no jail can be started on this machine. A refused text does not raise.
        """
        seconds: dict[str, float] = {}
        checks: dict[str, str] = {}
        layers: dict[str, str] = {}
        digest = hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()
        try:
            return self._prove(source, name, digest, seconds, checks, layers)
        finally:
            # The next spare warms up beside what the caller does next, not beside this proof.
            if self._keep_spare and not self._closed and (self._spare is None or not self._spare.alive):
                if self._spare is not None:
                    self._spare.close()
                self._spare = self._start()

    def _prove(
        self, source: str, name: str, digest: str, seconds: dict[str, float], checks: dict[str, str], layers: dict[str, str]
    ) -> Proof:
        def refuse(
            stage: str,
            reason: str,
            line: int | None = None,
            cure: str = "",
            column: int | None = None,
            faults: tuple[tuple[int, int | None, str], ...] = (),
        ) -> Proof:
            return Proof(
                Verdict(
                    False,
                    stage,
                    digest,
                    reason,
                    line,
                    column,
                    cure or _cure_of(reason),
                    layers,
                    checks,
                    seconds={k: round(v, 4) for k, v in seconds.items()},
                    layout_fingerprint=self.layout.fingerprint(),
                    faults=faults,
                )
            )

        started = time.monotonic()
        refusals = static.check(source, self.layout)
        seconds["static"] = time.monotonic() - started
        if refusals:
            told, more = refusals[: static.MAX_REFUSALS], len(refusals) - static.MAX_REFUSALS
            reason = " ".join([*(r.reason for r in told), *([f"And {more} more."] if more > 0 else [])])
            first = told[0]
            return refuse("static", reason, first.line, first.cure, first.column, tuple((r.line, r.column, r.reason) for r in told))
        checks["static"] = "passed"
        weights, joints = program.literal_weights(source), program.literal_joints(source)
        declared = program.literal_parameters(source)

        self._tell("warming a jail up: a locked process with JAX")
        started = time.monotonic()
        current = self._take()
        try:
            layers.update(current.ready())
            self._layers = dict(layers)
            seconds["wait"] = time.monotonic() - started
            started = time.monotonic()
            self._tell(f"tracing, compiling and running the text in the jail (at most {self.deadline_s:g} s)")
            answer = current.ask(source, self.layout, self.deadline_s)
        finally:
            current.close()
            seconds["jail"] = time.monotonic() - started
        if not answer.ok:
            line = answer.line if answer.line is not None else _line_of_term(source, answer.reason)
            return refuse("jail", _with_line(answer.reason, line), line)
        if answer.names != tuple(weights):
            return refuse("jail", "The jail's answer names other terms than WEIGHTS: the text tampers with its jail; remove that.")
        checks["jail"] = "passed"

        started = time.monotonic()
        try:
            inspected = inspect.inspect_module(answer.module, program.columns_of(self.layout, declared), len(weights) + len(joints))
        except Refused as error:
            line = _line_of_cause(source, str(error))
            return refuse("inspection", _with_line(str(error), line), line)
        finally:
            seconds["inspection"] = time.monotonic() - started
        checks["inspection"] = "passed"

        self._tell("judging the compiled reward on the motions")
        started = time.monotonic()
        reward = Reward.from_artifact(name, source, weights, inspected.artifact, self.layout, joints, declared)
        warnings: list[str] = []
        if self.motions is None:
            warnings.append("No motions of this body were given: its behaviour was not checked.")
            checks["behaviour"] = "not checked: no motions given"
        else:
            # First as its operations say, so that what is refused is not compiled here; then as it will run, because a compiler may
            # reorder sums and products, and (x + 1e8) - 1e8 is then x and not 0.
            judgement = behaviour.Behaviour()
            for evaluate in (_walked(inspected.walker, declared), _compiled(reward)):
                try:
                    judgement = behaviour.judge(functools.partial(evaluate, {}), weights, self.motions, lying=self.lying, joints=joints)
                    if declared and not judgement.refusal:
                        behaviour.judge_ranges(judgement, evaluate, declared, [*weights, *joints], len(weights), self.motions)
                except Refused as error:
                    return refuse("behaviour", str(error))
                except jax.errors.JaxRuntimeError as error:
                    return refuse(
                        "behaviour", f"It does not compile for this device ({plain(error, 200).rstrip('.')}): use smaller arrays."
                    )
                finally:
                    seconds["behaviour"] = time.monotonic() - started
                if judgement.refusal:
                    checks.update(judgement.checks)
                    line = _line_of_term(source, judgement.term) if judgement.term else _line_of_return(source)
                    return refuse("behaviour", _with_line(judgement.refusal, line), line, judgement.cure)
            checks.update(judgement.checks)
            warnings += judgement.warnings

        verdict = Verdict(
            True,
            STAGES[-1],
            digest,
            layers=layers,
            checks=checks,
            warnings=tuple(warnings),
            seconds={k: round(v, 4) for k, v in seconds.items()},
            operations=inspected.operations,
            term_names=tuple(weights),
            parameters={name: parameter.triple() for name, parameter in declared.items()},
            layout_fingerprint=self.layout.fingerprint(),
            artifact_sha256=inspected.sha256,
        )
        return Proof(verdict, reward)


def _walked(walker: Walker, declared: Mapping[str, Parameter]) -> behaviour.Evaluate:
    """Return the evaluation of a program without compiling it, under other values of some of its parameters."""

    def evaluate(values: Mapping[str, float], features: np.ndarray) -> np.ndarray:
        row = np.array(list(parameters.values_of(parameters.moved(declared, values)).values()), np.float32)
        return walker.evaluate(np.concatenate([features, np.broadcast_to(row, (len(features), len(row)))], axis=1))

    return evaluate


def _compiled(reward: Reward) -> behaviour.Evaluate:
    """Return the evaluation of a program as it will run."""
    return lambda values, features: reward.with_parameters(values).columns(features)


def _with_line(reason: str, line: int | None) -> str:
    return reason if line is None or reason.startswith("Line ") else f"Line {line}: {reason}"


def _cure_of(reason: str) -> str:
    head = reason.rstrip(".")
    for mark in ("; ", ": "):
        if mark in head:
            return head.rsplit(mark, 1)[1]
    return ""


def _line_of_term(source: str, text: str) -> int | None:
    """Return the line in `terms` at which a term named in text is given, or in `posture` that of a joint."""
    return _line_of_entry(source, text, "terms", program.literal_weights(source)) or _line_of_entry(
        source, text, "posture", program.literal_joints(source)
    )


def _line_of_entry(source: str, text: str, function: str, names: Iterable[str]) -> int | None:
    lines = source.splitlines()
    start = next((i for i, line in enumerate(lines) if line.startswith(f"def {function}")), 0)
    for name in names:
        if name == text or f"'{name}'" in text:
            for i in range(start, len(lines)):
                if f'"{name}"' in lines[i] or f"'{name}'" in lines[i]:
                    return i + 1
    return None


def _line_of_return(source: str) -> int | None:
    return next((i + 1 for i, line in enumerate(source.splitlines()) if line.strip().startswith("return")), None)


def _line_of_cause(source: str, reason: str) -> int | None:
    """Return the line that most likely makes the compiled program what the inspection refuses."""
    hints = {
        "while": ("interp", "searchsorted", "random", "power", "**", "for "),
        "sort": ("sort", "median", "percentile"),
        "elements": ("zeros", "ones", "array", "reshape", "stack", "[:, None]", "dot", "@"),
        "constant": ("array", "zeros", "ones", "["),
        "operations": ("for ", "range"),
        "again": ("for ", "range", "concatenate", "stack"),
    }
    lines = source.splitlines()
    for key, words in hints.items():
        if key in reason:
            for i, line in enumerate(lines):
                if any(w in line for w in words) and not line.startswith(("WEIGHTS", "def ")):
                    return i + 1
    return next((i + 1 for i, line in enumerate(lines) if line.startswith("def terms")), None)
