"""What a model thought aloud, taken off its answer: one place for critics and writers.

Servers set thoughts apart where they know the model; where they do not, an answer begins with them, in tags or channels of the model's own,
at times without the opening tag (the server's template wrote it). In: an answer's text. Out: the answer alone; or, where a model or its
server took a whole answer for thoughts, those.
"""

from __future__ import annotations

import re

# Qwen, DeepSeek and most others; Anthropic-like; Mistral; Kimi; Seed.
_NAMES = r"(?:seed:)?(?:think|thinking|thought|thoughts|reasoning|reflection)"
_OPEN = re.compile(rf"(?:<\|?{_NAMES}\|?>|\[{_NAMES}\]|◁{_NAMES}▷)", re.IGNORECASE)
_CLOSE = re.compile(rf"(?:<\|?/{_NAMES}\|?>|<\|end_of_{_NAMES}\|>|\[/{_NAMES}\]|◁/{_NAMES}▷)", re.IGNORECASE)
# gpt-oss's channels, where no server has parsed them: <|channel|>analysis<|message|>... <|channel|>final<|message|>...<|return|>
_FINAL = re.compile(r"<\|channel\|>\s*final\s*(?:<\|constrain\|>[^<]*)?<\|message\|>", re.IGNORECASE)
_CHANNEL = re.compile(r"<\|(?:channel|message|start)\|>", re.IGNORECASE)
_CHANNELS = re.compile(r"<\|start\|>\s*assistant|<\|channel\|>\s*\w+|<\|(?:message|return|end|call|im_end|eot_id)\|>", re.IGNORECASE)
_END = re.compile(r"<\|(?:return|end|call|im_end|eot_id)\|>\Z", re.IGNORECASE)


def alone(text: str) -> str:
    """Return what was thought aloud, bare, of an answer that holds nothing else; "" where it holds an answer, or nothing at all."""
    if not text.strip() or without_thoughts(text).strip():
        return ""
    return _CHANNELS.sub("", _CLOSE.sub("", _OPEN.sub("", text))).strip()


def without_thoughts(text: str) -> str:
    """Return an answer without what was thought aloud before it; "" where it holds nothing but thoughts."""
    finals = list(_FINAL.finditer(text))
    if finals:
        text = text[finals[-1].end() :]
    elif _CHANNEL.search(text):
        return ""  # it was cut off before its final channel
    closings = list(_CLOSE.finditer(text))
    if closings:
        text = text[closings[-1].end() :]
    elif _OPEN.match(text.lstrip()):
        return ""  # it was cut off while it thought
    bare = text.rstrip()
    mark = _END.search(bare, max(len(bare) - 20, 0))
    return bare[: mark.start()] if mark else text
