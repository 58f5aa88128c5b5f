"""What tests share: small bodies, scripted models, loopback servers, programs that tests run and kill."""

from support import checking as checking  # found by name as pytest's --jaxtyping-packages asks for it
