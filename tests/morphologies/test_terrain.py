"""The ground as geoms and the ground as heights are one and the same surface."""

import jax.numpy as jnp
import mujoco
import numpy as np
import pytest

from movlr_jax import morphologies, tasks
from movlr_jax.control import laws
from movlr_jax.errors import MovlrError
from movlr_jax.gait.trajectory import Trajectory
from movlr_jax.morphologies import Scene, root, terrain
from movlr_jax.morphologies.scene import at_strength
from movlr_jax.physics import mjx_model
from movlr_jax.physics.feet import Feet
from movlr_jax.physics.instant import Frame
from movlr_jax.physics.native import NativeSimulator
from movlr_jax.rewards.features import feature_layout
from movlr_jax.rewards.motion import Motion

GROUNDS = (terrain.Flat(), terrain.Slope(), terrain.Stairs(), terrain.Rough())


def scene(ground):
    spec = mujoco.MjSpec()
    spec.worldbody.add_geom(name="floor", type=mujoco.mjtGeom.mjGEOM_PLANE, size=[0, 0, 1])
    ground.add(spec)
    return spec.compile()


@pytest.mark.parametrize("ground", GROUNDS, ids=lambda g: type(g).__name__)
def test_heights_are_where_rays_hit(ground, rng):
    model = scene(ground)
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    places = rng.uniform(-8, 8, (200, 2))
    hit = np.zeros(1, np.int32)
    down = np.array([0.0, 0.0, -1.0])
    rays = [3.0 - mujoco.mj_ray(model, data, np.array([*p, 3.0]), down, None, 1, -1, hit) for p in places]
    heights = ground.height(places)
    assert np.allclose(heights, rays, atol=1e-9)
    assert np.allclose(ground.height(jnp.asarray(places, jnp.float32), jnp), heights, atol=1e-5)
    assert ground == type(ground)() and hash(ground) == hash(type(ground)())
    if not isinstance(ground, terrain.Flat):
        assert heights.max() > 0.05
    if not ground.height_field:
        assert ground.height(np.zeros(2)) == 0.0  # bodies are settled here


def test_relief_is_as_high_as_it_says_and_its_seed_makes_it():
    points = terrain.Rough(relief=0.08).points
    assert points.min() == 0.0 and points.max() == pytest.approx(0.08)
    assert not np.array_equal(points, terrain.Rough(seed=1).points)


def test_a_seed_starts_elsewhere_with_the_feet_on_the_relief():
    task = tasks.get("walk_rough")
    body = task.load()
    layout = feature_layout(body)
    origins = set()
    for seed in (0, 1):
        start = task.start(body, seed)
        origins.add(start.origin)
        data = mujoco.MjData(body.model)
        data.qpos[:], data.act[:] = start.qpos, start.act
        mujoco.mj_forward(body.model, data)
        floor_contacts = [c.dist for c in data.contact]
        assert not floor_contacts or min(floor_contacts) > -0.01
        for _ in range(40):
            mujoco.mj_step(body.model, data)
        touched = {body.model.geom(g).name for c in data.contact for g in c.geom}
        assert "relief" in touched and "floor" not in touched
        assert task.frame(start).origin == start.origin
    assert len(origins) == 2
    assert layout.fingerprint() == feature_layout(morphologies.load()).fingerprint()  # a reward goes from flat to rough as it is


def test_instants_measure_height_from_the_ground_below():
    task = tasks.get("walk_stairs")
    body = task.load()
    layout = feature_layout(body)
    ahead = root.translate(body.model, body.top, body.standing_qpos, np.array([2.2, 0.0, 0.2]))  # on the second step
    simulator = NativeSimulator(body, candidates=2)
    state = simulator.reset(ahead, body.standing_act)
    law = laws.make("auto", body, 0.008)
    _, instant, _ = simulator.advance(state, law, body.posture.read(ahead)[None, None], 2, [Frame()])
    seen = Trajectory(instant, layout)
    assert seen.height("pelvis")[0] == pytest.approx(body.standing_heights["pelvis"], abs=1e-3)
    assert seen.position("pelvis")[0, 2] == pytest.approx(body.standing_heights["pelvis"] + 0.2, abs=1e-3)


def test_a_foot_knows_the_step_before_it():
    body = tasks.get("walk_stairs").load()
    simulator = NativeSimulator(body, candidates=2)
    law = laws.make("auto", body, 0.008)
    layout = feature_layout(body)
    feet, seen = Feet(body), {}
    for before, up in ((1.0, 0.0), (0.1, 0.0), (0.1, 0.2), (0.1, 0.3)):
        at = {0.0: 0.7, 0.2: 2.7, 0.3: 3.7}[up] - 0.14 - before  # toes stand 0.14 m before the origin
        qpos = root.translate(body.model, body.top, body.standing_qpos, np.array([at, 0.0, up]))
        _, instant, _ = simulator.advance(simulator.reset(qpos, body.standing_act), law, body.posture.read(qpos)[None, None], 2, [Frame()])
        motion = Motion(layout, jnp.asarray(np.concatenate([instant[0], instant[0]])))
        seen[before, up] = [float(motion.left.foot.ground_ahead), float(motion.right.foot.ground_ahead)]
        sensors = instant[None, :, slice(*layout.blocks["sensor"])]
        forward = np.array([[1.0, 0.0]], np.float32)
        np.testing.assert_array_equal(feet.ahead(jnp.asarray(sensors), jnp.asarray(forward), jnp), feet.ahead(sensors, forward))
    assert seen[1.0, 0.0] == [0.0, 0.0]
    assert seen[0.1, 0.0] == pytest.approx([0.1, 0.1])
    assert seen[0.1, 0.2] == pytest.approx([0.1, 0.1])  # before the top, 0.3 m
    assert seen[0.1, 0.3] == pytest.approx([0.0, 0.0])  # where it goes down: the highest is where it stands


def test_pure_mjx_refuses_a_height_field_and_says_what_takes_it():
    with pytest.raises(MovlrError, match="--engine native or --engine warp"):
        mjx_model.prepare(tasks.get("walk_rough").load(), "jax", 0.008)


def test_injuries_scale_active_force_alone():
    body, whole = tasks.get("walk_injured").load(), morphologies.load()
    at = [whole.muscles.names.index(name) for name in ("bflh_r", "bfsh_r", "gaslat_r", "gasmed_r", "semimem_r", "semiten_r")]
    others = np.setdiff1d(np.arange(whole.muscles.count), at)
    assert (body.muscles.peak_force[at] == 0).all()
    assert np.array_equal(body.muscles.peak_force[others], whole.muscles.peak_force[others])
    assert np.array_equal(body.model.actuator_biasprm, whole.model.actuator_biasprm)
    forces = []
    for activation in (0.0, 1.0):
        data = mujoco.MjData(body.model)
        data.qpos[:], data.act[:] = body.standing_qpos, activation
        mujoco.mj_forward(body.model, data)
        forces.append(data.actuator_force.copy())
    passive, full = forces
    assert np.array_equal(full[at], passive[at]) and (passive[at] < 0).any() and (full[others] < passive[others]).all()
    half = tasks.get("walk_flat").load("", ["soleus_l=0.5"])
    i = whole.muscles.names.index("soleus_l")
    assert half.muscles.peak_force[i] == pytest.approx(0.5 * whole.muscles.peak_force[i])


def test_a_strength_is_kept_by_what_has_no_fraction_or_by_the_injuries_of_the_task():
    own = (("bf?h_r", 0.0), ("gas*_r", 0.0))
    assert at_strength(own, ["soleus_*=0.5"], 0.25) == ("bf?h_r=0.25", "gas*_r=0.25", "soleus_*=0.5")
    assert at_strength(own, ["tib*_r", "soleus_*=0.5"], 1.0) == ("tib*_r=1", "soleus_*=0.5")


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("soleus", "write PATTERN=FRACTION"),
        ("soleus_l=2", "fraction from 0 to 1"),
        ("soleus_l=half", "write PATTERN=FRACTION"),
        ("soleuz_l=0.5", "did you mean soleus_l"),
    ],
)
def test_a_wrong_injury_is_one_sentence(asked, told):
    with pytest.raises(MovlrError, match=told.replace("?", r"\?")):
        tasks.get("stand").load("", [asked])


def test_a_scene_without_a_floor_is_refused():
    with pytest.raises(MovlrError, match="no plane named floor"):
        terrain.Slope().add(mujoco.MjSpec())
    assert Scene(terrain.Slope()) != Scene()
