"""Rewards: the contract, what a reward sees (Motion), shaping functions, the term library and the human-designed rewards."""
