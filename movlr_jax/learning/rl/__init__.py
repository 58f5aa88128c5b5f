"""Reinforcement learning on the same task and the very same reward: PPO from Brax's parts, on the MJX engines."""
