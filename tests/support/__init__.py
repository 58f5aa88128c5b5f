"""What tests share: small bodies, scripted models, loopback servers, programs that tests run and kill."""
