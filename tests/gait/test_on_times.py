"""When muscles work: of a walk whose muscles work as told, and how muscles are found by their names."""

import dataclasses

import numpy as np
import pytest
from support.striding import striding

from movlr_jax.gait import norms, on_times
from movlr_jax.gait.muscle_groups import NAMES, muscle_groups
from movlr_jax.gait.strides import strides
from movlr_jax.gait.trajectory import Trajectory


def test_every_group_is_found_on_both_sides(layout):
    groups = muscle_groups(layout)
    assert groups["left"].keys() == groups["right"].keys() == NAMES.keys()
    assert [layout.muscles[i] for i in groups["left"]["gastrocnemius"]] == ["gaslat_l", "gasmed_l"]
    assert [layout.muscles[i] for i in groups["right"]["iliopsoas"]] == ["iliacus_r", "psoas_r"]


@pytest.mark.parametrize(("name", "side", "group"), [("l_vas_int", "left", "vasti"), ("Ps_L1_VB_r", "right", "iliopsoas")])
def test_other_spellings(layout, name, side, group):
    other = dataclasses.replace(layout, muscles=(name, "psyche_l", "soleus"))
    assert muscle_groups(other) == {side: {group: (0,)}, {"left": "right", "right": "left"}[side]: {}}


@pytest.mark.filterwarnings("error")
def test_muscles_that_work_as_peoples_do_agree_and_those_that_always_work_do_not(layout, myolegs):
    groups = muscle_groups(layout)

    def act(side, phase):
        wanted = {g: np.interp(phase, np.linspace(0, 1, 101), norms.on(norms.ON_TIMES[g])) for g in groups[side]}
        wanted["soleus"] = np.full_like(phase, 0.4)
        wanted["vasti"] = np.full_like(phase, 0.01)
        return {i: wanted[g] for g, members in groups[side].items() for i in members}

    trajectory = Trajectory(striding(layout, {}, act), layout)
    steady = [s for s in strides(trajectory) if s.steady]
    timing = on_times.measure(trajectory, steady, myolegs.muscles.peak_force)
    found = {(t.side, t.group): t for t in timing.groups}
    assert found["left", "tibialis anterior"].agreement > 0.93
    assert found["right", "iliopsoas"].agreement > 0.93
    assert found["left", "soleus"].agreement == pytest.approx(0.45, abs=0.01)  # people's is on from 7 to 51 %
    assert found["left", "vasti"].on.max() == 0.0
    assert timing.figures()["muscle_timing_agreement"] == pytest.approx(np.mean([t.agreement for t in found.values()]))
    weak = myolegs.muscles.peak_force.copy()
    weak[list(groups["right"]["iliopsoas"])] = 0.0
    left = on_times.measure(trajectory, steady, weak).groups
    assert {(t.side, t.group) for t in left} == found.keys() - {("right", "iliopsoas")}  # what has no force works never


def test_intervals():
    on = np.zeros(101)
    on[0:14] = on[56:101] = 1.0
    assert on_times.intervals(on) == [(0, 13), (56, 100)] and on_times.intervals(np.zeros(101)) == []
