"""Triton's own client, unmodified: every HTTP call it has."""

import numpy as np
import pytest
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

from maas_client import MaasClient
from support import onnx_models
from support.triton_calls import SUM, tensor, two


@pytest.fixture(scope="module", autouse=True)
def models(shared: None, maas: MaasClient, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("triton") / "model.onnx"
    path.write_bytes(onnx_models.slow())
    maas.push(path, "triton_slow", alias="live")


def test_health_and_metadata(client: triton.InferenceServerClient) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("shared_added")
    assert client.is_model_ready("shared_added", "live")
    assert not client.is_model_ready("shared_added", "99")
    assert not client.is_model_ready("nothing")
    assert client.get_server_metadata()["extensions"]
    metadata = client.get_model_metadata("shared_added", "1")
    assert metadata["platform"] == "onnx_onnxv1"
    assert metadata == client.get_model_metadata("shared_added", "live")
    assert metadata["inputs"][0] == {"name": "a", "datatype": "FP32", "shape": [-1, 2]}


def test_configuration(client: triton.InferenceServerClient) -> None:
    config = client.get_model_config("shared_types")
    assert (config["name"], config["platform"], config["max_batch_size"]) == ("shared_types", "onnx_onnxv1", 0)
    assert {one["data_type"] for one in config["input"]} >= {"TYPE_STRING", "TYPE_FP32"}
    assert config["output"][0]["dims"] == [-1]


def test_repository(client: triton.InferenceServerClient) -> None:
    index = client.get_model_repository_index()
    assert {"name": "shared_added", "version": "1", "state": "READY", "reason": ""} in index
    client.load_model("shared_added")
    client.unload_model("shared_added")
    assert client.is_model_ready("shared_added")  # unload frees memory; the next request loads the model again
    with pytest.raises(InferenceServerException, match="there is no model 'nothing'"):
        client.load_model("nothing")
    with pytest.raises(InferenceServerException, match="maas push"):
        client.load_model("shared_added", config="{}")
    with pytest.raises(InferenceServerException, match="maas push"):
        client.load_model("shared_added", config="{}", files={"file:1/model.onnx": b"x"})
    with pytest.raises(InferenceServerException, match="there is no model 'nothing'"):
        client.unload_model("nothing")


def test_statistics(client: triton.InferenceServerClient) -> None:
    client.infer("shared_added", two())
    for reference in ("", "1", "live"):
        (stats,) = client.get_inference_statistics("shared_added", reference)["model_stats"]
        assert (stats["name"], stats["version"]) == ("shared_added", "1")
    assert client.get_inference_statistics()["model_stats"] is not None
    assert set(stats["inference_stats"]) == {
        *("success", "fail", "queue", "compute_input", "compute_infer", "compute_output")
    }


@pytest.mark.parametrize("binary_in", [True, False])
@pytest.mark.parametrize("binary_out", [True, False])
def test_binary_and_json_mixed(client: triton.InferenceServerClient, binary_in: bool, binary_out: bool) -> None:
    asked = [triton.InferRequestedOutput("y", binary_data=binary_out)]
    answer = client.infer("shared_added", two(binary_in), outputs=asked, request_id="r-1")
    assert answer.as_numpy("y").tolist() == SUM
    assert answer.get_response()["id"] == "r-1"
    assert ("data" in answer.get_output("y")) is not binary_out


@pytest.mark.parametrize("request_encoding", [None, "gzip", "deflate"])
@pytest.mark.parametrize("response_encoding", ["gzip", "deflate"])
@pytest.mark.parametrize("binary", [True, False])
def test_compression(
    client: triton.InferenceServerClient, request_encoding: str | None, response_encoding: str, binary: bool
) -> None:
    answer = client.infer(
        "shared_added",
        two(binary),
        outputs=[triton.InferRequestedOutput("y", binary_data=binary)],
        request_compression_algorithm=request_encoding,
        response_compression_algorithm=response_encoding,
    )
    assert answer.as_numpy("y").tolist() == SUM


def test_concurrent_requests(client: triton.InferenceServerClient) -> None:
    under_way = [client.async_infer("shared_added", two(), model_version="live") for _ in range(4)]
    assert [one.get_result().as_numpy("y").tolist() for one in under_way] == [SUM] * 4
    refused = client.async_infer("shared_added", two()[:1])
    with pytest.raises(InferenceServerException, match="expected also"):
        refused.get_result()


def test_unknown_parameters_are_ignored(client: triton.InferenceServerClient) -> None:
    answer = client.infer(
        "shared_added",
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


def test_timeout_ends_run(client: triton.InferenceServerClient) -> None:
    count = tensor("count", np.array([10_000_000], np.int64), "INT64")
    with pytest.raises(InferenceServerException, match="passed while the model ran") as caught:
        client.infer("triton_slow", [count], timeout=200_000)
    assert caught.value.status() == "504"


def test_refusal_says_what_was_expected(client: triton.InferenceServerClient) -> None:
    wrong = [two()[0], tensor("b", np.zeros((3, 2), np.float32))]
    with pytest.raises(
        InferenceServerException, match=r"inputs\[b\].shape: got \[3, 2\], expected n=2, as in input 'a'"
    ):
        client.infer("shared_added", wrong)
    with pytest.raises(InferenceServerException, match=r"outputs: got 'z', expected one of \['y'\]"):
        client.infer("shared_added", two(), outputs=[triton.InferRequestedOutput("z")])


def test_unsupported_calls_say_so(client: triton.InferenceServerClient) -> None:
    for call in (
        client.get_system_shared_memory_status,
        client.get_cuda_shared_memory_status,
        client.unregister_system_shared_memory,
        client.get_trace_settings,
        client.get_log_settings,
        lambda: client.update_log_settings({"log_verbose_level": 1}),
        lambda: client.get_trace_settings("shared_added"),
        lambda: client.update_trace_settings("shared_added", {"trace_level": "OFF"}),
        lambda: client.register_system_shared_memory("x", "/x", 8),
        lambda: client.register_cuda_shared_memory("x", b"handle", 0, 8),
        lambda: client.unregister_cuda_shared_memory("x"),
    ):
        with pytest.raises(InferenceServerException, match="is not offered") as caught:
            call()
        assert caught.value.status() == "501"
