"""Evaluation: rewards x tasks x bodies x seeds, measured into a store of episodes."""
