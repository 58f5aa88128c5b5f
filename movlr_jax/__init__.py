"""movlr_jax: learn rewards for musculoskeletal bodies from language and vision.

A sentence goes in; the body's motion is planned, filmed and criticised, the reward is rewritten and proven safe, and the best
is kept. See README.md for a tour and `movlr --help` for the commands.
"""

from movlr_jax._mujoco_import import tolerate_missing_opengl
from movlr_jax._versions import check_versions

__version__ = "0.1.0"

check_versions()
tolerate_missing_opengl()
