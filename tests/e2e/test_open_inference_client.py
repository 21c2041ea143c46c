"""A client generated from the published OpenAPI document of the Open Inference Protocol."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from open_inference.openapi.client import OpenInferenceClient
from open_inference.openapi.core.api_error import ApiError
from open_inference.openapi.errors import BadRequestError
from open_inference.openapi.types import InferenceRequest, RequestInput, TensorData

from maas_client import MaasClient
from support import onnx_models


@pytest.fixture
def client(url: str, api_key: str, maas: MaasClient, write: Callable[[bytes], Path]) -> OpenInferenceClient:
    maas.push(write(onnx_models.linear()), "published", alias="live")
    authenticated = httpx.Client(timeout=60, headers={"x-api-key": api_key})
    return OpenInferenceClient(base_url=url, httpx_client=authenticated)


def request(columns: int = 3) -> InferenceRequest:
    data = TensorData(__root__=[1.0, 2.0, 3.0][:columns])
    given = RequestInput(name="x", shape=[1, columns], datatype="FP32", data=data)
    return InferenceRequest(id="p-1", inputs=[given])


def test_every_call(client: OpenInferenceClient) -> None:
    client.check_server_liveness()
    client.check_server_readiness()
    client.check_model_readiness("published")
    client.check_model_version_readiness("published", "live")
    assert client.read_server_metadata().name == "maas"
    assert client.read_model_metadata("published").platform == "onnx_onnxv1"
    assert client.read_model_version_metadata("published", "live").inputs[0].shape == [-1, 3]
    for answer in (
        client.model_infer("published", request=request()),
        client.model_version_infer("published", "live", request=request()),
    ):
        assert answer.id == "p-1"
        assert answer.outputs[0].shape == [1, 2]
        assert answer.outputs[0].data.__root__ == [6.0, 6.0]


def test_refusals(client: OpenInferenceClient) -> None:
    with pytest.raises(BadRequestError) as refused:
        client.model_infer("published", request=request(columns=2))
    assert refused.value.body["error"] == "inputs[x].shape: got [1, 2], expected [-1, 3] (-1: any size)"
    with pytest.raises(ApiError) as absent:  # the document has no 404 for this call
        client.model_infer("nothing", request=request())
    assert absent.value.status_code == 404
