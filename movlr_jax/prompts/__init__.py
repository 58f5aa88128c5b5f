"""Prompts: what models are told, as readable files. Each file is one prompt in blocks; `prompt.py` reads and fills them."""
