"""The server that the clients are tested against, judged by Triton's client."""

import numpy as np
import tritonclient.http as triton

from support.server.server import ContractServer


def test_triton_client_is_answered(server: ContractServer) -> None:
    given = triton.InferInput("x", [2], "BYTES")
    given.set_data_from_numpy(np.array([b"a", b"\xff\x00"], object))
    client = triton.InferenceServerClient(server.url.removeprefix("http://"))
    assert client.infer("echo", [given]).as_numpy("y0").tolist() == [b"a", b"\xff\x00"]
    client.close()
    assert server.arrays[0].tolist() == [b"a", b"\xff\x00"]
