"""Images through the protocols of all models and the routes of clients."""

import base64
import io
import json
from types import ModuleType

from PIL import Image

from support.exports import small
from support.exports.serving import ok, post


def test_images(app: ModuleType) -> None:
    files = [small.picture(colour, kind) for colour, kind in (("red", "PNG"), ("lime", "JPEG"), ("blue", "WEBP"))]
    rows = ok(
        app, "/v1/models/colours:predict", {"instances": [{"b64": base64.b64encode(one).decode()} for one in files]}
    )
    assert [one["label"] for one in rows["predictions"]] == small.COLOURS
    header = json.dumps(
        {
            "inputs": [
                {
                    "name": "image",
                    "shape": [1],
                    "datatype": "BYTES",
                    "parameters": {"binary_data_size": len(files[2]) + 4},
                }
            ]
        }
    ).encode()
    body = header + len(files[2]).to_bytes(4, "little") + files[2]
    status, answer = post(
        app, "/v2/models/colours/infer", body, **{"inference-header-content-length": str(len(header))}
    )
    assert (status, answer["outputs"][0]["data"]) == (200, ["blue"])
    url = "data:image/png;base64," + base64.b64encode(files[0]).decode()
    assert ok(app, "/v1/embeddings", {"model": "vectors", "input": url})["data"][0]["embedding"] == [8.0, -8.0, -8.0]


def test_upright_image(app: ModuleType) -> None:
    """A JPEG that its EXIF turns: red above blue as stored, red beside blue as seen; both halves count the same."""
    picture, out = Image.new("RGB", (16, 32), "blue"), io.BytesIO()
    picture.paste("red", (0, 0, 16, 8))
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.save(out, "JPEG", exif=exif, quality=95)
    body = {"instances": [{"b64": base64.b64encode(out.getvalue()).decode()}]}
    assert ok(app, "/v1/models/colours:predict", body)["predictions"][0]["label"] == "blue"
