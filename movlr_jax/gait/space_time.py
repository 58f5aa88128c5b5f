"""Space and time of strides: lengths, width, cadence, stance and double support.

Lengths are between places of touchdown (of the heel, where the body has one) along the way that the pelvis went over the stride, widths
across it, so that they hold on a bend too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Float

from movlr_jax.gait.spread import Sided
from movlr_jax.gait.strides import Contact, Stride
from movlr_jax.gait.trajectory import Trajectory
from movlr_jax.rewards.layout import SIDES

_WAY = 0.05  # a pelvis that goes less far over a stride shows no way (m): the task's forward is it then


@dataclass(frozen=True)
class SpaceTime:
    """Figures of steady strides. A step is that of the foot that lands.

    Attributes:
        stride_time_s: from a touchdown to the same foot's next (s).
        step_time_s: from the other foot's touchdown to this one's (s).
        stride_length_m: from a touchdown to the same foot's next (m).
        step_length_m: from the other foot's touchdown to this one's (m).
        step_width_m: the same across the way (m); negative where the feet cross.
        stride_speed_mps: stride length over stride time (m/s).
        stance_share: share of the stride from touchdown to toe-off.
        double_support_share: share of the stride with both feet on the ground.
    """

    stride_time_s: Sided
    step_time_s: Sided
    stride_length_m: Sided
    step_length_m: Sided
    step_width_m: Sided
    stride_speed_mps: Sided
    stance_share: Sided
    double_support_share: Sided

    @property
    def cadence_spm(self) -> float | None:
        """Steps a minute, two a stride."""
        return None if self.stride_time_s.mean is None else 120.0 / self.stride_time_s.mean

    def figures(self) -> dict[str, float | None]:
        """Return metric -> number: the mean of each, the spread over strides ("_sd") of those whose spread tells of instability, and
        symmetries of the sides."""
        out: dict[str, float | None] = {field.name: getattr(self, field.name).mean for field in fields(self)}
        return out | {
            "cadence_spm": self.cadence_spm,
            "stride_time_s_sd": self.stride_time_s.sd,
            "step_length_m_sd": self.step_length_m.sd,
            "step_width_m_sd": self.step_width_m.sd,
            "step_symmetry": self.step_length_m.symmetry,
            "step_time_symmetry": self.step_time_s.symmetry,
            "stance_symmetry": self.stance_share.symmetry,
        }


def ways(trajectory: Trajectory, stride: Stride) -> tuple[Float[np.ndarray, " 2"], Float[np.ndarray, " 2"]]:
    """Return unit vectors along the way of a stride and to its left, in the task's frame."""
    pelvis = trajectory.position("pelvis")[:, :2]
    way = pelvis[min(stride.next_touchdown_row, len(pelvis) - 1)] - pelvis[stride.touchdown_row]
    size = float(np.linalg.norm(way))
    ahead = way / size if size > _WAY else np.array([1.0, 0.0])
    return ahead, np.array([-ahead[1], ahead[0]])


def touchdown_place(trajectory: Trajectory, side: str) -> Float[np.ndarray, "time 3"]:
    """Return the part of a foot whose place at touchdown tells lengths: the heel, else the foot (m)."""
    return trajectory.position(f"{side}.heel" if trajectory.has(f"{side}.heel") else f"{side}.foot")


def measure(trajectory: Trajectory, steady: Sequence[Stride], stances: Mapping[str, Sequence[Contact]]) -> SpaceTime | None:
    """Return the figures of steady strides; None without any.

    Args:
        trajectory: the episode.
        steady: its steady strides.
        stances: the contacts of each side.
    """
    if not steady:
        return None
    places = {side: touchdown_place(trajectory, side)[:, :2] for side in SIDES}
    last = len(trajectory.time) - 1

    def step(stride: Stride) -> Float[np.ndarray, " 2"] | None:
        """Return the step with which the stride ends, along its way and away from the other foot."""
        if stride.other_touchdown_s is None:
            return None
        side, other = stride.side, SIDES[1 - SIDES.index(stride.side)]
        row = min(int(np.searchsorted(trajectory.time, stride.other_touchdown_s - 1e-6)), last)
        vector = places[side][min(stride.next_touchdown_row, last)] - places[other][row]
        ahead, left = ways(trajectory, stride)
        return np.array([vector @ ahead, (vector @ left) * (1.0 if side == "left" else -1.0)])

    def length(stride: Stride) -> float:
        place = places[stride.side]
        return float((place[min(stride.next_touchdown_row, last)] - place[stride.touchdown_row]) @ ways(trajectory, stride)[0])

    def double(stride: Stride) -> float:
        together = sum(
            max(0.0, min(a.to_s, b.to_s, stride.next_touchdown_s) - max(a.from_s, b.from_s, stride.touchdown_s))
            for a in stances["left"]
            for b in stances["right"]
        )
        return together / stride.seconds

    steps = {stride: step(stride) for stride in steady}

    def sided(of: Callable[[Stride], float | None]) -> Sided:
        return Sided.of(*([of(s) for s in steady if s.side == side] for side in SIDES))

    def part(stride: Stride, axis: int) -> float | None:
        vector = steps[stride]
        return None if vector is None else float(vector[axis])

    return SpaceTime(
        stride_time_s=sided(lambda s: s.seconds),
        step_time_s=sided(lambda s: None if s.other_touchdown_s is None else s.next_touchdown_s - s.other_touchdown_s),
        stride_length_m=sided(length),
        step_length_m=sided(lambda s: part(s, 0)),
        step_width_m=sided(lambda s: part(s, 1)),
        stride_speed_mps=sided(lambda s: length(s) / s.seconds),
        stance_share=sided(lambda s: (s.toe_off_s - s.touchdown_s) / s.seconds),
        double_support_share=sided(double),
    )
