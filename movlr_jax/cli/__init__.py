"""The command line: `movlr VERB`, one file a verb with `main(argv) -> exit code`; main.py finds it and tells errors."""
