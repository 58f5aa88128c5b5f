"""CLIP as a measure of how much a picture looks like a sentence (VLM-RM, arXiv 2310.12921)."""
