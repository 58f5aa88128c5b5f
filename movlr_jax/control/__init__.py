"""MPC2: muscle curves, laws/ (posture to excitation), planners/ (which posture), and the executed episode."""
