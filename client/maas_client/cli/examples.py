"""Shell commands that call a version with zeros."""

import json
from math import prod
from urllib.parse import urlsplit

from maas_client.inference_records import MetadataTensor
from maas_client.model_records import ModelVersion
from maas_client.settings import DEFAULT_URL
from maas_client.sigv4 import aws_host

SPELLED_OUT = 16
_ZEROS = {"BOOL": "false", "BYTES": '"text"'}


def commands_for(version: ModelVersion, url: str, alias: str | None, *, key: bool) -> list[str]:
    """`maas predict` and curl with one record. Variable dimensions are 1, values zero, false or "text"."""
    request = f"""echo '{{"inputs":[{",".join(_input(tensor) for tensor in version.inputs)}]}}'"""
    which = alias or str(version.version)
    at = "" if url == DEFAULT_URL else f" --url {url}"
    path = f"{url}/v2/models/{version.model}/versions/{which}/infer"
    return [
        f"{request} | maas predict {version.model}@{which} --input -{at}",
        f"{request} | curl -sS {_authorization(url, key)}--data-binary @- {path}",
    ]


def _input(tensor: MetadataTensor) -> str:
    shape = [1 if dimension == -1 else dimension for dimension in tensor.shape]
    zero, count = _ZEROS.get(tensor.datatype, "0"), prod(shape)
    # The shell generates many values, between two single-quoted pieces.
    data = ",".join([zero] * count) if count <= SPELLED_OUT else f"'$(yes '{zero}' | head -n {count} | paste -sd, -)'"
    head = json.dumps({"name": tensor.name, "shape": shape, "datatype": tensor.datatype}, separators=(",", ":"))
    return head.replace("'", "'\\''")[:-1] + f',"data":[{data}]}}'


def _authorization(url: str, key: bool) -> str:
    if key:
        return '-H "x-api-key: $MAAS_API_KEY" '
    host = aws_host(urlsplit(url).hostname or "")
    if host is None:
        return ""
    return (
        f'--aws-sigv4 aws:amz:{host.region}:{host.service} --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" '
        '-H "x-amz-security-token: $AWS_SESSION_TOKEN" '
    )
