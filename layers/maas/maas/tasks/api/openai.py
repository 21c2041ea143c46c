"""`POST /v1/embeddings`, as OpenAI's clients send it: https://platform.openai.com/docs/api-reference/embeddings."""

import base64
from collections.abc import Mapping
from typing import Any

import orjson

from maas.errors import InvalidRequest
from maas.serving.oip import kind_of
from maas.serving.strings import bytes_of
from maas.tasks.api.calls import Call, named, options, texts
from maas.tasks.embeddings import EMBEDDING
from maas.tasks.names import IMAGE_EMBEDDINGS, TEXT_EMBEDDINGS
from maas.tasks.options import Options
from maas.tasks.steps import IMAGE, TEXT, TOKENS

FORMATS = ("float", "base64")
TASKS = (TEXT_EMBEDDINGS, IMAGE_EMBEDDINGS)
_FOREIGN = (
    "input: got token ids, expected text: these are of another model's vocabulary. With LangChain's OpenAIEmbeddings "
    "set check_embedding_ctx_length=False; ids of this model's own tokenizer are taken with token_ids: true"
)


def embeddings(call: Call) -> bytes:
    """Raises as `Call.version_for` and `Call.run` do."""
    document = call.document()
    model = named(document)
    read = Options(document, "")
    encoding = read.text("encoding_format", FORMATS[0], FORMATS)
    read.text("user", "")
    given = options(document, "dimensions", "truncate", "normalize", "prompt_name", "token_ids", "variant")
    resolved = call.version_for(model, TASKS)
    task = resolved.version.task
    is_image = task is not None and task.name == IMAGE_EMBEDDINGS
    inputs = {IMAGE: _images(document)} if is_image else {TEXT: _texts(document, read)}
    found = call.run(resolved, inputs, given, [EMBEDDING]).outputs
    rows: Any = found[EMBEDDING]
    if encoding == "base64":
        rows = [base64.b64encode(row.tobytes()).decode() for row in rows]  # float32, little-endian as this CPU
    tokens = int(found[TOKENS].sum()) if TOKENS in found else 0
    answer = {
        "object": "list",
        "data": [{"object": "embedding", "index": index, "embedding": row} for index, row in enumerate(rows)],
        "model": model,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }
    return orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY)


def _texts(document: Mapping[str, Any], read: Options) -> list[Any]:
    """Texts; or rows of token ids, if the request says that they are this model's."""
    value = document.get("input")
    rows = [value] if _is_ids(value) else value
    if isinstance(rows, list) and rows and all(map(_is_ids, rows)):
        if not read.flag("token_ids"):
            raise InvalidRequest(_FOREIGN, field="input")
        return rows
    if read.flag("token_ids"):
        raise InvalidRequest(f"input: got {kind_of(value)}, expected token ids, as token_ids says", field="input")
    return texts(document, "input")


def _is_ids(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(type(one) is int for one in value)


def _images(document: Mapping[str, Any]) -> list[bytes]:
    urls = texts(document, "input")
    for index, url in enumerate(urls):
        if not url.startswith("data:"):
            expected = "an image as a data: URL, which this model takes; no other URL is fetched"
            raise InvalidRequest(f"input[{index}]: got {url!r:.40}, expected {expected}", field="input")
    return [bytes_of(url, f"input[{index}]") for index, url in enumerate(urls)]
