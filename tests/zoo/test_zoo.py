"""Strangers' models, pushed without hints: each becomes READY and answers every client as bare onnxruntime does."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import onnxruntime as ort
import pytest
import tritonclient.http as triton
from tritonclient.utils import np_to_triton_dtype

from conftest import skip_or_fail
from maas_client import AsyncMaasClient, MaasClient
from maas_local.stack import LocalStack
from support import zoo
from support.zoo import ANIMALS, Arrays

pytestmark = [pytest.mark.full, pytest.mark.timeout(300)]

INLINE_BYTES = 4_000_000  # more does not pass Lambda's 6 MB in base64
INLINE_NUMBERS = 250_000  # nor do more numbers in JSON


@pytest.fixture(scope="session")
def stack() -> Iterator[LocalStack]:
    try:
        zoo.downloaded()
    except zoo.NotDownloaded as error:
        skip_or_fail(f"the packages of the zoo cannot be downloaded: {error}")
    with LocalStack.start() as running:
        yield running


@pytest.fixture(scope="session")
def maas(stack: LocalStack) -> Iterator[MaasClient]:
    with MaasClient(stack.url, stack.api_key) as client:
        yield client


def bare(path: Path, inputs: Mapping[str, Any]) -> Arrays:
    """What onnxruntime answers with the inference function's one thread."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, dict(inputs)), strict=True))


def assert_equal(came: Mapping[str, Any], expected: Arrays, client: str) -> None:
    """Bit for bit; JSON has no sign of a NaN, so that is not looked at."""
    assert set(came) == set(expected), client
    for name, array in expected.items():
        other = np.asarray(came[name])
        assert (other.shape, other.dtype) == (array.shape, array.dtype), (client, name)
        same = np.array_equal(other, array, equal_nan=array.dtype.kind == "f")
        assert same and (array.dtype.kind != "f" or np.array_equal(np.signbit(other), np.signbit(array))), (
            client,
            name,
        )


def by_async_client(stack: LocalStack, model: str, inputs: Arrays) -> Mapping[str, Any]:
    async def ask() -> Mapping[str, Any]:
        async with AsyncMaasClient(stack.url, stack.api_key) as client:
            return await client.infer(model, inputs)

    return asyncio.run(ask())


def by_triton(stack: LocalStack, model: str, inputs: Arrays) -> Mapping[str, Any]:
    with triton.InferenceServerClient(stack.url.removeprefix("http://"), network_timeout=60) as client:
        tensors = []
        for name, array in inputs.items():
            tensors.append(triton.InferInput(name, list(array.shape), np_to_triton_dtype(array.dtype)))
            tensors[-1].set_data_from_numpy(array)
        result = client.infer(model, tensors, headers={"x-api-key": stack.api_key})
        return {output["name"]: result.as_numpy(output["name"]) for output in result.get_response()["outputs"]}


def by_command(stack: LocalStack, model: str, inputs: Arrays, folder: Path) -> Mapping[str, Any]:
    """`maas predict --json` on an NPZ file."""
    np.savez(folder / "inputs.npz", **inputs)
    command = [str(Path(sys.executable).with_name("maas")), "predict", model, "--input", "inputs.npz", "--json"]
    access = ["--url", stack.url, "--api-key", str(stack.api_key)]
    done = subprocess.run([*command, *access], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return _arrays(json.loads(done.stdout)["outputs"])


def by_v1(stack: LocalStack, model: str, inputs: Arrays, expected: Arrays) -> Mapping[str, Any]:
    """KServe's columnar form; values come without datatypes, so they take those of bare onnxruntime."""
    given = {name: array.tolist() for name, array in inputs.items()}
    body = {"inputs": given if len(given) > 1 else next(iter(given.values()))}
    headers = {"x-api-key": str(stack.api_key)}
    answer = httpx.post(f"{stack.url}/v1/models/{model}:predict", json=body, headers=headers, timeout=60)
    assert answer.status_code == 200, answer.text
    outputs = answer.json()["outputs"]
    named = outputs if len(expected) > 1 else {next(iter(expected)): outputs}
    return {name: np.array(named[name], array.dtype).reshape(array.shape) for name, array in expected.items()}


_DTYPES = {
    "BOOL": np.bool_,
    "FP16": np.float16,
    "FP32": np.float32,
    "FP64": np.float64,
    "INT64": np.int64,
    "INT32": np.int32,
}


def _arrays(outputs: list[dict[str, Any]]) -> Mapping[str, Any]:
    return {one["name"]: np.array(one["data"], _DTYPES[one["datatype"]]).reshape(one["shape"]) for one in outputs}


@pytest.mark.parametrize("name", ANIMALS)
def test_a_strangers_model_is_ready_and_answers_as_bare_onnxruntime(
    stack: LocalStack, maas: MaasClient, tmp_path: Path, name: str
) -> None:
    path, inputs = zoo.file_of(ANIMALS[name]), ANIMALS[name].inputs()
    version = maas.push(path, name)
    assert version.status == "READY"
    expected = bare(path, inputs)
    if sum(array.nbytes for array in inputs.values()) > INLINE_BYTES:
        assert_equal(maas.jobs.answer(maas.infer_later(name, inputs)), expected, "later")
        return
    clients: dict[str, Callable[[], Mapping[str, Any]]] = {
        "binary": lambda: maas.infer(name, inputs),
        "async": lambda: by_async_client(stack, name, inputs),
        "Triton": lambda: by_triton(stack, name, inputs),
        "command": lambda: by_command(stack, name, inputs, tmp_path),
    }
    if sum(array.size for array in inputs.values()) < INLINE_NUMBERS:
        clients["JSON"] = lambda: maas.infer(name, inputs, binary=False)
        clients["V1"] = lambda: by_v1(stack, name, inputs, expected)
    for client, ask in clients.items():
        assert_equal(ask(), expected, client)


@pytest.mark.parametrize("name", ["file-types", "page-orientation"])
def test_a_batch_of_records_answers_as_bare_onnxruntime(maas: MaasClient, tmp_path: Path, name: str) -> None:
    path, inputs = zoo.file_of(ANIMALS[name]), ANIMALS[name].inputs()
    maas.push(path, f"{name}-batch")
    ((_, rows),) = inputs.items()
    np.save(tmp_path / "rows.npy", rows)
    job = maas.jobs.wait(maas.batch(f"{name}-batch", tmp_path / "rows.npy").id)
    assert job.progress
    assert (job.progress.rows, job.progress.errors) == (len(rows), 0)
    (file,) = maas.jobs.download(job, tmp_path / "answers.npy")
    ((output, expected),) = bare(path, inputs).items()
    assert_equal({output: np.load(file)}, {output: expected}, "batch")
