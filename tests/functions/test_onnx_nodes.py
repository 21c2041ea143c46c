"""The node tests of the `onnx` package through the handler: the outputs equal onnxruntime's own bit for bit.

MAAS_ALL_NODES=1 runs all of them, otherwise a fixed sample runs. Cases that cannot be sent are counted by reason.
"""

import os
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import numpy_helper
from onnx.backend.test.case.test_case import TestCase

from maas.errors import ModelRejected
from maas.serving import locales, tensors
from maas.serving.datatypes import Array
from maas.serving.oip_reply import OutputTensor
from maas.serving.runner import Runner
from support import wire

ALL = os.environ.get("MAAS_ALL_NODES") == "1"
SAMPLE = 37
# Counts with onnxruntime 1.32 and onnx 1.23.
EXPECTED = {
    False: {"equal": 43, "onnxruntime does not load it": 2, "onnxruntime does not run it": 6},
    True: {
        "equal": 1592,
        "onnxruntime does not load it": 115,
        "onnxruntime does not run it": 150,
        "an input is no tensor": 18,
        "an output is no tensor": 5,
        "refused: the protocol has no such type": 4,
    },
}


class NotSent(Exception):
    """The reason is the message."""


def session(path: Path) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    try:
        return ort.InferenceSession(path, options)
    except Exception as error:
        raise NotSent("onnxruntime does not load it") from error


def cases() -> list[TestCase]:
    """The cases of this version of onnx. Some test overflows: making them warns."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from onnx.backend.test.case.node import collect_testcases

        return sorted(collect_testcases(None), key=lambda case: case.name)[:: 1 if ALL else SAMPLE]


def inputs(case: TestCase, names: list[str]) -> dict[str, Array]:
    arrays = {}
    for name, value in zip(names, case.data_sets[0][0], strict=False):
        array = numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else value
        if value is None or isinstance(value, list | dict):
            raise NotSent("an input is no tensor")
        arrays[name] = np.asarray(array)
    return arrays


def on_boundaries(arrays: dict[str, Array]) -> dict[str, Array]:
    """At addresses of cache lines: at others onnxruntime's own results differ in their last bits."""
    return {
        name: array if array.dtype.hasobject else tensors.aligned(array, array.dtype) for name, array in arrays.items()
    }


def bare(case: TestCase, path: Path) -> tuple[dict[str, Array], list[Any]]:
    """The case's inputs, and the outputs of onnxruntime alone."""
    loaded = session(path)
    given = inputs(case, [node.name for node in loaded.get_inputs()])
    try:
        came = loaded.run(None, on_boundaries(given))
    except Exception as error:
        raise NotSent("onnxruntime does not run it") from error
    if any(not isinstance(array, np.ndarray) for array in came):
        raise NotSent("an output is no tensor")
    return given, came


def loaded(path: Path) -> Runner:
    try:
        return Runner(path, threads=1)
    except ModelRejected as error:
        raise NotSent("refused: the protocol has no such type") from error


def send(app: Any, given: list[OutputTensor], *, binary: bool) -> list[Array]:
    body, headers = wire.request(given, binary=binary)
    answer = app.lambda_handler(wire.event("/v2/models/node/infer", body, headers), wire.CONTEXT)
    assert answer["statusCode"] == 200, answer["body"]
    return list(wire.outputs(answer).values())


def check(app: Any, case: TestCase, path: Path) -> None:
    given, expected = bare(case, path)
    runner = loaded(path)
    datatypes = {tensor.name: tensor.datatype for tensor in runner.inputs}
    sent = [OutputTensor(name, datatypes[name], array) for name, array in given.items()]
    for binary in (True, False):
        for came, array in zip(send(app, sent, binary=binary), expected, strict=True):
            if array.dtype.hasobject:
                assert came.tolist() == array.tolist()
            elif binary:
                assert (came.dtype, came.shape, came.tobytes()) == (array.dtype, array.shape, array.tobytes())
            else:
                np.testing.assert_array_equal(came, array, strict=True)


@pytest.mark.full
@pytest.mark.timeout(1200)
def test_every_node_answers_like_onnxruntime(tmp_path: Path) -> None:
    locales.provide()  # as the first model that needs one makes it do
    counted: Counter[str] = Counter()
    path = tmp_path / "model.onnx"
    for case in cases():
        path.write_bytes(case.model.SerializeToString())
        app = wire.inference_function({"node": path})
        try:
            check(app, case, path)
            counted["equal"] += 1
        except NotSent as reason:
            counted[str(reason)] += 1
        except AssertionError as error:
            raise AssertionError(f"{case.name}: {error}") from error
    assert counted == EXPECTED[ALL]
