"""Whole numbers that come as text: headers, addresses, keys of objects, environment variables."""


def whole_number(text: str) -> int | None:
    """The number that up to 19 ASCII digits are; None for other text: `int` also takes ' 5', '+5', '1_0' and '٣'."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None
