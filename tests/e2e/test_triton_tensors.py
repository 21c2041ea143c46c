"""Triton's own client, unmodified: every datatype, in binary and in JSON."""

from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

from maas_client import MaasClient
from support import onnx_models
from support.triton_calls import tensor

LABELS = ["cat", "dog", "duck"]


pytestmark = pytest.mark.usefixtures("shared")


@pytest.fixture(scope="module")
def models(maas: MaasClient, tmp_path_factory: pytest.TempPathFactory) -> None:
    for name, content in (
        ("tensors_bf16", onnx_models.identities({"s": onnx_models.TensorProto.BFLOAT16})),
        ("tensors_scores", onnx_models.identities({"s": 1}, ["n", 3])),
        ("tensors_counts", onnx_models.identities({"s": 7}, ["n", 3])),
        ("tensors_scalar", onnx_models.identities({"s": 1}, [])),
    ):
        folder = tmp_path_factory.mktemp(name)
        (folder / "model.onnx").write_bytes(content)
        (folder / "labels.txt").write_text("\n".join(LABELS))
        maas.push(folder, name, alias="live")


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


@pytest.mark.full(keep=1)
@pytest.mark.parametrize("binary_in", [True, False])
@pytest.mark.parametrize("binary_out", [True, False])
def test_every_datatype(client: triton.InferenceServerClient, binary_in: bool, binary_out: bool) -> None:
    given = [tensor(f"in_{name}", array, kind, binary=binary_in) for name, (kind, array) in ARRAYS.items()]
    asked = [triton.InferRequestedOutput(f"out_{name}", binary_data=binary_out) for name in ARRAYS]
    answer = client.infer("shared_types", given, outputs=asked)
    for name, (datatype, array) in ARRAYS.items():
        came = answer.as_numpy(f"out_{name}")
        if datatype == "BYTES":
            came = np.array([one.decode() if binary_out else one for one in came], np.object_)
        assert came.dtype == array.dtype
        np.testing.assert_array_equal(came, array, err_msg=name)


def test_bytes(client: triton.InferenceServerClient) -> None:
    wrong = [tensor(f"in_{name}", array, kind) for name, (kind, array) in ARRAYS.items() if name != "string"]
    wrong.append(tensor("in_string", np.array([b"\xff", b""], np.object_), "BYTES"))
    with pytest.raises(InferenceServerException, match=r"inputs\[in_string\].data: got .*UTF-8"):
        client.infer("shared_types", wrong)


@pytest.mark.full
@pytest.mark.usefixtures("models")
def test_bfloat16(client: triton.InferenceServerClient) -> None:
    given = np.array([0.5, -3, np.inf], ml_dtypes.bfloat16)
    came = client.infer("tensors_bf16", [tensor("in_s", given, "BF16")]).as_numpy("out_s")
    assert came.astype(np.float32).tolist() == [0.5, -3, np.inf]


@pytest.mark.full
@pytest.mark.usefixtures("models")
def test_scalar_and_empty_batch(client: triton.InferenceServerClient) -> None:
    assert client.infer("tensors_scalar", [tensor("in_s", np.array(7, np.float32))]).as_numpy("out_s") == 7
    none = client.infer("tensors_scores", [tensor("in_s", np.empty((0, 3), np.float32))]).as_numpy("out_s")
    assert none.shape == (0, 3)


@pytest.mark.full
@pytest.mark.usefixtures("models")
@pytest.mark.parametrize("binary", [True, False])
def test_classification(client: triton.InferenceServerClient, binary: bool) -> None:
    def best(model: str, scores: np.ndarray, datatype: str) -> list[list[str]]:
        asked = [triton.InferRequestedOutput("out_s", binary_data=binary, class_count=2)]
        came = client.infer(model, [tensor("in_s", scores, datatype)], outputs=asked).as_numpy("out_s")
        return [[one.decode() if binary else one for one in row] for row in came]

    assert best("tensors_scores", np.array([[0.25, 0.5, 0.125], [1, 0, 3]], np.float32), "FP32") == [
        ["0.500000:1:dog", "0.250000:0:cat"],
        ["3.000000:2:duck", "1.000000:0:cat"],
    ]
    assert best("tensors_counts", np.array([[7, 9, 8]]), "INT64") == [["9:1:dog", "8:2:duck"]]


@pytest.mark.full
@pytest.mark.usefixtures("models")
def test_labels_file(maas: MaasClient, tmp_path: Path) -> None:
    assert "labels.txt" in [file.name for file in maas.versions.get("tensors_scores", 1).files]
