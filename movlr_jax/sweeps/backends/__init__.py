"""What distributes the trials of a sweep: Ray, Slurm, W&B agents."""
