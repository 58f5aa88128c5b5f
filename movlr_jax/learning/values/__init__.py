"""Terminal values learnt from recorded episodes, fallen ones above all: `learn` makes a network that planners take."""

from movlr_jax.learning.values.config import ValueConfig
from movlr_jax.learning.values.episodes import Episodes, read
from movlr_jax.learning.values.train import Learnt, learn

__all__ = ["Episodes", "Learnt", "ValueConfig", "learn", "read"]
