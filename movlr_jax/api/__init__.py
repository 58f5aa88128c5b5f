"""The front door: what a researcher calls from Python; every verb of `movlr` is a function here.

In: names or objects (a task, a body, a reward, a planner) and keyword settings, which have the names and defaults of the command line. Out:
results that print as tables, give their arrays and DataFrames, and film what happened. `import movlr_jax as movlr` names all of it, and
loads each thing when it is first used.
"""
