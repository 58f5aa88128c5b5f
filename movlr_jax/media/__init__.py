"""What people and critics look at: clips and stills of a rollout (`clip`), heat maps of a run (`heatmaps`), its report (`report`).

`clip` and `studio` need OpenGL when they draw, not when they are imported; `heatmaps` and `report` read records only. Nothing is
re-exported: whoever films does not pay for matplotlib's figures.
"""
