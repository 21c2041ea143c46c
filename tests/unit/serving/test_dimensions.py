"""Names of variable dimensions that say something, and placeholders that do not."""

import pytest

from maas.serving.dimensions import symbol_of

NAMES = ["n", "N", "batch", "batch_size", "seq", "sequence_length", "s0", "dynamic_batch", "dim_0", "anything", "长度"]
PLACEHOLDERS = [
    *("", " ", "?", "*", "_", "-1", "0", "12", "..."),
    *("None", "null", "nan", "N/A", "n.a.", "any", "Unknown", "unk__12", "unk_0", "undefined"),
    *("dynamic", "dyn_1", "dynamic_dim", "DynamicDimension.0", "p2o.DynamicDimension.1", "variable", "unknown_size_3"),
]


@pytest.mark.parametrize("name", NAMES)
def test_names_are_symbols(name: str) -> None:
    assert symbol_of(name) == name


@pytest.mark.parametrize("name", [*PLACEHOLDERS, None, 3, -1])
def test_placeholders_are_no_symbols(name: object) -> None:
    assert symbol_of(name) is None
