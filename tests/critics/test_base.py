"""settle asks in both orders, so that a critic who favours a position decides nothing."""

from __future__ import annotations

import pytest

from movlr_jax.critics.base import Critic, Evidence, settle
from movlr_jax.critics.critique import Critique, Preference
from movlr_jax.critics.offline import OfflineCritic
from movlr_jax.facts import Facts


class PositionBiased:
    """Says what it is told, by position; counts how often it is asked."""

    name = "biased"

    def __init__(self, always):
        self.always, self.asked = always, []

    def critique(self, clip, facts):
        return Critique(success=True, summary="")

    def compare(self, a, b):
        self.asked.append((a.name, b.name))
        return Preference(winner=self.always, reason="first impression")


class Honest(PositionBiased):
    """Prefers the faster one."""

    def compare(self, a, b):
        self.asked.append((a.name, b.name))
        return Preference(winner="a" if a.facts.seconds > b.facts.seconds else "b", reason="faster")


A, B = Evidence(Facts(seconds=1.0), name="slow"), Evidence(Facts(seconds=2.0), name="fast")


@pytest.mark.parametrize("always", ["a", "b"])
def test_a_position_bias_becomes_a_tie(always):
    critic = PositionBiased(always)
    assert settle(critic, A, B).winner == "tie"
    assert critic.asked == [("slow", "fast"), ("fast", "slow")]


def test_a_consistent_preference_stands_in_either_order():
    assert settle(Honest("a"), A, B).winner == "b"
    assert settle(Honest("a"), B, A).winner == "a"


def test_half_a_preference_is_a_tie():
    class Wavering(PositionBiased):
        def compare(self, a, b):
            return Preference(winner="a" if a.name == "slow" else "tie", reason="hm")

    assert settle(Wavering("a"), A, B).winner == "tie"


def test_the_offline_critic_is_a_critic():
    assert isinstance(OfflineCritic(), Critic)
