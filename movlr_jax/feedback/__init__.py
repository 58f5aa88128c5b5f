"""Feedback: asks critics and writers for tuning and search alike."""
