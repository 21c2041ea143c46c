"""Limits of one call, and the errors beyond them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from maas.errors import InvalidRequest, TooLarge

MAX_TEXT_BYTES = 1 << 20  # of one text: its tokens take up to 300 times as much memory
SLICE_ROWS, SLICE_BYTES = 512, 256 << 10  # of texts that are tokenised together
_ADVICE = "send several requests, or a job (Prefer: respond-async), which has no such limit"


@dataclass(frozen=True, slots=True)
class TaskLimits:
    """Of one call. 0 is unlimited, as for jobs, which cut their input themselves."""

    texts: int = 0
    text_bytes: int = 0
    tokens: int = 0
    image_pixels: int = 0

    def check_texts(self, texts: Sequence[str]) -> None:
        """Raises TooLarge."""
        if self.texts and len(texts) > self.texts:
            raise _too_large("texts", len(texts), self.texts)
        total = 0
        for index, text in enumerate(texts):
            size = size_bytes(text)
            if size > MAX_TEXT_BYTES:
                raise TooLarge(
                    f"text {index}: got {size:,} bytes, expected at most {MAX_TEXT_BYTES:,}: cut it", field="text"
                )
            total += size
        if self.text_bytes and total > self.text_bytes:
            raise _too_large("bytes of text", total, self.text_bytes)

    def check_tokens(self, tokens: int) -> None:
        """Raises TooLarge."""
        if self.tokens and tokens > self.tokens:
            raise _too_large("tokens", tokens, self.tokens)


def slices(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Bounds of runs of texts that fit into memory with their tokens."""
    start = held = 0
    for index, text in enumerate(texts):
        size = size_bytes(text)
        if index > start and (held + size > SLICE_BYTES or index - start == SLICE_ROWS):
            yield start, index
            start, held = index, 0
        held += size
    yield start, len(texts)


def size_bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode(errors="replace"))


def _too_large(what: str, came: int, most: int) -> TooLarge:
    return TooLarge(f"text: got {came:,} {what} in one request, expected at most {most:,}: {_ADVICE}", field="text")


class TextTooLong(InvalidRequest):
    """A text with more tokens than the model takes; `index` is its place in the request."""

    def __init__(self, index: int, tokens: int, most: int, what: str = "text") -> None:
        advice = "shorten it, or send truncate: true" if what == "text" else "shorten it"
        super().__init__(
            f"{what} {index}: got {tokens:,} tokens, expected at most {most:,} for this model: {advice}", field=what
        )
        self.index, self.tokens, self.most, self.what = index, tokens, most, what

    def moved(self, by: int) -> "TextTooLong":
        """The same error of a text that stands later."""
        return TextTooLong(self.index + by, self.tokens, self.most, self.what)
