"""Methods: what sets MoVLR and what it is compared with apart, as one table. All else they share.

Flows in: a RunConfig. Flows out: its Method, and the configuration with what the method decides filled in. A further method is a line in
`METHODS`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from movlr_jax.critics.attachments import Show
from movlr_jax.errors import MovlrError, did_you_mean
from movlr_jax.llm.config import SERVICES
from movlr_jax.runs.config import RunConfig
from movlr_jax.writers.llm import Sees


@dataclass(frozen=True)
class Method:
    """What a method shows, and whom it asks.

    Attributes:
        about: what it is, in one line.
        judges: whether a critic says what is wrong with each motion.
        compares: whether a critic says which of two motions is better; else the score decides where the gates do not.
        sees: what a model that writes is told of the best motion.
        clip: what a model that watches is shown, unless `--show.clip` says otherwise.
        needs_eyes: whether it is nothing without a model that watches.
        one_model: whether the model that watches also writes.
        looks: whether CLIP's score is the score, its comparison the preference, and the tuner the writer.
        learns: whether rewards are written at all; else the run is its start reward, which has the method's name.
    """

    about: str
    judges: bool = True
    compares: bool = True
    sees: Sees = "critique"
    clip: Literal["video", "frames"] = "video"
    needs_eyes: bool = False
    one_model: bool = False
    looks: bool = False
    learns: bool = True

    def show(self, asked: Show) -> Show:
        """Return what is shown: what was asked for, and the method's own where that is `auto`."""
        return replace(asked, clip=self.clip) if asked.clip == "auto" else asked


# arXiv 2512.23077 compares the first three; its ablation joins watching and writing in one model. vlm-rm is arXiv 2310.12921 with the
# planner in place of reinforcement learning: a picture's score cannot be planned on, so it tunes the weights of what can.
METHODS: dict[str, Method] = {
    "movlr": Method("a critic watches the clip, a writer follows its words"),
    "eureka": Method("no critic: the writer sees what was measured, the score decides", judges=False, compares=False, sees="metrics"),
    "harmon": Method("as movlr, with four frames of each episode in place of the clip", clip="frames", needs_eyes=True),
    "vlm-only": Method("one model watches the clip and writes", judges=False, sees="motion", needs_eyes=True, one_model=True),
    "vlm-rm": Method("no words: CLIP scores the motion's pictures, the weights are tuned", judges=False, looks=True),
    "human": Method("no learning: the human-designed reward", judges=False, compares=False, learns=False),
    "start": Method("no learning: the start reward", judges=False, compares=False, learns=False),
}


def of(config: RunConfig) -> Method:
    """Return the method of a run.

    Raises:
        MovlrError: there is no such method.
    """
    if config.method not in METHODS:
        raise MovlrError(f"There is no method '{config.method}': {did_you_mean(config.method, METHODS)}there are {', '.join(METHODS)}.")
    return METHODS[config.method]


def written_by_model(config: RunConfig) -> bool:
    """Return whether a language model writes the rewards."""
    return of(config).one_model or config.writer in SERVICES


def settled(config: RunConfig) -> RunConfig:
    """Return the configuration with what its method decides; of a settled one, the same.

    Raises:
        MovlrError: there is no such method, or what it needs and what was asked for do not go together.
    """
    method, name = of(config), config.method
    services = " or ".join(f"--critic {service}" for service in SERVICES)
    if method.needs_eyes and config.critic not in SERVICES:
        raise MovlrError(f"The method {name} needs a model that watches: add {services}.")
    if method.looks:
        if config.critic not in ("offline", "clip") or config.writer not in ("offline", "tuner"):
            raise MovlrError(f"The method {name} watches with CLIP and tunes weights: leave out --critic and --writer.")
        start = "human" if config.start_reward == "start" else config.start_reward  # one term alone has nothing to be weighed against
        config = replace(config, critic="clip", writer="tuner", start_reward=start)
    if config.critic == "clip" and not config.clip.weights:
        raise MovlrError("CLIP's weights are not named: add --clip.weights with a folder, or a name such as openai/clip-vit-base-patch32.")
    if not (method.judges or method.compares) and config.critic != "offline":
        raise MovlrError(f"The method {name} has no critic: leave out --critic {config.critic}.")
    if method.one_model and config.writer not in ("offline", config.critic):
        raise MovlrError(f"In the method {name} the model that watches also writes: leave out --writer {config.writer}.")
    if not method.learns:
        if config.start_reward not in ("start", name):
            raise MovlrError(f"The method {name} is its own reward: leave out --start-reward {config.start_reward}.")
        if config.writer != "offline":
            raise MovlrError(f"The method {name} writes nothing: leave out --writer {config.writer}.")
        if config.tune.trials:
            raise MovlrError(f"The method {name} writes nothing whose weights could be tuned: leave out --tune.trials.")
        config = replace(config, start_reward=name, iterations=0)
    return config
