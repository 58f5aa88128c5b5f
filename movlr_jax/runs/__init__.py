"""A run's folder: its configuration, its records, and what of it needs a user's permission."""
