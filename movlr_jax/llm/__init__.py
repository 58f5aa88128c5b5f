"""The services that watch and write (Gemini, any OpenAI-compatible server), behind one contract: `base.Model`."""
