"""onnxruntime's error messages without the places in its own source code."""

import re

# `/onnxruntime_src/onnxruntime/core/x.cc:12 ` and then the signature of a C++ function.
_SOURCE_PLACE = re.compile(r"(?<!\S)\S*/(?:onnxruntime|onnxruntime_src)/\S+\.(?:cc|h|cpp|hpp|inc):\d+ ")
_LONGEST_WORD, _LONGEST = 400, 4000
_AFTER_PARAMETERS = re.compile(r"(?: (?:const|noexcept)| \[with [^\]]*\]|::<[^>]*>)*(?: |$)")


def plain_message(error: Exception) -> str:
    """The message in one line. Names in a model may have any length: words and the whole are cut."""
    words = (word if len(word) <= _LONGEST_WORD else f"{word[:_LONGEST_WORD]}…" for word in str(error).split())
    text = " ".join(words)[:_LONGEST]
    while found := _SOURCE_PLACE.search(text):
        text = text[: found.start()] + text[_signature_end(text, found.end()) :]
    return text


def _signature_end(text: str, start: int) -> int:
    """Where the message begins, after `type name(parameters)`; `start` if there is no such signature."""
    depth = 0
    for position in range(start, len(text)):
        if text[position] in "(<":
            depth += 1
        elif text[position] in ")>":
            depth -= 1
            after = _AFTER_PARAMETERS.match(text, position + 1)
            if text[position] == ")" and depth == 0 and after:
                return after.end()
    return start
