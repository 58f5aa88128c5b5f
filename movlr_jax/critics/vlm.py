"""The critic that watches: a vision-language model is shown films, told what was measured, and answers in the schema of a Critique.

In: films and facts: of one motion the worst and the best of its episodes, of two motions episodes of the same seeds. Out: Critique and
Preference, cleaned and put in order. The words of the questions are in `movlr_jax/prompts`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from movlr_jax.critics import facts_text, success
from movlr_jax.critics.allowance import allowance
from movlr_jax.critics.attachments import Show, measured, of_seeds, pictures, slow_enough, worst_and_best
from movlr_jax.critics.base import Background, Evidence, shared_seeds
from movlr_jax.critics.critique import STAGES, Critique, Preference
from movlr_jax.critics.offline import gates_of
from movlr_jax.facts import Facts
from movlr_jax.llm.base import Model, ModelRequest
from movlr_jax.llm.structured import ask_for
from movlr_jax.plain_words import plain_record
from movlr_jax.prompts import prompt as prompts
from movlr_jax.prompts.prompt import Prompt, fenced
from movlr_jax.tasks import gates

MAX_FAULTS = 12


class VlmCritic:
    """Judges motions with a vision-language model.

    Args:
        model: whom to ask.
        show: what it is shown; `auto` is the clip.
    """

    def __init__(self, model: Model, show: Show | None = None):
        show = show or Show()
        self.model, self.show = model, replace(show, clip="video") if show.clip == "auto" else show
        self.name = model.name

    def critique(self, clip: Path | None, facts: Facts) -> Critique:
        """Have the model judge one motion; as `watch`."""
        return self.watch(Evidence(facts, clip))

    def watch(self, motion: Evidence) -> Critique:
        """Have the model judge one motion by the worst and the best of its episodes, with what is known of its reward.

        Raises:
            ModelFault: it gives no usable answer.
            MovlrError: there is no clip to show.
        """
        prompt, facts, background = prompts.load("critique"), motion.facts, motion.background
        allowed = allowance(facts, background.start)
        request = prompt.fill(
            "request",
            goal=facts.goal,
            success=success.words(facts),
            reward=_reward(prompt, facts, background),
            facts=measured(prompt, self.show, facts),
            clip=pictures(prompt, self.show, worst_and_best(motion)),
            faults=facts_text.faults(),
            count=str(allowed.suggestions),
            size=prompt.words(allowed.stage),
        )
        answer, _ = ask_for(self.model, ModelRequest("critique", prompt.label, prompt.words("system"), request, schema=Critique), Critique)
        judged = Critique.model_validate(plain_record(answer.model_dump(mode="json")))
        # The order says what matters first, and the writer's small edits rest on few suggestions; neither is left to the model.
        ordered = sorted(judged.faults, key=lambda fault: STAGES.index(fault.stage))[:MAX_FAULTS]
        return judged.model_copy(update={"faults": tuple(ordered), "suggestions": judged.suggestions[: allowed.suggestions]})

    def compare(self, a: Evidence, b: Evidence) -> Preference:
        """Have the model compare two motions by episodes of the same seeds, shown in this order; no picture where the gates decide.

        Raises:
            ModelFault: it gives no usable answer.
            MovlrError: a clip is missing.
        """
        prompt, show = prompts.load("compare"), self.show
        if show.facts and gates.decides(gates_of(a.facts), gates_of(b.facts)):
            show = replace(show, clip="nothing")
        seeds = shared_seeds(a, b, filmed=show.clip != "nothing")
        shots = [of_seeds(motion, seeds) for motion in (a, b)]
        fps = slow_enough(show, [*shots[0], *shots[1]])
        first, second = (
            prompt.fill(
                "one",
                facts=measured(prompt, show, motion.facts, seeds=seeds),
                clip=pictures(prompt, show, films, share=2, fps=fps),
            )
            for motion, films in zip((a, b), shots, strict=True)
        )
        request = prompt.fill("request", goal=a.facts.goal, first=first, second=second)
        answer, _ = ask_for(
            self.model, ModelRequest("compare", prompt.label, prompt.words("system"), request, schema=Preference), Preference
        )
        return Preference.model_validate(plain_record(answer.model_dump(mode="json")))


def _reward(prompt: Prompt, facts: Facts, background: Background) -> str:
    """Return the reward as its critic is told it: the program where it is known, with how it came to be, else the weights of its terms."""
    program = prompt.words("program", program=fenced(background.program, "python")) if background.program else ""
    parts = [program or prompt.words("weights", terms=facts_text.weights(facts.weights))]
    if background.edit or background.why:
        parts.append(prompt.words("edit", edit=background.edit or "not said", why=background.why or "not said"))
    if background.earlier is not None:
        parts.append(prompt.words("earlier", earlier=facts_text.critique(background.earlier)))
    return "\n\n".join(parts)
