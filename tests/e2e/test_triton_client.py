"""Triton's own client, unmodified: every call that it can make over HTTP."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import onnx_models
import pytest
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

from maas_client import MaasClient

LABELS = ["cat", "dog", "duck"]
Array = np.ndarray[Any, Any]


@pytest.fixture(scope="module")
def client(url: str) -> Iterator[triton.InferenceServerClient]:
    with triton.InferenceServerClient(url.removeprefix("http://"), connection_timeout=60, network_timeout=60) as one:
        yield one


@pytest.fixture(scope="module", autouse=True)
def models(maas: MaasClient, tmp_path_factory: pytest.TempPathFactory) -> None:
    for name, content in (
        ("triton_types", onnx_models.identities(onnx_models.ALL_TYPES)),
        ("triton_bf16", onnx_models.identities({"s": onnx_models.TensorProto.BFLOAT16})),
        ("triton_added", onnx_models.added()),
        ("triton_scores", onnx_models.identities({"s": 1}, ["n", 3])),
        ("triton_scalar", onnx_models.identities({"s": 1}, [])),
        ("triton_slow", onnx_models.slow()),
    ):
        folder = tmp_path_factory.mktemp(name)
        (folder / "model.onnx").write_bytes(content)
        (folder / "labels.txt").write_text("\n".join(LABELS))
        maas.push(folder, name, alias="live")


def tensor(name: str, array: Array, datatype: str = "FP32", *, binary: bool = True) -> triton.InferInput:
    given = triton.InferInput(name, list(array.shape), datatype)
    given.set_data_from_numpy(array, binary_data=binary)
    return given


def two(binary: bool = True) -> list[triton.InferInput]:
    return [
        tensor("a", np.array([[1, 2], [3, 4]], np.float32), binary=binary),
        tensor("b", np.full((2, 2), 0.5, np.float32), binary=True),
    ]


SUM = [[1.5, 2.5], [3.5, 4.5]]
ARRAYS = {
    "bool": ("BOOL", np.array([True, False])),
    "uint8": ("UINT8", np.array([0, 255], np.uint8)),
    "uint16": ("UINT16", np.array([0, 65535], np.uint16)),
    "uint32": ("UINT32", np.array([0, 2**32 - 1], np.uint32)),
    "uint64": ("UINT64", np.array([0, 2**64 - 1], np.uint64)),
    "int8": ("INT8", np.array([-128, 127], np.int8)),
    "int16": ("INT16", np.array([-(2**15), 2**15 - 1], np.int16)),
    "int32": ("INT32", np.array([-(2**31), 2**31 - 1], np.int32)),
    "int64": ("INT64", np.array([-(2**63), 2**63 - 1], np.int64)),
    "float16": ("FP16", np.array([0.5, np.inf], np.float16)),
    "float": ("FP32", np.array([np.nan, -np.inf], np.float32)),
    "double": ("FP64", np.array([0.1, 1e300], np.float64)),
    "string": ("BYTES", np.array(["", "größer 🦆"], np.object_)),
}


def test_health_and_metadata(client: triton.InferenceServerClient) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("triton_added")
    assert client.is_model_ready("triton_added", "live")
    assert not client.is_model_ready("triton_added", "99")
    assert not client.is_model_ready("nothing")
    assert client.get_server_metadata()["extensions"]
    metadata = client.get_model_metadata("triton_added", "1")
    assert metadata["platform"] == "onnx_onnxv1"
    assert metadata["inputs"][0] == {"name": "a", "datatype": "FP32", "shape": [-1, 2]}


def test_configuration(client: triton.InferenceServerClient) -> None:
    config = client.get_model_config("triton_types")
    assert (config["name"], config["platform"], config["max_batch_size"]) == ("triton_types", "onnx_onnxv1", 0)
    assert {one["data_type"] for one in config["input"]} >= {"TYPE_STRING", "TYPE_FP32"}
    assert config["output"][0]["dims"] == [-1]


def test_repository(client: triton.InferenceServerClient) -> None:
    index = client.get_model_repository_index()
    assert {"name": "triton_added", "version": "1", "state": "READY", "reason": ""} in index
    client.load_model("triton_added")
    client.unload_model("triton_added")
    assert client.is_model_ready("triton_added")  # unloaded is not gone: there is always another environment
    with pytest.raises(InferenceServerException, match="there is no model 'nothing'"):
        client.load_model("nothing")
    with pytest.raises(InferenceServerException, match="maas push"):
        client.load_model("triton_added", config="{}")


def test_statistics(client: triton.InferenceServerClient) -> None:
    client.infer("triton_added", two())
    (stats,) = client.get_inference_statistics("triton_added")["model_stats"]
    assert (stats["name"], stats["version"]) == ("triton_added", "1")
    assert client.get_inference_statistics()["model_stats"] is not None
    assert set(stats["inference_stats"]) == {
        *("success", "fail", "queue", "compute_input", "compute_infer", "compute_output")
    }


@pytest.mark.parametrize("binary_in", [True, False])
@pytest.mark.parametrize("binary_out", [True, False])
def test_binary_and_json_in_every_mixture(
    client: triton.InferenceServerClient, binary_in: bool, binary_out: bool
) -> None:
    asked = [triton.InferRequestedOutput("y", binary_data=binary_out)]
    answer = client.infer("triton_added", two(binary_in), outputs=asked, request_id="r-1")
    assert answer.as_numpy("y").tolist() == SUM
    assert answer.get_response()["id"] == "r-1"
    assert ("data" in answer.get_output("y")) is not binary_out


def test_every_datatype_in_binary(client: triton.InferenceServerClient) -> None:
    given = []
    for name, (datatype, array) in ARRAYS.items():
        given.append(tensor(f"in_{name}", array, datatype))
    answer = client.infer("triton_types", given)
    for name, (datatype, array) in ARRAYS.items():
        came = answer.as_numpy(f"out_{name}")
        if datatype == "BYTES":
            came = np.array([one.decode() for one in came], np.object_)
        np.testing.assert_array_equal(came.astype(array.dtype), array, err_msg=name)


def test_bfloat16(client: triton.InferenceServerClient) -> None:
    given = np.array([0.5, -3, np.inf], ml_dtypes.bfloat16)
    came = client.infer("triton_bf16", [tensor("in_s", given, "BF16")]).as_numpy("out_s")
    assert came.astype(np.float32).tolist() == [0.5, -3, np.inf]


def test_scalars_and_no_rows(client: triton.InferenceServerClient) -> None:
    assert client.infer("triton_scalar", [tensor("in_s", np.array(7, np.float32))]).as_numpy("out_s") == 7
    none = client.infer("triton_scores", [tensor("in_s", np.empty((0, 3), np.float32))]).as_numpy("out_s")
    assert none.shape == (0, 3)


@pytest.mark.parametrize("request_encoding", [None, "gzip", "deflate"])
@pytest.mark.parametrize("response_encoding", ["gzip", "deflate"])
@pytest.mark.parametrize("binary", [True, False])
def test_compression(
    client: triton.InferenceServerClient, request_encoding: str | None, response_encoding: str, binary: bool
) -> None:
    answer = client.infer(
        "triton_added",
        two(binary),
        outputs=[triton.InferRequestedOutput("y", binary_data=binary)],
        request_compression_algorithm=request_encoding,
        response_compression_algorithm=response_encoding,
    )
    assert answer.as_numpy("y").tolist() == SUM


def test_classification(client: triton.InferenceServerClient) -> None:
    scores = np.array([[0.25, 0.5, 0.125], [1, 0, 3]], np.float32)
    asked = [triton.InferRequestedOutput("out_s", class_count=2)]
    best = client.infer("triton_scores", [tensor("in_s", scores)], outputs=asked).as_numpy("out_s")
    assert [[one.decode() for one in row] for row in best] == [
        ["0.500000:1:dog", "0.250000:0:cat"],
        ["3.000000:2:duck", "1.000000:0:cat"],
    ]


def test_several_requests_at_once(client: triton.InferenceServerClient) -> None:
    under_way = [client.async_infer("triton_added", two(), model_version="live") for _ in range(4)]
    assert [one.get_result().as_numpy("y").tolist() for one in under_way] == [SUM] * 4


def test_parameters_that_mean_nothing_here_are_tolerated(client: triton.InferenceServerClient) -> None:
    answer = client.infer(
        "triton_added",
        two(),
        priority=3,
        sequence_id=7,
        sequence_start=True,
        timeout=5_000_000,
        headers={"x-api-key": "k"},
        query_params={"key": "k"},
        parameters={"own": "words"},
    )
    assert answer.as_numpy("y").tolist() == SUM


def test_a_timeout_ends_the_run(client: triton.InferenceServerClient) -> None:
    count = tensor("count", np.array([10_000_000], np.int64), "INT64")
    with pytest.raises(InferenceServerException, match="time for this request was over while the model ran") as caught:
        client.infer("triton_slow", [count], timeout=200_000)
    assert caught.value.status() == "504"


def test_a_refusal_says_what_was_expected(client: triton.InferenceServerClient) -> None:
    wrong = [two()[0], tensor("b", np.zeros((3, 2), np.float32))]
    with pytest.raises(
        InferenceServerException, match=r"inputs\[b\].shape: got \[3, 2\], expected n=2, as in input 'a'"
    ):
        client.infer("triton_added", wrong)
    with pytest.raises(InferenceServerException, match=r"outputs: got 'z', expected one of \['y'\]"):
        client.infer("triton_added", two(), outputs=[triton.InferRequestedOutput("z")])


def test_what_is_not_offered_says_so(client: triton.InferenceServerClient) -> None:
    for call in (
        client.get_system_shared_memory_status,
        client.get_cuda_shared_memory_status,
        client.unregister_system_shared_memory,
        client.get_trace_settings,
        client.get_log_settings,
        lambda: client.update_log_settings({"log_verbose_level": 1}),
        lambda: client.get_trace_settings("triton_added"),
        lambda: client.register_system_shared_memory("x", "/x", 8),
    ):
        with pytest.raises(InferenceServerException, match="is not offered") as caught:
            call()
        assert caught.value.status() == "501"


def test_labels_come_with_the_version(maas: MaasClient, tmp_path: Path) -> None:
    assert "labels.txt" in [file.name for file in maas.version("triton_scores", 1).files]
