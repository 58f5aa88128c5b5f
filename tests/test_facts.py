"""Facts are typed: every name that is written is declared, a misspelling is an error, and the JSON of earlier versions is read and kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pydantic
import pytest
from support.critic_cases import cases
from support.synthetic import walker

from movlr_jax.facts import Facts, Gait, Measures
from movlr_jax.runs import records
from movlr_jax.tasks import facts as measured
from movlr_jax.tasks.metric_registry import METRICS
from movlr_jax.typed_record import TypedRecord

OLD = Path(__file__).parent / "data" / "run-of-0.1" / "iterations"


def undeclared(part: Any) -> list[str]:
    """Return the names in a record that no field is declared for."""
    if isinstance(part, TypedRecord):
        inner = [name for value in vars(part).values() for name in undeclared(value)]
        return [*(part.model_extra or {}), *inner]
    values = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    return [name for value in values for name in undeclared(value)]


def test_what_is_measured_has_a_field_each(layout):
    figures = {name: 0.5 for name in Gait.model_fields if name in METRICS}
    told = measured.describe(walker(layout, drop_from=1.5), layout, task="walk_flat", goal="Walk.", metrics={"distance_m": 1.0, **figures})
    assert undeclared(told) == [] and told.fall is not None and told.gait.model_fields_set == set(type(told.gait).model_fields)
    assert undeclared(Facts.read({"gait": {"step": 3}})) == ["step"]


def test_a_misspelled_field_is_an_error():
    told = Facts.read({"posture": {"trunk_pitch_rad": {"mean": 0.1}}})
    assert told.posture.trunk_pitch_rad.mean == 0.1
    for part, name in ((told, "postur"), (told.posture, "trunk_pitch"), (told.metrics, "distance"), (told.gait, "step")):
        with pytest.raises(AttributeError):
            getattr(part, name)


def test_the_json_is_what_was_read_in_its_order():
    for name, record in cases().items():
        told = Facts.read(record).to_json()
        assert told == record, name
        for section in ("metrics", "gait", "effort", "smoothness", "terms"):
            assert list(told.get(section, {})) == list(record.get(section, {})), name


def test_facts_of_an_earlier_version_are_read():
    for path in OLD.glob("*/facts.json"):
        assert Facts.read(records.read(path)).to_json() == json.loads(path.read_text())
        assert Facts.read(records.read(path)).goal_speed_mps == 0.8


def test_metrics_keep_their_kinds_and_their_order():
    record = {"seed": 0, "fell": False, "fall_time_s": None, "goal_reached": 0.5, "my_own": 2.5, "distance_m": 1}
    told = Measures(record)
    assert list(told.model_dump()) == list(record) and told.model_dump() == record and told.model_dump()["seed"] is not False
    assert told.distance_m == 1.0 and told.fall_time_s is None and told.number("my_own") == 2.5 and told.of_goal == {"goal_reached": 0.5}


@pytest.mark.parametrize("record", [{"seconds": "long"}, {"fall": {"time_s": 1.0}}, {"gait": {"steps": 1.5}}, {"metrics": {"fell": "no"}}])
def test_what_is_no_record_is_refused(record):
    with pytest.raises(pydantic.ValidationError):
        Facts.read(record)
