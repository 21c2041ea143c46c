"""Small exports of every task: random weights, and a tokenizer that is trained here."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

from maas.serving.datatypes import Array
from support.exports import bert
from support.exports.bert import Shape

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
TEXTS = [
    "The cat sat on the mat. A dog barked at the cat in Berlin.",
    "Paris is the capital of France, and Berlin is the capital of Germany.",
    "How do I open a bank account? Ask Maria Schmidt of Deutsche Bank.",
    "Le chat est assis sur le tapis; il fait beau aujourd'hui à Genève.",
    "positive negative neutral good bad great terrible movie film service",
]
MAX_LENGTH = 48
ENTITIES = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
_ARCHITECTURES = {
    "embeddings": ("BertModel", bert.NONE, []),
    "rerank": ("BertForSequenceClassification", bert.SEQUENCE, ["LABEL_0"]),
    "text-classification": ("BertForSequenceClassification", bert.SEQUENCE, ["negative", "neutral", "positive"]),
    "zero-shot-classification": (
        "BertForSequenceClassification",
        bert.SEQUENCE,
        ["contradiction", "neutral", "entailment"],
    ),
    "token-classification": ("BertForTokenClassification", bert.TOKEN, ENTITIES),
    "fill-mask": ("BertForMaskedLM", bert.MLM, []),
}
TEXT_TASKS = tuple(_ARCHITECTURES)
Files = dict[str, bytes]


@dataclass(frozen=True)
class TextExport:
    """`files` by name; `shape`, `head` and `weights` are of the reference."""

    files: Files
    shape: Shape
    head: str
    weights: Mapping[str, Array]

    @property
    def tokenizer(self) -> Tokenizer:
        return Tokenizer.from_str(self.files["tokenizer.json"].decode())

    def reference(self, ids: list[int], types: list[int] | None = None) -> Array:
        return bert.reference(self.weights, self.shape, self.head, ids, types)


@cache
def tokenizer_json() -> bytes:
    """A WordPiece tokenizer as BERT's, with a truncation and a padding that it shall not keep."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=200, special_tokens=SPECIAL, show_progress=False)
    tokenizer.train_from_iterator(TEXTS, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.enable_truncation(16)
    tokenizer.enable_padding(length=16)
    return tokenizer.to_str().encode()


@cache
def text_export(task: str) -> TextExport:
    """An export of this task, with every file that the transformers library writes for it."""
    architecture, head, labels = _ARCHITECTURES[task]
    size = Tokenizer.from_str(tokenizer_json().decode()).get_vocab_size()
    shape = Shape(size)
    weights = bert.random_weights(shape, head, len(labels))
    config: dict[str, Any] = {
        "architectures": [architecture],
        "model_type": "bert",
        "vocab_size": size,
        "hidden_size": shape.hidden,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "intermediate_size": shape.inner,
        "max_position_embeddings": shape.positions,
        "layer_norm_eps": bert.EPSILON,
        "pad_token_id": 0,
    }
    if labels:
        config["id2label"] = {str(index): label for index, label in enumerate(labels)}
    files = {
        "model.onnx": bert.graph(weights, shape, head),
        "tokenizer.json": tokenizer_json(),
        "config.json": _json(config),
        "tokenizer_config.json": _json({"model_max_length": MAX_LENGTH, "tokenizer_class": "BertTokenizer"}),
        "special_tokens_map.json": _json({"mask_token": {"content": "[MASK]"}, "pad_token": "[PAD]"}),
    }
    if task == "embeddings":
        kinds = ("Transformer", "Pooling", "Normalize")
        files["modules.json"] = _json(
            [{"idx": i, "type": f"sentence_transformers.models.{one}"} for i, one in enumerate(kinds)]
        )
        files["1_Pooling/config.json"] = _json(
            {
                "word_embedding_dimension": shape.hidden,
                "pooling_mode_cls_token": False,
                "pooling_mode_mean_tokens": True,
            }
        )
        files["sentence_bert_config.json"] = _json({"max_seq_length": MAX_LENGTH - 8, "do_lower_case": False})
    return TextExport(files, shape, head, weights)


def changed(export: TextExport, **objects: Any) -> Files:
    """The files with other JSON by name (`config` for config.json); None leaves the file out."""
    files = dict(export.files)
    for name, value in objects.items():
        file = {"pooling": "1_Pooling/config.json"}.get(name, f"{name}.json")
        files.pop(file, None)
        if value is not None:
            files[file] = value if isinstance(value, bytes) else _json(value)
    return files


def config_of(export: TextExport, **fields: Any) -> dict[str, Any]:
    """Its config.json with these fields; None leaves a field out."""
    config = json.loads(export.files["config.json"]) | fields
    return {name: value for name, value in config.items() if value is not None}


COLOURS = ["red", "green", "blue"]
SIDE = 8
PREPROCESSOR = {
    "image_processor_type": "ViTImageProcessor",
    "do_resize": True,
    "size": {"height": SIDE, "width": SIDE},
    "resample": 2,
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.25, 0.25, 0.25],
}


def image_export(*, classes: bool = True) -> Files:
    """Tells the strongest colour of a picture; without `classes` its output is the mean of each colour."""
    weight = numpy_helper.from_array(4 * np.eye(3, dtype=np.float32), "w")
    nodes = [
        helper.make_node("GlobalAveragePool", ["pixel_values"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["means"]),
        helper.make_node("MatMul", ["means", "w"], ["logits" if classes else "image_embeds"]),
    ]
    output = "logits" if classes else "image_embeds"
    graph = helper.make_graph(
        nodes,
        "colours",
        [helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, ["batch_size", 3, SIDE, SIDE])],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["batch_size", 3])],
        [weight],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", bert.OPSET)], ir_version=10)
    config: dict[str, Any] = {"architectures": ["ViTForImageClassification" if classes else "ViTModel"]}
    if classes:
        config["id2label"] = dict(enumerate(COLOURS))
    return {
        "model.onnx": model.SerializeToString(),
        "config.json": _json(config),
        "preprocessor_config.json": _json(PREPROCESSOR),
    }


def picture(colour: str, kind: str = "PNG", size: tuple[int, int] = (20, 10)) -> bytes:
    """A file of one colour."""
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, kind)
    return out.getvalue()


def written(files: Files, folder: Path) -> Path:
    """The folder with these files; returns the model's path."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return next(folder / name for name in files if name.endswith(".onnx"))


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()
