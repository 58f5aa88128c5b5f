"""Tuning: ablation, pruning and weight optimisation of one reward."""
