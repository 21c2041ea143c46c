"""The parameters of the tasks on images, from `preprocessor_config.json`."""

import io
from typing import Any

import numpy as np
from PIL import Image

from maas.errors import ModelRejected, RunFailed
from maas.records import MetadataTensor
from maas.serving.datatypes import Array
from maas.serving.runner import Runner
from maas.tasks.image_tasks import vectors
from maas.tasks.images import Images
from maas.tasks.limits import TaskLimits
from maas.tasks.names import IMAGE_CLASSIFICATION
from maas.tasks.recognition.export import PREPROCESSOR, Export
from maas.tasks.recognition.text_tasks import Found, classes

BILINEAR = 2
LARGEST = 4096  # pixels a side
VECTOR_OUTPUTS = ("image_embeds", "pooler_output", "embeddings", "embedding")
_SHORTER_SIDE = ("CLIP", "ConvNext", "ChineseCLIP", "Siglip")  # what an old export's single number is for these
_CONVNEXT_CROPS_BELOW = 384


def sample() -> bytes:
    """A generated picture as PNG."""
    ramp = np.linspace(0, 255, 320, dtype=np.uint8)
    rows, columns = np.meshgrid(ramp[:240], ramp, indexing="ij")
    out = io.BytesIO()
    Image.fromarray(np.stack([rows, columns, rows // 2 + columns // 2], axis=-1)).save(out, "PNG")
    return out.getvalue()


def pixels_of(runner: Runner) -> MetadataTensor | None:
    """The input that takes images, (images, 3, height, width)."""
    required = [tensor for tensor in runner.inputs if not tensor.optional]
    if len(required) != 1 or len(required[0].shape) != 4 or required[0].shape[1] not in (-1, 3):
        return None
    return required[0] if required[0].datatype in ("FP32", "FP16") and required[0].shape[0] in (-1, 1) else None


def image_task(export: Export, runner: Runner, name: str) -> tuple[Found, dict[str, Array]]:
    """The parameters, and the graph's inputs for a sample. Raises ModelRejected."""
    pixels = pixels_of(runner)
    if pixels is None:
        raise ModelRejected("a task on images needs a graph with one input of [images, 3, height, width]")
    parameters = preprocessing(export.object(PREPROCESSOR)) | {"pixels": pixels.name}
    dtype = np.float32 if pixels.datatype == "FP32" else np.float16
    feeds = {pixels.name: Images(parameters, TaskLimits()).array([sample()]).astype(dtype)}
    try:
        arrays = runner.run(feeds)
    except RunFailed as error:
        raise ModelRejected(f"the graph does not take images as {PREPROCESSOR} makes them: {error.message}") from None
    outputs = dict(zip((tensor.name for tensor in runner.outputs), arrays, strict=True))
    found, origins = _classes(export, outputs) if name == IMAGE_CLASSIFICATION else _vectors(outputs)
    return (parameters | found, {"resize": PREPROCESSOR} | origins), feeds


def preprocessing(config: dict[str, Any]) -> dict[str, Any]:
    """`resize` (height, width) or of the shorter side, `crop` (height, width), `scale`, `mean`, `std`."""
    resize, crop = _sizes(config)
    if isinstance(resize, int) and crop is None:
        raise ModelRejected(f"{PREPROCESSOR} resizes by the shorter side alone, so that images would differ in size")
    is_scaled, is_normalized = config.get("do_rescale", True), config.get("do_normalize", True)
    resample = config.get("resample", BILINEAR)
    if type(resample) is not int or not 0 <= resample <= 5:
        raise ModelRejected(f"{PREPROCESSOR}: resample is {resample!r:.40}, expected 0 to 5")
    return {
        "resize": resize,
        "crop": crop,
        "resample": resample,
        "scale": _fraction(config, "rescale_factor", 1 / 255) if is_scaled else 1.0,
        "mean": _channels(config, "image_mean", 0.5) if is_normalized else [0.0] * 3,
        "std": _channels(config, "image_std", 0.5) if is_normalized else [1.0] * 3,
    }


def _sizes(config: dict[str, Any]) -> tuple[list[int] | int | None, list[int] | None]:
    kind = str(config.get("image_processor_type") or config.get("feature_extractor_type") or "")
    resize = _size(config, "size", kind) if config.get("do_resize", True) else None
    crop = _size(config, "crop_size", "") if config.get("do_center_crop") else None
    if kind.startswith("ConvNext") and isinstance(resize, int):
        if resize >= _CONVNEXT_CROPS_BELOW:
            return [resize, resize], None
        return int(resize / _fraction(config, "crop_pct", 224 / 256)), [resize, resize]
    return resize, [crop, crop] if isinstance(crop, int) else crop


def _size(config: dict[str, Any], name: str, kind: str) -> list[int] | int | None:
    value = config.get(name)
    match value:
        case None:
            return None
        case int():
            is_shorter = kind.startswith(_SHORTER_SIDE)
            return _side(value, name) if is_shorter else [_side(value, name)] * 2
        case {"height": height, "width": width}:
            return [_side(height, name), _side(width, name)]
        case {"shortest_edge": shorter}:
            return _side(shorter, name)
    raise ModelRejected(f"{PREPROCESSOR}: {name} is {value!r:.80}, expected height and width, or shortest_edge")


def _side(value: object, name: str) -> int:
    if type(value) is not int or not 1 <= value <= LARGEST:
        raise ModelRejected(f"{PREPROCESSOR}: {name} has {value!r:.40}, expected 1 to {LARGEST} pixels")
    return value


def _fraction(config: dict[str, Any], name: str, default: float) -> float:
    value = config.get(name, default)
    if type(value) not in (int, float) or not 0 < value < 1e6:
        raise ModelRejected(f"{PREPROCESSOR}: {name} is {value!r:.40}, expected a number above 0")
    return float(value)


def _channels(config: dict[str, Any], name: str, default: float) -> list[float]:
    value = config.get(name, [default] * 3)
    is_std = name == "image_std"
    if (
        type(value) is not list
        or len(value) != 3
        or not all(type(one) in (int, float) and -1e6 < one < 1e6 and (one > 0 or not is_std) for one in value)
    ):
        raise ModelRejected(f"{PREPROCESSOR}: {name} is {value!r:.80}, expected three numbers, one a colour")
    return [float(one) for one in value]


def _classes(export: Export, outputs: dict[str, Array]) -> Found:
    fitting = [name for name, array in outputs.items() if array.ndim == 2]
    name = "logits" if "logits" in fitting else fitting[0] if len(fitting) == 1 else None
    if name is None:
        raise ModelRejected(f"image classification needs logits of [images, classes], not {_shapes(outputs)}")
    parameters, origins = classes(export, outputs[name])
    return {"output": name} | parameters, origins


def _vectors(outputs: dict[str, Array]) -> Found:
    named = next((name for name in VECTOR_OUTPUTS if name in outputs), None)
    name = named or next(iter(outputs))
    array = outputs[name]
    pooling = {2: "none", 3: "cls", 4: "mean" if array.shape[2:] != (1, 1) else "none"}.get(array.ndim)
    if pooling is None:
        raise ModelRejected(f"image embeddings need vectors, states or maps of features, not {_shapes(outputs)}")
    width = vectors(array, pooling).shape[1]
    found = {"output": name, "pooling": pooling, "normalize": False, "dimensions": width}
    return found, {"pooling": f"the graph's output '{name}'"}


def _shapes(outputs: dict[str, Array]) -> str:
    return f"{ {name: [*array.shape] for name, array in outputs.items()}!s:.300}"
