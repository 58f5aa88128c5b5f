"""Writers: who rewrites the reward, and the source edits that keep the rest of a text as it was."""
