"""Draws docs/walk.png, the README's picture, from a saved episode.

movlr rollout walk_flat --reward straight --seconds 4 --out runs/picture
python tools/draw_walk.py runs/picture/rollout.npz docs/walk.png
"""

from __future__ import annotations

import argparse
from pathlib import Path

from movlr_jax import morphologies
from movlr_jax.control.episode import Rollout
from movlr_jax.media import clip, video_file


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rollout", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--morphology", default=morphologies.DEFAULT)
    parser.add_argument("--frames", type=int, default=4)
    args = parser.parse_args()
    body = morphologies.load(args.morphology)
    rollout = Rollout.load(args.rollout)
    strip = clip.filmstrip(
        body.model, rollout.time, rollout.qpos, rollout.act, count=args.frames, view=clip.ClipView(width=280, height=360, zoom=1.3)
    )
    video_file.write_png(args.picture, strip)


if __name__ == "__main__":
    main()
