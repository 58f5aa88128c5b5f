"""MPC2: muscle curves, the muscle laws (posture to excitation), the posture planner, and the executed episode."""
