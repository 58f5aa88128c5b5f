"""Planners: the interface, one file an algorithm with its settings, and the registry that other packages add theirs to."""

from movlr_jax.control.planners.base import PLANNERS, Planner, PlanReport, PlanState
from movlr_jax.control.planners.cem import CEM
from movlr_jax.control.planners.cma import CMA
from movlr_jax.control.planners.elites import ElitePlanner
from movlr_jax.control.planners.icem import ICEM
from movlr_jax.control.planners.lp_mppi import LPMPPI
from movlr_jax.control.planners.mppi import MPPI
from movlr_jax.control.planners.receding_horizon import RecedingHorizon

__all__ = ["CEM", "CMA", "ICEM", "LPMPPI", "MPPI", "PLANNERS", "ElitePlanner", "PlanReport", "PlanState", "Planner", "RecedingHorizon"]
