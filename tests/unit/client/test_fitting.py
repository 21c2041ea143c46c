"""What lists, numbers and arrays become, and what is refused by name."""

from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as nps

from maas_client import BF16, InvalidInput, InvalidRequest
from maas_client.protocol.fitting import array_of, fit, widened
from maas_client.protocol.requests import complete
from maas_client.protocol.tensors import DTYPES
from maas_client.records.inference import MetadataTensor
from support.server.server import ContractServer

MASKED = np.ma.masked_array([1.0, 99.0], mask=[False, True])
NUMBERS = [name for name, dtype in DTYPES.items() if dtype.kind in "iuf"]


def of(datatype: str, *shape: int) -> MetadataTensor:
    return MetadataTensor("x", datatype, shape or (-1,))


class Odd:
    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        raise RuntimeError("detach it first")


@pytest.mark.parametrize(
    ("datatype", "values", "message"),
    [
        ("FP32", [None, 1.0], "takes FP32 values, got None: write NaN"),
        ("FP32", [True, 0.5], "got a bool"),
        ("FP32", [np.True_, 0.5], "got a bool"),
        ("FP32", ["1.5", 2.0], "got the text '1.5'"),
        ("FP32", ["nan"], "got the text 'nan'"),
        ("FP32", [b"1"], "got a bytes"),
        ("FP32", [1j], "got a complex"),
        ("FP32", MASKED, "got masked values: fill them first"),
        ("FP32", [MASKED, [1.0, 2.0]], "got masked values"),
        ("FP32", [np.ma.masked, 1.0], "got masked values"),
        ("FP32", [np.array([True]), np.array([False])], "got a bool"),
        ("FP32", [Decimal("0.1")], "got a Decimal"),
        ("FP32", [{1.0}], "got a set"),
        ("FP32", {"a": 1}, "got a dict"),
        ("FP32", Odd(), "a Odd cannot become an array: detach it first"),
        ("FP32", [1e39], "takes FP32 values, got a number beyond its range"),
        ("FP16", [70_000], "takes FP16 values"),
        ("INT64", ["1"], "got a str"),
        ("INT64", [True], "got a bool"),
        ("INT64", [None], "got None"),
        ("INT64", [1.5], "takes INT64 values, got 1.5, which is no whole number"),
        ("INT64", [2**63], "takes INT64 values, got a number beyond its range"),
        ("INT64", [float("nan")], "takes INT64 values, got nan, which is no whole number"),
        ("INT64", np.array([1.0, 2.5]), "got 2.5, which is no whole number"),
        ("INT64", np.array([1.0, 1e300]), "got a number beyond its range"),
        ("INT64", np.array([1], "timedelta64[s]"), "got a timedelta64"),
        ("INT64", [np.timedelta64(1, "s")], "got a timedelta64"),
        ("FP32", [np.timedelta64(1, "s")], "got a timedelta64"),
        ("INT64", [9.3e18, 1], "takes INT64 values"),
        ("INT64", [date(2026, 1, 1)], "got a date"),
        ("INT64", np.array(["2026-01-01"], "datetime64[D]"), "got a datetime64"),
        ("INT64", [np.datetime64("2026-01-01")], "got a datetime64"),
        ("UINT8", [256], "takes UINT8 values"),
        ("BOOL", [0, 1], "takes BOOL values, got an int"),
        ("BOOL", ["true"], "got a str"),
        ("BYTES", ["a", None], "takes BYTES values, got None"),
        ("BYTES", ["a", 1], "got an int"),
        ("BYTES", ["a", np.uint8(1)], "got a uint8"),
        ("FP32", [[1.0], [1.0, 2.0]], "rows of one length"),
    ],
)
def test_values_of_other_kinds_are_refused_by_name(datatype: str, values: Any, message: str) -> None:
    with pytest.raises(InvalidInput, match=f"'x'.*{message}" if not isinstance(values, Odd) else message):
        fit(values, of(datatype))


class Frame:
    """What pandas and Polars share: columns by name, and the values of all as an array."""

    def __init__(self, **columns: Any) -> None:
        self._columns, self.columns = columns, list(columns)

    def __getitem__(self, name: str) -> Any:
        return self._columns[name]

    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        return np.array([*self._columns.values()], np.object_).T


FRAME: Any = Frame(a=np.array([1.0, 2.0], np.float32), b=np.array([3, 4]))
OTHER: Any = Frame(a=[1.0], b=[3], c=[5])
COLUMNS = (MetadataTensor("a", "FP32", (-1, 1)), MetadataTensor("b", "INT64", (-1,)))


def test_columns_of_a_frame_are_the_inputs() -> None:
    found = complete(FRAME, COLUMNS)
    assert {name: (array.dtype, array.tolist()) for name, array in found.items()} == {  # type: ignore[union-attr]
        "a": (np.float32, [[1.0], [2.0]]),
        "b": (np.int64, [3, 4]),
    }
    with pytest.raises(InvalidInput, match="the model has no input c; it takes a, b"):
        complete(OTHER, COLUMNS)


def test_frame_is_the_only_input() -> None:
    optional = MetadataTensor("y", "FP32", (-1,), {"optional": True})
    (found,) = complete(FRAME, (of("FP64", -1, 2), optional)).values()
    assert found.tolist() == [[1.0, 3.0], [2.0, 4.0]]  # type: ignore[union-attr]


def test_array_of_objects_is_read_value_by_value() -> None:
    """As `frame.to_numpy()` is where columns have several types."""
    (found,) = complete({"x": np.array([[1, 2.5]], np.object_)}, (of("FP32", -1, 2),)).values()
    assert (found.dtype, found.tolist()) == (np.float32, [[1.0, 2.5]])  # type: ignore[union-attr]
    with pytest.raises(InvalidInput, match="'x' takes FP32 values, got the text 'a'"):
        complete({"x": np.array([[1, "a"]], np.object_)}, (of("FP32", -1, 2),))


def test_column_of_single_values_gets_its_axis() -> None:
    assert fit([1, 2, 3], of("FP32", -1, 1)).tolist() == [[1.0], [2.0], [3.0]]  # type: ignore[union-attr]
    assert widened(np.array([1, 2]), of("FP32", 2, 1)).tolist() == [[1.0], [2.0]]  # type: ignore[union-attr]
    assert fit([1, 2, 3], of("FP32", -1, -1)).tolist() == [[1.0, 2.0, 3.0]]  # type: ignore[union-attr]


def test_times_are_no_numbers_of_an_example() -> None:
    with pytest.raises(InvalidInput, match="'x' holds a timedelta64, expected numbers"):
        array_of("x", [np.timedelta64(1, "s")])


def test_lists_that_contain_themselves_are_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(InvalidInput):
        fit(endless, of("FP32"))


@pytest.mark.parametrize(
    ("datatype", "values", "expected"),
    [
        ("FP32", [0.1, 2**60, "NaN", "-Infinity", np.float64(3)], [np.float32(0.1), 2**60, np.nan, -np.inf, 3]),
        ("FP64", [2**53 + 1], [2**53]),
        ("INT64", [2**53 + 1, 1.0], [2**53 + 1, 1]),
        ("INT64", [np.int64(2**63 - 1), 4.0], [2**63 - 1, 4]),
        ("UINT64", [2**64 - 1, 0], [2**64 - 1, 0]),
        ("INT8", [1.0, np.uint8(2)], [1, 2]),
        ("BOOL", [True, np.False_], [True, False]),
        ("INT32", np.ma.masked_array([1, 2], mask=False), [1, 2]),
    ],
)
def test_lists_become_the_datatype(datatype: str, values: Any, expected: list[Any]) -> None:
    found = fit(values, of(datatype))
    assert isinstance(found, np.ndarray)
    assert found.dtype == DTYPES[datatype]
    np.testing.assert_array_equal(found, np.array(expected, DTYPES[datatype]))


@pytest.mark.parametrize(
    ("array", "tensor", "datatype", "shape"),
    [
        (np.array([[0.5, 2]]), of("FP32", -1, 2), np.float32, (1, 2)),
        (np.array([[1, 255]], np.uint8), of("FP32", -1, 2), np.float32, (1, 2)),
        (np.array([1, 255], np.uint8), of("INT64", -1, 2), np.int64, (1, 2)),
        (np.array([1, 2], np.int64), of("UINT8"), np.uint8, (2,)),
        (np.array([1.0, 2.0]), of("INT32"), np.int32, (2,)),
        (np.array([np.nan, np.inf]), of("FP16"), np.float16, (2,)),
        (np.array(2.0), of("FP32"), np.float32, (1,)),
        (np.array([[1.0], [2.0]], np.float32), of("FP32"), np.float32, (2,)),
        (np.ma.masked_array([1.0], mask=[False]), of("FP32"), np.float32, (1,)),
    ],
)
def test_arrays_are_widened_without_loss(array: Any, tensor: MetadataTensor, datatype: type, shape: Any) -> None:
    found = widened(array, tensor)
    assert isinstance(found, np.ndarray)
    assert (found.dtype, found.shape) == (datatype, shape)
    np.testing.assert_array_equal(found.ravel(), np.asarray(array).ravel())


@pytest.mark.parametrize(
    ("array", "datatype"),
    [
        (np.array([0.1]), "FP32"),
        (np.array([1e39]), "FP32"),
        (np.array([2**53 + 1]), "FP64"),
        (np.array([2**63 - 1]), "FP64"),
        (np.array([2.0**63]), "INT64"),
        (np.array([np.nan]), "INT64"),
        (np.array([-1]), "UINT8"),
        (np.array([2**63], np.uint64), "INT64"),
        (np.array([1.5]), "INT8"),
        (np.array([True]), "FP32"),
        (np.array([1]), "BOOL"),
        (np.array(["1"]), "FP32"),
        (np.array([1]), "BYTES"),
        (np.array([1 + 2**-20], np.float32), "BF16"),
    ],
)
def test_arrays_that_would_lose_something_stay_as_they_are(array: np.ndarray, datatype: str) -> None:
    found = widened(array, of(datatype))
    assert isinstance(found, np.ndarray)
    assert found.dtype == array.dtype


@given(nps.arrays(nps.integer_dtypes() | nps.unsigned_integer_dtypes() | nps.floating_dtypes(), 3))
def test_widening_never_changes_a_value(array: np.ndarray) -> None:
    for datatype in NUMBERS:
        found = widened(array, of(datatype))
        assert isinstance(found, np.ndarray)
        assert found.tolist() == array.tolist() or np.isnan(array.astype(np.float64)).any()


def test_floats_become_bfloat16_where_they_are_exact() -> None:
    found = widened(np.array([1.5, -2.0, np.inf]), of("BF16"))
    assert isinstance(found, BF16)
    assert found.wide().tolist() == [1.5, -2.0, np.inf]
    batch = widened(BF16(np.zeros(2, np.uint16)), of("BF16", -1, 2))
    assert isinstance(batch, BF16) and batch.bits.shape == (1, 2)


def test_arrays_pass_where_lists_do(server: ContractServer, maas: Any) -> None:
    server.is_strict = True
    for array in (np.array([[1.0, 2.0]]), np.array([[1, 2]], np.uint8), np.array([1, 2], np.int64)):
        assert maas.infer("echo", {"x": array})["y0"].tolist() == [[1, 2]]
        assert maas.infer("echo", array)["y0"].dtype == np.float32
    assert server.paths().count("/v2/models/echo") == 1
    deferred = maas.infer_later("echo", {"x": np.array([1.0, 2.0])})
    assert maas.jobs.answer(deferred)["y0"].tolist() == [[1, 2]]


def test_what_cannot_be_widened_is_refused_by_the_server(server: ContractServer, maas: Any) -> None:
    server.is_strict = True
    said = r"datatype.*; to round its values, send array.astype\(numpy.float32\)"
    with pytest.raises(InvalidRequest, match=said):
        maas.infer("echo", np.array([[0.1, 2.0]]), 3)
    for _ in range(2):
        with pytest.raises(InvalidRequest, match=said):
            maas.infer("echo", {"x": np.array([[0.1, 2.0]])})
    assert server.paths().count("/v2/models/echo") == 2
    with pytest.raises(InvalidInput, match="'x' holds masked values"):
        maas.infer("echo", {"x": np.ma.masked_array([[1.0, 2.0]], mask=[[False, True]])})
    assert maas.infer("echo", {"x": np.array([[1.0, 2.0]])})["y0"].tolist() == [[1, 2]]


def test_optional_inputs_are_left_out(server: ContractServer, maas: Any) -> None:
    weight = {"name": "w", "datatype": "FP32", "shape": [2], "parameters": {"optional": True}}
    server.echo_inputs.append(weight)
    assert maas.infer("echo", [1, 2])["y0"].tolist() == [[1, 2]]
    assert maas.infer("echo", {"x": [1, 2], "w": [3, 4]})["y1"].tolist() == [3, 4]
    assert [one.is_optional for one in maas.metadata("echo").inputs] == [False, True]


def test_bfloat16_takes_numbers_alone() -> None:
    for values in (np.ma.masked_array([1.0], mask=[True]), np.array(["1"]), np.array([None]), np.array([True])):
        with pytest.raises(InvalidInput):
            BF16.of(values)
