"""What a call takes: gzip by itself, errors that name the way out, and that way taken if asked."""

import json
import time
from typing import Any

import numpy as np
import pytest

from maas_client import JobTimedOut, NoAnswerInTime, TooLarge
from maas_client.calls import Body, json_body
from maas_client.payloads import BINARY_BYTES, BODY_BYTES, EVENT_BYTES, UNPACKED_BYTES, carried
from maas_client.protocol.requests import Wanted, infer_call
from maas_local.functions import PAYLOAD_LIMIT_BYTES
from support.server.server import ContractServer, Drip, inferences

IMAGE = np.tile(np.arange(256, dtype=np.float32) / 255, 1 * 3 * 640 * 640 // 256).reshape(-1, 2)  # 4.9 MB
NOISE = np.random.default_rng(7).integers(0, 2**32, (620_000, 2), np.uint32).view(np.float32)  # 5 MB


def binary(size_bytes: int) -> Body:
    return Body(np.random.default_rng(7).bytes(size_bytes), {"content-type": "application/octet-stream"})


def test_bodies_up_to_the_limit_go_as_they_are() -> None:
    assert PAYLOAD_LIMIT_BYTES == EVENT_BYTES
    assert BINARY_BYTES * 4 // 3 <= BODY_BYTES
    for body in (binary(BINARY_BYTES), json_body([1] * (BODY_BYTES // 2 - 2))):
        assert carried(body) is body
    with pytest.raises(TooLarge):
        carried(binary(BINARY_BYTES + 1))


def test_quotes_count_twice_in_json() -> None:
    texts = json_body(["ab"] * 900_000)
    assert len(texts.content) < BODY_BYTES
    assert carried(texts).headers["content-encoding"] == "gzip"


def test_what_the_server_would_not_unpack_is_refused() -> None:
    with pytest.raises(TooLarge, match=r"67,108,865 bytes, a call takes 67,108,864; infer_later"):
        carried(Body(bytes(UNPACKED_BYTES + 1), {"content-type": "application/octet-stream"}))


@pytest.mark.full
def test_large_images_go_with_gzip(server: ContractServer, maas: Any) -> None:
    for array in (IMAGE, IMAGE):
        np.testing.assert_array_equal(maas.infer("echo", {"x": array})["y0"], array)
    request = {"inputs": [{"name": "x", "shape": [len(IMAGE), 2], "datatype": "FP32", "data": IMAGE.ravel().tolist()}]}
    assert maas.infer_json("echo", request)["outputs"][0]["shape"] == [len(IMAGE), 2]
    assert [headers["content-encoding"] for _, _, headers, _ in server.seen] == ["gzip"] * 3
    assert max(int(headers["content-length"]) for _, _, headers, _ in server.seen) < BINARY_BYTES


def test_the_error_names_the_way_out(server: ContractServer, maas: Any) -> None:
    taken = r"4,96\d,\d{3} bytes, .* a call takes 4,694,016\. infer_later.*--later"
    with pytest.raises(TooLarge, match=taken) as caught:
        maas.infer("echo", {"x": NOISE})
    assert (caught.value.status, server.seen) == (413, [])
    server.trouble = inferences((413, {}, json.dumps({"error": "the encoded response has 7,000,000 bytes"}).encode()))
    with pytest.raises(TooLarge, match="the encoded response has 7,000,000 bytes; infer_later"):
        maas.infer("echo", {"x": NOISE[:1]})


def test_large_requests_and_answers_go_later_if_asked(server: ContractServer, maas: Any) -> None:
    np.testing.assert_array_equal(maas.infer("echo", {"x": NOISE}, large="later")["y0"], NOISE)
    server.trouble = inferences((413, {}, b'{"message": "Request Entity Too Large"}'))
    answered = maas.infer_response("echo", {"x": NOISE[:1]}, large="later", request_id="7", timeout_seconds=60)
    np.testing.assert_array_equal(answered.outputs["y0"], NOISE[:1])
    assert answered.id == "7"
    assert len(server.jobs) == 2
    assert maas.infer("echo", {"x": NOISE[:1]}, large="later")["y0"].shape == (1, 2)
    assert len(server.jobs) == 2


def test_variants_are_asked_for_later_too(server: ContractServer, maas: Any) -> None:
    job = maas.infer_later("echo", {"x": NOISE[:1]}, variant="dynamic-int8")
    maas.jobs.answer(job)
    assert server.requests[-1]["parameters"]["variant"] == "dynamic-int8"


def test_each_attempt_says_the_time_that_is_left() -> None:
    call = infer_call({"x": IMAGE}, Wanted("echo", None))
    assert call.body is not None
    assert call.body(5).content != call.body(4).content


def test_the_way_by_later_ends_in_time(server: ContractServer, maas: Any) -> None:
    for trouble in (("PUT /bucket", Drip(b"HTTP/1.1 200 OK\r\n" + b"x" * 1000, 0.1)), ("PUT /bucket", 100.0)):
        server.trouble = [trouble]
        started = time.monotonic()
        with pytest.raises(NoAnswerInTime):
            maas.infer("echo", {"x": NOISE}, large="later", timeout_seconds=1.5)
        assert time.monotonic() - started < 50
    server.holds = True
    server.trouble = inferences((413, {}, b'{"message": "Request Entity Too Large"}'))
    with pytest.raises(JobTimedOut):
        maas.infer("echo", {"x": NOISE[:1]}, large="later", timeout_seconds=2)
