"""Captured answers beside those of a replay."""

import math
from typing import Any

import numpy as np
import pytest

from maas.records.samples import Shadow
from maas.serving.comparison import compared
from maas.serving.datatypes import DTYPES, Array
from maas_client.cli import captures
from maas_client.replaying import can_run, report, request_of


def tensor(data: list[Any], datatype: str = "FP32", name: str = "y", shape: list[int] | None = None) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": shape or [len(data)], "data": data}


def line(outputs: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {"id": "1", "inputs": [tensor([1], name="x")], "outputs": outputs, "parameters": {}} | more


CASES = [
    ([tensor([1.0, 2.0])], [tensor([1.0, 2.001])], True, 0.001),
    ([tensor([1.0, 2.0])], [tensor([1.0, 2.5])], False, 0.5),
    ([tensor([1.0, "NaN", "Infinity"])], [tensor([1.0, "NaN", "Infinity"])], True, 0.0),
    ([tensor([1.0, "NaN"])], [tensor([1.0, 2.0])], False, None),
    ([tensor([1, 2], "INT64")], [tensor([1, 5], "INT64")], False, 3.0),
    ([tensor([2**53 + 1], "INT64")], [tensor([2**53], "INT64")], False, 0.0),  # a difference that float64 does not have
    ([tensor(["a"], "BYTES")], [tensor(["b"], "BYTES")], False, None),
    ([tensor([True], "BOOL")], [tensor([False], "BOOL")], False, None),
    ([tensor([True], "BOOL")], [tensor([True], "BOOL")], True, 0.0),
    ([tensor([])], [tensor([])], True, 0.0),
    ([tensor([1.0, 2.0])], [tensor([1.0, 2.0], shape=[1, 2])], False, None),
    ([tensor([1.0])], [tensor([1.0], "FP64")], False, None),
    ([tensor([1.0])], [], False, None),
]


@pytest.mark.parametrize(("answered", "came", "same", "largest"), CASES)
def test_report(answered: list[Any], came: list[Any], same: bool, largest: float | None) -> None:
    found = report("m", 3, 2, "j", [line(answered)], [{"outputs": came}], 1e-3, 1e-5)
    assert (found.compared, found.mismatched, found.failed) == (1, int(not same), 0)
    assert found.largest_difference == pytest.approx(0.0 if largest is None else largest, rel=1e-2)
    if not same:
        (difference,) = found.differences
        assert difference.largest is None if largest is None else math.isclose(difference.largest or 0, largest)


@pytest.mark.parametrize(("answered", "came", "same", "largest"), CASES)
def test_the_server_finds_the_same_of_a_shadow(
    answered: list[Any], came: list[Any], same: bool, largest: float | None
) -> None:
    """The client cannot import its rules, nor the tolerances that a replay has without options."""
    found = compared(arrays(came), arrays(answered), Shadow(2, 100, rtol=captures.RTOL, atol=captures.ATOL))
    assert found.is_same is same
    assert found.difference == pytest.approx(math.inf if largest is None else largest, rel=1e-2)
    assert (Shadow(2, 100).rtol, Shadow(2, 100).atol) == (captures.RTOL, captures.ATOL)


def arrays(tensors: list[dict[str, Any]]) -> dict[str, Array]:
    return {one["name"]: np.array(one["data"], DTYPES[one["datatype"]]).reshape(one["shape"]) for one in tensors}


def test_a_request_that_fails_differs() -> None:
    found = report("m", 3, 2, "j", [line([tensor([1.0])])], [{"error": "no such input", "record": ""}], 1e-3, 1e-5)
    assert (found.mismatched, found.failed, found.differences[0].reason) == (1, 1, "no such input")


def test_what_can_run_again() -> None:
    whole = line([tensor([1.0])])
    assert can_run(whole)
    assert request_of(whole) == {"id": "1", "inputs": whole["inputs"]}
    for lacks in ({"inputs": []}, {"outputs": None}, {"parameters": {"top_k": 1}}, {"inputs": [{"raw": "AAA="}]}):
        assert not can_run({name: value for name, value in (whole | lacks).items() if value is not None})
    assert not can_run({"id": "1", "outputs": whole["outputs"]})
