"""`python -m movlr_jax`: the same as `movlr`."""

import sys

from movlr_jax.cli.main import main

sys.exit(main())
