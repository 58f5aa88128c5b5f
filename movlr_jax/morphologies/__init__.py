"""What moves: the catalog of bodies, where each comes from, and their preparation for simulation, planning and reward."""

from movlr_jax.morphologies.body_plan import BodyPlan, LandmarkPlan
from movlr_jax.morphologies.catalog import CATALOG, DEFAULT, load, plan, require_distinct
from movlr_jax.morphologies.custom import called
from movlr_jax.morphologies.morphology import Morphology, Strength
from movlr_jax.morphologies.scene import FLAT, Scene

__all__ = [
    "CATALOG",
    "DEFAULT",
    "FLAT",
    "BodyPlan",
    "LandmarkPlan",
    "Morphology",
    "Scene",
    "Strength",
    "called",
    "load",
    "plan",
    "require_distinct",
]
