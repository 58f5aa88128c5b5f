"""The writer that is a language model: it is told all that is known, and answers with a whole program.

In: a WriteRequest. Out: a Draft, or one whose `refusal` says why the answer holds no program. What it is told of the best motion is the
method's choice (`sees`): a critic's words, measurements alone, or the motion itself. The words of the request are in `movlr_jax/prompts`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from movlr_jax.critics import facts_text, success
from movlr_jax.critics.allowance import allowance
from movlr_jax.critics.attachments import Show, measured, pictures, worst_and_best
from movlr_jax.critics.base import Evidence
from movlr_jax.llm.base import Answer, Model, ModelFault, ModelRequest, Part
from movlr_jax.llm.reasoning import alone, without_thoughts
from movlr_jax.llm.structured import THOUGHTS_ALONE, THOUGHTS_CURE
from movlr_jax.prompts import prompt as prompts
from movlr_jax.prompts.prompt import Prompt, fenced
from movlr_jax.rewards.parameters import values_of
from movlr_jax.rewards.program import ProgramError, literal_parameters, literal_weights
from movlr_jax.sandbox.rules import rules
from movlr_jax.writers import attempts_text, edits, elites_text, reply
from movlr_jax.writers.base import Draft, WriteRequest

Sees = Literal["critique", "metrics", "motion"]

# The first candidate is the model's best guess; the others are to differ.
FIRST_TEMPERATURE = 0.0
OTHER_TEMPERATURE = 0.9
_FEET = "m.left.foot"  # the examples read feet
_REFUSED = 20_000  # characters of a refused text that are shown again
_SEEDS = 2**31 - 1  # services take 32-bit seeds


class LlmWriter:
    """Writes rewards with a language model.

    Args:
        model: whom to ask.
        sees: what it is told of the best motion: a critic's words ("critique"), the metrics alone ("metrics"), or the motion itself with
            what was measured ("motion").
        show: how the motion is shown; `auto` is the clip.
    """

    def __init__(self, model: Model, sees: Sees = "critique", show: Show | None = None):
        show = show or Show()
        self.model, self.sees, self.show = model, sees, replace(show, clip="video") if show.clip == "auto" else show
        self.name = model.name

    def write(self, request: WriteRequest) -> Draft:
        """Ask for a program.

        Raises:
            ModelFault: the model cannot be asked.
            MovlrError: there is no clip to show.
        """
        prompt = prompts.load("write")
        ask = ModelRequest(
            "write",
            prompt.label,
            prompt.words("system"),
            self._request(prompt, request),
            temperature=OTHER_TEMPERATURE if request.candidate else FIRST_TEMPERATURE,
            seed=request.seed % _SEEDS,
        )
        try:
            answer = self.model.ask(ask)
        except ModelFault as fault:
            if fault.kind not in ("blocked", "unusable"):
                raise
            return Draft("", "", "", f"There was no answer to use: {fault}")
        try:
            read = _read(answer)
        except reply.Unreadable as unreadable:
            return Draft(_shortened(answer.text or answer.thoughts), "", "", str(unreadable))
        base = request.best if read.base is None else read.base
        if base is None or base == request.best:
            before = request.best_source
        elif base in request.programs:
            before = request.programs[base]
        else:
            return Draft(read.source, read.edit, read.why, _no_base(base, request))
        return Draft(read.source, read.edit or _changed(before, read.source), read.why, builds_on=base)

    def _request(self, prompt: Prompt, request: WriteRequest) -> tuple[Part, ...]:
        told = self.sees != "motion" or self.show.facts
        return prompt.fill(
            "request",
            goal=request.goal,
            success=success.words(request.facts),
            seen=(*self._seen(prompt, request), *(prompt.fill("advice", advice=request.advice) if request.advice else ())),
            source=fenced(request.best_source, "python"),
            terms=facts_text.statistics(request.facts.terms),
            history=attempts_text.history(request),
            failures=attempts_text.failures(request, told),
            elites=elites_text.elites(request, told),
            bases=_bases(request),
            allowance=_allowance(prompt, request),
            vocabulary=request.vocabulary,
            planning=request.planning,
            examples=prompt.words("examples") if _FEET in request.vocabulary else "",
            rules=rules(),
            different=_different(prompt, request),
            refused=_refused(prompt, request),
        )

    def _seen(self, prompt: Prompt, request: WriteRequest) -> tuple[Part, ...]:
        if self.sees == "motion":
            measurements = measured(prompt, self.show, request.facts, "measured", "not measured")
            first = request.clip if request.facts.seed is None else request.clips.get(request.facts.seed)
            shots = worst_and_best(Evidence(request.facts, first, clips=request.clips))
            return prompt.fill("watched", shown=pictures(prompt, self.show, shots), measured=measurements)
        if self.sees == "metrics":
            return prompt.fill("measured", facts=facts_text.facts(request.facts, ("metrics",)))
        if request.critique is None:
            return prompt.fill("nothing seen")
        return prompt.fill("critique", critique=facts_text.critique(request.critique))


def _read(answer: Answer) -> reply.Reply:
    """Return what an answer holds.

    Raises:
        Unreadable: it holds no program, or more than one, or it was cut off.
    """
    if not answer.complete:
        limit = f"The answer was cut off at {answer.max_tokens} tokens (--models.max-tokens)"
        raise reply.Unreadable(f"{limit}: write fewer words and a shorter program.")
    if without_thoughts(answer.text).strip() or not (aloud := alone(answer.text) or answer.thoughts.strip()):
        return reply.read(answer.text)
    try:
        return reply.read(aloud)
    except reply.Unreadable:
        raise reply.Unreadable(f"{THOUGHTS_ALONE} Give the whole program in one block. (For the user: {THOUGHTS_CURE}.)") from None


def _allowance(prompt: Prompt, request: WriteRequest) -> str:
    """Return how much of the program may change, in words."""
    allowed = allowance(request.facts, request.best in (None, 0))
    return prompt.words(allowed.stage, **({} if allowed.terms is None else {"terms": str(allowed.terms)}))


def _no_base(number: int, request: WriteRequest) -> str:
    """Return why an iteration's program cannot be built on, and what can."""
    others = ", ".join(str(n) for n in request.programs if n != request.best)
    cure = f", or one of the iterations {others}" if others else ""
    return f"The line BUILDS ON names iteration {number}, which has no program here: write `BUILDS ON: best`{cure}."


def _bases(request: WriteRequest) -> str:
    """Return what may be built on, in words."""
    best = "best" if request.best is None else f"best, which is iteration {request.best}"
    others = [str(n) for n in request.programs if n != request.best]
    return best + (f"; or an iteration of {', '.join(others)}" if others else "")


def _different(prompt: Prompt, request: WriteRequest) -> tuple[Part, ...]:
    if not request.candidate:
        return prompt.fill("first of several", count=str(request.candidates)) if request.candidates > 1 else prompt.fill("first idea")
    others = [f"Program {k}: {edit}" for k, edit in enumerate(request.sibling_edits, 1)]
    changed = [attempts_text.difference(request.best_source, source) for source in request.siblings]
    return prompt.fill(
        "different idea",
        number=str(request.candidate + 1),
        count=str(request.candidates),
        edits="\n".join(others) or "(none of them is written yet)",
        siblings="\n\n".join(changed) or "(none of them is proven yet)",
    )


def _refused(prompt: Prompt, request: WriteRequest) -> tuple[Part, ...]:
    if request.refusal is None:
        return prompt.fill("no refusal")
    earlier = "".join(f"\nThe answer before that was refused: {reason}" for reason in reversed(request.earlier_refusals))
    return prompt.fill("refused", refusal=request.refusal + earlier, text=fenced(_shortened(request.refused_source or ""), ""))


def _shortened(text: str) -> str:
    """Return what can be saved and shown again of an answer."""
    whole = text.encode(errors="replace").decode()
    return whole if len(whole) <= _REFUSED else f"{whole[:_REFUSED]}\n(and {len(whole) - _REFUSED} characters more)"


def _changed(base: str, source: str) -> str:
    """Return what a program changed of its base's weights and parameters, for one whose writer does not say."""
    try:
        before, after = literal_weights(base), literal_weights(source)
        declared = [values_of(literal_parameters(text)) for text in (base, source)]
    except ProgramError:
        return ""
    parts = [f"add {name} {weight:g}" for name, weight in after.items() if name not in before]
    parts += [f"reweigh {name} to {after[name]:g}" for name, weight in before.items() if name in after and after[name] != weight]
    parts += [f"remove {name}" for name in before if name not in after]
    parts += [f"parameter {name} {what}" for name, what in edits.parameter_changes(*declared).items()]
    return ", ".join(parts) or "change terms, not weights"
