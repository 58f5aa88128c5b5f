"""movlr_jax: learn rewards for musculoskeletal bodies from language and vision.

A sentence goes in; the body's motion is planned, filmed and criticised, the reward is rewritten and proven safe, and the best is kept.
See README.md for a tour, docs/tutorial.ipynb for a walk through the library, and `movlr --help` for the commands.

    import movlr_jax as movlr

    body = movlr.load_body("myolegs")
    runs = movlr.plan(body, "walk_flat", "human", seconds=2, seeds=[0, 1])
    print(runs.metrics)

What is named here is loaded when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from movlr_jax._mujoco_import import tolerate_missing_opengl
from movlr_jax._versions import check_versions

if TYPE_CHECKING:
    from movlr_jax.api.arguments import Best
    from movlr_jax.api.loading import Reward, load_body, load_task
    from movlr_jax.api.moving import check, measure_gait, plan
    from movlr_jax.api.searching import SearchResult, resume, search, sweep, train
    from movlr_jax.api.studies import ablate, evaluate, judge_critics, transfer, tune
    from movlr_jax.control import laws, planners
    from movlr_jax.errors import MovlrError
    from movlr_jax.evaluation.critic_study import CriticStudy
    from movlr_jax.evaluation.gait_study import GaitStudy
    from movlr_jax.evaluation.planning import Run, Runs
    from movlr_jax.evaluation.study import EvaluationStudy
    from movlr_jax.evaluation.transfer_study import TransferStudy
    from movlr_jax.morphologies import Morphology
    from movlr_jax.runs.config import RunConfig
    from movlr_jax.runs.critic_trial_config import CriticTrialConfig
    from movlr_jax.runs.tune_config import TuneConfig
    from movlr_jax.searches.events import Event
    from movlr_jax.searches.replay import replay
    from movlr_jax.searches.reporting import report
    from movlr_jax.tasks import Task
    from movlr_jax.tuning.ablation_study import AblationStudy
    from movlr_jax.tuning.tune_study import Judges, TuneStudy

__version__ = "0.1.0"

# name -> the module that has it.
_PLACES = {
    "Best": "movlr_jax.api.arguments",
    **dict.fromkeys(("Reward", "load_body", "load_task"), "movlr_jax.api.loading"),
    **dict.fromkeys(("check", "measure_gait", "plan"), "movlr_jax.api.moving"),
    **dict.fromkeys(("SearchResult", "resume", "search", "sweep", "train"), "movlr_jax.api.searching"),
    **dict.fromkeys(("ablate", "evaluate", "judge_critics", "transfer", "tune"), "movlr_jax.api.studies"),
    "MovlrError": "movlr_jax.errors",
    "Run": "movlr_jax.evaluation.planning",
    "Runs": "movlr_jax.evaluation.planning",
    "CriticStudy": "movlr_jax.evaluation.critic_study",
    "CriticTrialConfig": "movlr_jax.runs.critic_trial_config",
    "GaitStudy": "movlr_jax.evaluation.gait_study",
    "EvaluationStudy": "movlr_jax.evaluation.study",
    "Morphology": "movlr_jax.morphologies",
    "RunConfig": "movlr_jax.runs.config",
    "TuneConfig": "movlr_jax.runs.tune_config",
    "Event": "movlr_jax.searches.events",
    "Task": "movlr_jax.tasks",
    "replay": "movlr_jax.searches.replay",
    "report": "movlr_jax.searches.reporting",
    "TransferStudy": "movlr_jax.evaluation.transfer_study",
    "AblationStudy": "movlr_jax.tuning.ablation_study",
    "Judges": "movlr_jax.tuning.tune_study",
    "TuneStudy": "movlr_jax.tuning.tune_study",
    "laws": "movlr_jax.control.laws",
    "planners": "movlr_jax.control.planners",
}

_MODULES = ("laws", "planners")

__all__ = [
    "AblationStudy",
    "Best",
    "CriticStudy",
    "CriticTrialConfig",
    "EvaluationStudy",
    "Event",
    "GaitStudy",
    "Judges",
    "Morphology",
    "MovlrError",
    "Reward",
    "Run",
    "RunConfig",
    "Runs",
    "SearchResult",
    "Task",
    "TransferStudy",
    "TuneConfig",
    "TuneStudy",
    "ablate",
    "check",
    "evaluate",
    "judge_critics",
    "laws",
    "load_body",
    "load_task",
    "measure_gait",
    "plan",
    "planners",
    "replay",
    "report",
    "resume",
    "search",
    "sweep",
    "train",
    "transfer",
    "tune",
]

check_versions()
tolerate_missing_opengl()


def __getattr__(name: str) -> Any:
    """Load what is named in `__all__`."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(_PLACES[name])
    value = module if name in _MODULES else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
