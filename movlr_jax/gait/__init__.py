"""The gait laboratory: strides of an executed episode, and what a gait laboratory measures of them.

`analysis.analyse` makes one record of an episode; each of its parts has a file of its own, from strides to figures.
"""
