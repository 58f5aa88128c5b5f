"""DynSyn's grouping: planted groups are found, in numbers and on a body, and kept in the cache."""

from __future__ import annotations

import numpy as np
import pytest
from support import arm

from movlr_jax.errors import MovlrError
from movlr_jax.learning.rl import dynsyn
from movlr_jax.learning.rl.actions import Actions


def test_planted_groups_are_found(rng):
    planted = np.array([0, 1, 0, 2, 1, 2, 0, 1])
    signals = np.cumsum(rng.normal(size=(1000, 3)), axis=0)
    lengths = 0.2 + 0.01 * signals[:, planted] * rng.uniform(0.5, 2.0, 8) + 1e-3 * rng.normal(size=(1000, 8))
    distance = 1.0 - dynsyn.similarity(lengths)
    assert np.array_equal(dynsyn.numbered(dynsyn.medoids(distance, 3)), planted)
    assert len(set(dynsyn.medoids(distance, 8))) == 8


def test_similarity_is_the_mean_cosine_of_the_scaled_windows():
    lengths = np.array([[0.0, 1.0], [1.0, 0.0], [0.5, 0.5], [0.25, 1.0]])
    first, second = 0.0, (0.5 * 0.5 + 0.25 * 1.0) / (np.hypot(0.5, 0.25) * np.hypot(0.5, 1.0))
    found = dynsyn.similarity(lengths, window=2)
    assert found == pytest.approx(np.array([[1.0, (first + second) / 2], [(first + second) / 2, 1.0]]))


def test_synergists_of_a_body_make_a_group(monkeypatch, tmp_path):
    monkeypatch.setenv("MOVLR_CACHE", str(tmp_path))
    monkeypatch.setattr(dynsyn, "FRAMES", 2000)
    body = arm.load()
    # biceps and brachialis, triceps and anconeus, and the two of the wrist by themselves
    assert dynsyn.grouping(body, 4).tolist() == [0, 0, 1, 1, 2, 3]
    monkeypatch.setattr(dynsyn, "random_lengths", None)  # what is cached is not found again
    assert dynsyn.grouping(body, 4).tolist() == [0, 0, 1, 1, 2, 3]
    with pytest.raises(MovlrError, match="6 muscles, which cannot make 7 groups"):
        dynsyn.grouping(body, 7)


def test_published_counts():
    assert [dynsyn.group_count(n) for n in (2, 39, 80, 100, 120, 700)] == [1, 25, 40, 40, 40, 100]


def test_a_group_is_excited_together():
    actions = Actions([0, 0, 1, 1, 2])
    excited = np.asarray(actions.excitation(np.array([[0.5, -1.0, 1.0]])))
    assert actions.size == 3 and excited[0] == pytest.approx([0.5, 0.5, 0.000553, 0.000553, 0.924142], abs=1e-5)
    assert np.asarray(actions.excitation(np.tanh(actions.raw(excited)))) == pytest.approx(excited, abs=4e-3)
    mixed = actions.raw(np.array([0.2, 0.8, 0.5, 0.5, 0.0]))
    assert np.tanh(mixed) == pytest.approx([0.5, 0.5, -0.99], abs=1e-5)
