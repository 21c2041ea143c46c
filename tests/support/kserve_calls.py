"""Every call of KServe's own client, for a Python that has it: its pins conflict with ours.

`python kserve_calls.py URL KEY` prints what came back as one line of JSON; test_kserve_client.py has the expectations.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable
from typing import Any

import httpx
import numpy as np
from kserve import InferenceRESTClient, InferInput, InferRequest, InferResponse, RESTConfig
from kserve.protocol.infer_type import RequestedOutput


def tensor(name: str, array: np.ndarray[Any, Any], datatype: str = "FP32", *, binary: bool) -> InferInput:
    given = InferInput(name, list(array.shape), datatype)
    given.set_data_from_numpy(array, binary_data=binary)
    return given


def request(model: str, *inputs: InferInput, binary_output: bool = False, **said: Any) -> InferRequest:
    parameters = {"binary_data_output": True} if binary_output else None
    return InferRequest(model, list(inputs), request_id="k-1", parameters=parameters, **said)


def two(binary: bool) -> tuple[InferInput, InferInput]:
    """Two inputs; one is always JSON."""
    a, b = np.array([[1, 2], [3, 4]], np.float32), np.full((2, 2), 0.5, np.float32)
    return tensor("a", a, binary=binary), tensor("b", b, binary=False)


def told(answer: InferResponse) -> dict[str, Any]:
    return {"id": answer.id, "model": answer.model_name} | {one.name: plain(one.as_numpy()) for one in answer.outputs}


def plain(array: np.ndarray[Any, Any]) -> Any:
    return [one.decode() if isinstance(one, bytes) else str(one) if one != one else one for one in array.tolist()]


async def refused(call: Awaitable[Any]) -> list[Any]:
    try:
        return [200, await call]
    except httpx.HTTPStatusError as error:
        return [error.response.status_code, str(error)]


async def version_2(client: InferenceRESTClient, url: str, headers: dict[str, str]) -> dict[str, Any]:
    async def infer(model: str, given: InferRequest) -> dict[str, Any]:
        return told(await client.infer(url, given, model_name=model, headers=dict(headers)))

    types = [
        tensor("in_float16", np.array([0.5, np.inf], np.float16), "FP16", binary=True),
        tensor("in_float", np.array([np.nan, 1], np.float32), "FP32", binary=True),
        tensor("in_int64", np.array([-(2**63), 1]), "INT64", binary=False),
        tensor("in_bool", np.array([True, False]), "BOOL", binary=True),
        tensor("in_string", np.array(["", "größer 🦆"], np.object_), "BYTES", binary=True),
    ]
    asked = [RequestedOutput("out_string"), RequestedOutput("out_bool", {"binary_data": True})]
    none = tensor("in_s", np.empty((0, 3), np.float32), binary=True)
    raw = {"inputs": [{"name": "in_s", "shape": [1, 3], "datatype": "FP32", "data": [[1, 2, 3]]}]}
    alias = f"{url}/v2/models/shared_added/versions/live/infer"
    several = [infer("shared_added", request("shared_added", *two(binary))) for binary in (True, False, True)]
    return {
        "live": await client.is_server_live(url),
        "ready": await client.is_server_ready(url),
        "model_ready": [await client.is_model_ready(url, name, dict(headers)) for name in ("shared_added", "nothing")],
        "json": await infer("shared_added", request("shared_added", *two(False))),
        "binary": await infer("shared_added", request("shared_added", *two(True), binary_output=True)),
        "types": await infer("k_types", request("k_types", *types, binary_output=True)),
        "asked": await infer("k_types", request("k_types", *types, request_outputs=asked)),
        "no_rows": await infer("k_rows", request("k_rows", none)),
        "plain": told(await client.infer(url, raw, model_name="k_rows", headers=dict(headers))),
        "alias": (
            await client.infer(
                alias, request("shared_added", *two(True)), headers=dict(headers), is_graph_endpoint=True
            )
        )["model_version"],
        "at_once": await asyncio.gather(*several),
        "refused": await refused(infer("shared_added", request("shared_added", two(True)[0]))),
    }


async def version_1(client: InferenceRESTClient, url: str, headers: dict[str, str]) -> dict[str, Any]:
    rows = {"instances": [{"a": [1, 2], "b": [3, 4]}, {"a": [0, 0], "b": [1, 1]}]}
    too_few = {"instances": [{"a": [1, 2]}]}
    return {
        "v1_live": await client.is_server_live(url),
        "v1_model_ready": await client.is_model_ready(url, "shared_added", dict(headers)),
        "v1_no_model": await refused(client.is_model_ready(url, "nothing", dict(headers))),
        "v1_predict": await client.infer(url, rows, model_name="shared_added", headers=dict(headers)),
        "v1_refused": await refused(client.infer(url, too_few, model_name="shared_added", headers=dict(headers))),
        "v1_explain": await refused(client.explain(url, "shared_added", rows, dict(headers))),
    }


async def main(url: str, key: str) -> None:
    headers = {"x-api-key": key}  # copied for each call: the client adds to the dictionary
    async with InferenceRESTClient(RESTConfig(protocol="v2")) as client:
        answers = await version_2(client, url, headers)
    async with InferenceRESTClient(RESTConfig(protocol="v1")) as client:
        answers |= await version_1(client, url, headers)
    print(json.dumps(answers))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
