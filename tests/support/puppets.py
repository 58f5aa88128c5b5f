"""A small body with two muscles, and recordings of it: what is drawn can be told apart pixel by pixel."""

from __future__ import annotations

import mujoco
import numpy as np

PUPPET = """
<mujoco>
  <worldbody>
    <geom name="floor" type="plane" size="0 0 1" rgba="0 1 0 1"/>
    <body name="table" pos="0 3 0.2"><geom type="box" size="0.3 0.3 0.2" mass="500"/></body>
    <body name="pelvis" pos="0 0 1">
      <freejoint/>
      <geom type="sphere" size="0.15" mass="5"/>
      <site name="top_l" pos="0.1 -0.5 0.4"/><site name="low_l" pos="0.1 -0.5 -0.5"/>
      <site name="top_r" pos="-0.1 -0.5 0.4"/><site name="low_r" pos="-0.1 -0.5 -0.5"/>
      <body name="leg_l" pos="0 0.1 -0.5"><joint type="hinge" axis="0 1 0"/><geom type="box" size="0.06 0.05 0.45" mass="1"/></body>
      <body name="leg_r" pos="0 -0.1 -0.5"><joint type="hinge" axis="0 1 0"/><geom type="box" size="0.06 0.05 0.45" mass="1"/></body>
    </body>
  </worldbody>
  <tendon>
    <spatial name="t_l"><site site="top_l"/><site site="low_l"/></spatial>
    <spatial name="t_r"><site site="top_r"/><site site="low_r"/></spatial>
  </tendon>
  <actuator>
    <muscle name="m_r" tendon="t_r" lengthrange="0.1 1.5"/>
    <muscle name="m_l" tendon="t_l" lengthrange="0.1 1.5"/>
  </actuator>
</mujoco>
"""


def puppet() -> mujoco.MjModel:
    """Return the compiled puppet."""
    return mujoco.MjModel.from_xml_string(PUPPET)


def walk(model: mujoco.MjModel, seconds: float = 1.0, speed: float = 0.8) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return time, qpos and act of a slide along +x, recorded every 20 ms."""
    time = np.arange(round(seconds / 0.02) + 1) * 0.02
    qpos = np.repeat(model.qpos0[None], len(time), axis=0)
    qpos[:, 0] += speed * time
    return time, qpos, np.zeros((len(time), model.na))


def reddish(image: np.ndarray) -> np.ndarray:
    """Return bool[h, w]: pixels of a working muscle."""
    r, g, b = (image[..., i].astype(int) for i in range(3))
    return (r > 120) & (r > 2.2 * g) & (r > 2.2 * b)


def bluish(image: np.ndarray) -> np.ndarray:
    """Return bool[h, w]: pixels of the start line."""
    r, g, b = (image[..., i].astype(int) for i in range(3))
    return (b > 150) & (b > 1.8 * r) & (b > 1.3 * g)
