"""Metrics of the gait laboratory (`movlr_jax.gait`), over the steady strides of an episode; all are details of a record.

Which way is better is meant for a body that does not yet walk as people do: slower steps for one that chatters, for example. How far a
figure is from a norm is told by `movlr gait`.
"""

from __future__ import annotations

from movlr_jax.tasks.metric import Metric


def _more(name: str, heading: str, format: str = ".2f", best: float | None = None) -> Metric:
    return Metric(name, heading, format, best=best, shown=False, detail=True)


def _less(name: str, heading: str, format: str = ".2f", best: float | None = None) -> Metric:
    return Metric(name, heading, format, better="lower", best=best, shown=False, detail=True)


GAIT_METRICS: tuple[Metric, ...] = (
    # Space and time.
    _more("stride_time_s", "stride time"),
    _more("step_time_s", "step time"),
    _more("stride_length_m", "stride length"),
    _more("step_length_m", "step length"),
    _less("step_width_m", "step width"),
    _more("stride_speed_mps", "speed of strides"),
    _less("cadence_spm", "cadence", ".0f"),
    _more("stance_share", "stance"),
    _less("double_support_share", "double support"),
    _less("stride_time_s_sd", "stride time, spread", ".3f"),
    _less("step_length_m_sd", "step length, spread", ".3f"),
    _less("step_width_m_sd", "step width, spread", ".3f"),
    _more("step_time_symmetry", "symmetry of step times", best=1.0),
    _more("stance_symmetry", "symmetry of stances", best=1.0),
    # Ground reaction.
    _less("first_peak_bw", "first peak of load"),
    _more("valley_bw", "valley of load"),
    _more("second_peak_bw", "second peak of load"),
    _more("braking_bw", "braking force"),
    _more("propulsion_bw", "propulsive force"),
    _less("peak_load_bw", "peak load of a foot"),
    _more("load_symmetry", "symmetry of peak loads", best=1.0),
    _more("vertical_force_correlation", "vertical force, correlation with the norm", best=1.0),
    _more("forward_force_correlation", "forward force, correlation with the norm", best=1.0),
    # Stability and sway.
    _more("margin_backward_m", "margin of stability backward", ".3f"),
    _more("margin_forward_m", "margin of stability forward", ".3f"),
    _more("margin_lateral_m", "margin of stability to the side", ".3f"),
    _less("margin_lateral_m_sd", "margin of stability to the side, spread", ".3f"),
    _less("trunk_pitch_range_deg", "trunk pitch, range", ".1f"),
    _less("trunk_roll_range_deg", "trunk roll, range", ".1f"),
    _less("trunk_sway_rms_deg", "trunk sway", ".1f"),
    _less("head_rise_m", "head's rise and fall", ".3f"),
    _less("head_lateral_range_m", "head to the side, range", ".3f"),
    _less("head_sway_rms_m", "head sway", ".3f"),
    # Feet.
    _less("touchdowns_per_stride", "touchdowns a stride", best=1.0),
    _more("foot_strike_deg", "foot pitch at touchdown, toes up", ".1f"),
    _more("toe_clearance_m", "toe clearance", ".3f"),
    _less("toe_drag_share", "toe drag", best=0.0),
    # Joints, and how near they are to the norm.
    _more("hip_range_deg", "hip range", ".1f"),
    _more("hip_flexion_deg", "hip flexion", ".1f"),
    _more("hip_extension_deg", "hip extension", ".1f"),
    _more("knee_range_deg", "knee range", ".1f"),
    _more("knee_loading_flexion_deg", "knee flexion under load", ".1f"),
    _more("knee_swing_flexion_deg", "knee flexion in swing", ".1f"),
    _more("ankle_range_deg", "ankle range", ".1f"),
    _more("ankle_dorsiflexion_deg", "ankle dorsiflexion", ".1f"),
    _more("ankle_push_off_deg", "plantarflexion at push-off", ".1f"),
    _more("hip_correlation", "hip, correlation with the norm", best=1.0),
    _more("knee_correlation", "knee, correlation with the norm", best=1.0),
    _more("ankle_correlation", "ankle, correlation with the norm", best=1.0),
    _less("hip_rmse_deg", "hip, off the norm", ".1f"),
    _less("knee_rmse_deg", "knee, off the norm", ".1f"),
    _less("ankle_rmse_deg", "ankle, off the norm", ".1f"),
    _more("within_sd_share", "share of the cycle within the norm's spread", best=1.0),
    _less("rmse_ratio", "off the norm, in people's own spreads"),
    _less("gait_profile_score_deg", "gait profile score", ".1f"),
    # Muscles and energy.
    _more("muscle_timing_agreement", "muscles on when people's are", best=1.0),
    _less("cost_of_transport_j_kg_m", "cost of transport"),
    _less("cost_of_transport_own_vmax_j_kg_m", "cost of transport, the model's own fastest fibres"),
    _less("cost_of_transport_umberger_j_kg_m", "cost of transport after Umberger"),
    _less("muscle_mass_share", "the model's muscles' share of its mass"),
)
