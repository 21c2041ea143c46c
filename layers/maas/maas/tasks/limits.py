"""Limits of one call, and the errors beyond them."""

from collections.abc import Sequence
from dataclasses import dataclass

from maas.errors import InvalidRequest, TooLarge


@dataclass(frozen=True, slots=True)
class TaskLimits:
    """Of one call. 0 is unlimited, as for jobs, which cut their input themselves."""

    texts: int = 0
    text_bytes: int = 0
    tokens: int = 0
    image_pixels: int = 0

    def check_texts(self, texts: Sequence[str], each: int = 1) -> None:
        """Raises TooLarge. `each` is how often the graph reads each text."""
        if self.texts and len(texts) * each > self.texts:
            raise _too_large("texts", len(texts) * each, self.texts)
        if self.text_bytes:
            size_bytes = sum(len(text) if text.isascii() else len(text.encode(errors="replace")) for text in texts)
            if size_bytes > self.text_bytes:
                raise _too_large("bytes of text", size_bytes, self.text_bytes)

    def check_tokens(self, tokens: int) -> None:
        """Raises TooLarge."""
        if self.tokens and tokens > self.tokens:
            raise _too_large("tokens", tokens, self.tokens)


def _too_large(what: str, came: int, most: int) -> TooLarge:
    advice = "send several requests, or a job (Prefer: respond-async), which has no such limit"
    return TooLarge(f"text: got {came:,} {what} in one request, expected at most {most:,}: {advice}", field="text")


class TextTooLong(InvalidRequest):
    """A text with more tokens than the model takes."""

    def __init__(self, index: int, tokens: int, most: int, *, what: str = "text", advice: str = "") -> None:
        advice = advice or "shorten it, or send truncate: true"
        super().__init__(
            f"{what} {index}: got {tokens:,} tokens, expected at most {most:,} for this model: {advice}", field=what
        )
        self.index, self.tokens, self.most = index, tokens, most
