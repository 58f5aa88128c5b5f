"""Sweeps: one question asked of many configurations at once. A trial is a normal run in a folder of its own; what distributes them (Ray,
Slurm, W&B) is someone else's, and knows a trial only as a command.
"""
