"""What a proof comes to: a verdict, which is the record in verdict.json, and the reward where it is trusted.

In: what `prove.Prover` found. Out: JSON, and a text for people. Nothing here loads JAX.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from movlr_jax._versions import installed

if TYPE_CHECKING:
    from movlr_jax.rewards.reward import Reward


@dataclass(frozen=True)
class Verdict:
    """The record of one proof; `verdict.json` is its `to_json`.

    Attributes:
        trusted: whether the artifact may be used.
        reason: why not, in sentences a writer can act on: one, or of a text that is refused as it is read, one a place; "" if trusted.
        line: the line of the text it points at (1 is the first), or None.
        column: where on that line, from 0, or None.
        cure: what to do about it.
        stage: the gate that refused, or the last one passed; "package" for a text of this package.
        layers: the jail's layers, each "active" or "not granted: why"; empty if no jail was needed to refuse.
        checks: check -> "passed", or what was found.
        warnings: sentences that do not refuse.
        seconds: gate -> wall-clock time (s).
        operations: data operations of the compiled program.
        term_names: the terms, in the artifact's order.
        parameters: declared constant -> (value, lowest, highest), in the artifact's order.
        layout_fingerprint: the body's layout.
        source_sha256: of the text.
        artifact_sha256: of the artifact, "" if refused.
        jax: version that made the artifact.
        faults: of a text that is refused as it is read: (line, column or None, sentence), a place each.
    """

    trusted: bool
    stage: str
    source_sha256: str
    reason: str = ""
    line: int | None = None
    column: int | None = None
    cure: str = ""
    layers: dict[str, str] = field(default_factory=dict)
    checks: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)
    operations: int = 0
    term_names: tuple[str, ...] = ()
    layout_fingerprint: str = ""
    artifact_sha256: str = ""
    jax: str = field(default_factory=lambda: installed("jax") or "")
    faults: tuple[tuple[int, int | None, str], ...] = ()
    parameters: dict[str, tuple[float, float, float]] = field(default_factory=dict)

    @staticmethod
    def of_package(reward: Reward) -> Verdict:
        """Return the verdict on a text of this package, which needs no sandbox."""
        return Verdict(
            True,
            "package",
            hashlib.sha256(reward.source.encode()).hexdigest(),
            checks={"origin": "a text of this package"},
            term_names=reward.term_names,
            layout_fingerprint=reward.layout_fingerprint,
            artifact_sha256=hashlib.sha256(reward.artifact).hexdigest(),
            parameters={name: parameter.triple() for name, parameter in reward.parameters.items()},
        )

    def to_json(self) -> dict[str, Any]:
        """Return the record for verdict.json; "sentence" is the reason, and "parameters" are there where any are declared."""
        record = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "parameters" or self.parameters}
        return {**record, "sentence": self.reason, "warnings": list(self.warnings), "term_names": list(self.term_names)}


@dataclass(frozen=True)
class Proof:
    """A verdict, with the reward if it is trusted."""

    verdict: Verdict
    reward: Reward | None = None

    @property
    def trusted(self) -> bool:
        """Whether there is a reward to use."""
        return self.reward is not None


def explain(verdict: Verdict, source: str) -> str:
    """Return a verdict as text for people; a refusal quotes its line with a pointer."""
    if verdict.trusted:
        lines = [f"Trusted: {', '.join(verdict.term_names)}."]
        ranges = [f"{name} {value:g} ({lowest:g} to {highest:g})" for name, (value, lowest, highest) in verdict.parameters.items()]
        lines += [f"Parameters: {', '.join(ranges)}."] if ranges else []
        lines += [f"Warning: {w}" for w in verdict.warnings]
    else:
        lines = [f"Refused by the {verdict.stage} check."]
        text = source.splitlines()
        for line, column, reason in verdict.faults or ((verdict.line, verdict.column, verdict.reason),):
            if line is not None and 1 <= line <= len(text):
                shown, offset = _quoted(text[line - 1], column)
                lines += ["", f"{line:>5} | {shown}", f"      | {' ' * offset}^"]
            lines += ["", reason]
        if len(verdict.faults) > 1:
            lines += ["", f"{len(verdict.faults)} places" + (" and more." if verdict.reason.endswith(" more.") else ".")]
    missing = [f"{name} ({state})" for name, state in verdict.layers.items() if state != "active"]
    if verdict.layers:
        active = len(verdict.layers) - len(missing)
        lines.append(f"Jail: {active} of {len(verdict.layers)} layers active" + (f"; {', '.join(missing)}." if missing else "."))
    return "\n".join(lines)


def _quoted(line: str, column: int | None) -> tuple[str, int]:
    """Return a line fit for a terminal (printable ASCII, at most 110 columns) and the pointer's place on it."""
    clean = "".join(c if " " <= c <= "~" else "?" for c in line.replace("\t", " "))
    at = len(clean) - len(clean.lstrip()) if column is None else min(column, len(clean))
    if at > 90:
        clean, at = "..." + clean[at - 60 :], 63
    return clean[:110], at
