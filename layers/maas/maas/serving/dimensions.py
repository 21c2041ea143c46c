"""Names of variable dimensions: which ones say that sizes are equal."""

import re

# What exporters write where they know no name: `?`, `None`, `unk__12`, `dynamic`, `DynamicDimension.0`, `N/A`, `-1`.
_SAYS_NOTHING = "unk(?:nown)?|undef(?:ined)?|unspecified|dyn(?:amic)?|var(?:iable)?|any|none|null|nil|nan|na"
_SAYS_DIMENSION = "po|dim(?:ension)?s?|axis|axes|size|shape"
_PLACEHOLDER = re.compile(f"(?:{_SAYS_DIMENSION})*(?:{_SAYS_NOTHING})(?:{_SAYS_NOTHING}|{_SAYS_DIMENSION})*")


def symbol_of(dimension: object) -> str | None:
    """The name of a dimension, if dimensions of this name have one size; None for a number, no name or a placeholder.

    Exporters repeat a placeholder for dimensions that have nothing to do with each other.
    """
    if type(dimension) is not str:
        return None
    letters = "".join(filter(str.isalpha, dimension)).lower()
    return dimension if letters and not _PLACEHOLDER.fullmatch(letters) else None
