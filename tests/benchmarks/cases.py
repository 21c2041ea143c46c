"""The requests that `infer` is measured with: in-process against `session.run`, over HTTP against other servers."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from maas.serving.datatypes import Array
from maas.serving.oip import HEADER_LENGTH
from support import networks
from support.aws.engine import ROOT


@dataclass(frozen=True)
class Case:
    """`x` goes to the model and `y` has to come back, in JSON or, where `binary`, in the binary extension, both ways.

    `calls` are those of one round; `budget_us` is for what the handler adds to `session.run`.
    """

    name: str
    model: str
    content: bytes
    x: Array
    y: Array
    calls: int
    binary: bool = False
    budget_us: float | None = None

    @cached_property
    def body(self) -> bytes:
        tensor: dict[str, Any] = {"name": "x", "shape": self.x.shape, "datatype": self._datatype}
        if not self.binary:
            return json.dumps({"inputs": [tensor | {"data": self.x.ravel().tolist()}]}).encode()
        return self._header([tensor | {"parameters": {"binary_data_size": self.x.nbytes}}]) + self.x.tobytes()

    @cached_property
    def headers(self) -> dict[str, str]:
        if not self.binary:
            return {"content-type": "application/json"}
        length = len(self.body) - self.x.nbytes
        return {"content-type": "application/octet-stream", HEADER_LENGTH: str(length)}

    def event(self, model: str) -> dict[str, Any]:
        """The request as API Gateway passes it on, to version 1 of this model."""
        event: dict[str, Any] = json.loads((ROOT / "events" / "inference_infer.json").read_text())
        event["rawPath"] = f"/v2/models/{model}/versions/1/infer"
        event["headers"] |= self.headers
        event["body"] = base64.b64encode(self.body).decode() if self.binary else self.body.decode()
        event["isBase64Encoded"] = self.binary
        return event

    def check(self, headers: Mapping[str, str], answer: bytes) -> None:
        """Raises AssertionError if `y` is not in this answer, to the last bit, in the form that was asked for."""
        length = int(headers.get(HEADER_LENGTH) or len(answer))
        assert (length < len(answer)) == self.binary, f"{self.name}: JSON and binary confused"
        (output,) = json.loads(answer[:length])["outputs"]
        found = np.frombuffer(answer[length:], np.float32) if self.binary else np.array(output["data"], self.y.dtype)
        assert output["datatype"] == self._datatype, output["datatype"]
        assert np.array_equal(found.reshape(self.y.shape), self.y), f"{self.name}: another answer than expected"

    @property
    def _datatype(self) -> str:
        return "BYTES" if self.x.dtype.hasobject else "FP32"

    def _header(self, inputs: list[dict[str, Any]]) -> bytes:
        return json.dumps({"inputs": inputs, "parameters": {"binary_data_output": True}}).encode()


def cases() -> list[Case]:
    random = np.random.default_rng(0)
    row, pixels = (random.random(shape).astype(np.float32) for shape in ([1, 64], [1, 3, 224, 224]))
    words = np.array([f"word {number}, größer" for number in range(64)], object)
    vector, image = networks.doubled(["n", 64]), networks.doubled(["n", 3, 224, 224])
    return [
        Case("[1,64] FP32 JSON", "vector", vector, row, row * 2, calls=100, budget_us=100),
        Case("[1,3,224,224] FP32 JSON", "image", image, pixels, pixels * 2, calls=5),
        Case("[1,3,224,224] FP32 binary", "image", image, pixels, pixels * 2, calls=20, binary=True),
        Case("[64] BYTES JSON", "words", networks.words(), words, words, calls=100),
    ]
