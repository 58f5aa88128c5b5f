"""How it moves: one Simulator interface, and an engine a file. This module imports nothing, so that the jail can read gait field names."""
