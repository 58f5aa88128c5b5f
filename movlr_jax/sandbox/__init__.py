"""From untrusted text to a trusted artifact: static check, jail, export, inspection, behaviour checks.

Import from the modules: `prove` (Prover, load, explain, probe) is the way in. This file imports nothing, because the jailed process
loads the package before its locks are on.
"""
