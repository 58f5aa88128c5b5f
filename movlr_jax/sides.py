"""The two sides of a body, in the order in which arrays hold them."""

SIDES: tuple[str, str] = ("left", "right")
