"""Loads the steps of a version's task: imports `tokenizers` or Pillow, whichever it needs, and only now."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from maas.records import TOKENIZER_NAME, Task
from maas.serving.runner import Runner
from maas.tasks.limits import TaskLimits
from maas.tasks.names import (
    FILL_MASK,
    IMAGE_CLASSIFICATION,
    IMAGE_TASKS,
    RERANK,
    TEXT_EMBEDDINGS,
    TOKEN_CLASSIFICATION,
    ZERO_SHOT,
)
from maas.tasks.steps import Steps
from maas.tasks.task_runner import TaskRunner

Fetch = Callable[[str], bytes]
Make = Callable[..., Steps]


def root_of(model: Path) -> Path:
    """The export's folder: the model lies in it, or in its folder `onnx`."""
    return model.parent.parent if model.parent.name == "onnx" else model.parent


def task_runner(raw: Runner, root: Path, task: Task, limits: TaskLimits, fetch: Fetch | None = None) -> TaskRunner:
    """`root` is the folder with the tokenizer; `fetch` reads an image by its place in S3. Raises ModelRejected."""
    output = task.parameters["output"]
    steps = _of_images(raw, task, output, limits, fetch) if task.name in IMAGE_TASKS else _of_texts(raw, root, task)
    return TaskRunner(task.name, raw, steps, limits)


def _of_texts(raw: Runner, root: Path, task: Task) -> Steps:
    from maas.tasks.text_graph import TextGraph
    from maas.tasks.texts import Texts

    texts = Texts(root / TOKENIZER_NAME, task.parameters)
    return _text_steps(task.name)(
        texts, TextGraph(raw.inputs, task.parameters["output"], texts.pad_id), task.parameters
    )


def _text_steps(name: str) -> Make:
    if name == TEXT_EMBEDDINGS:
        from maas.tasks.embeddings import Embeddings

        return Embeddings
    if name == RERANK:
        from maas.tasks.rerank import Rerank

        return Rerank
    if name == TOKEN_CLASSIFICATION:
        from maas.tasks.token_classification import TokenClassification

        return TokenClassification
    if name == FILL_MASK:
        from maas.tasks.fill_mask import FillMask

        return FillMask
    from maas.tasks.text_classification import TextClassification, ZeroShotClassification

    return ZeroShotClassification if name == ZERO_SHOT else TextClassification


def _of_images(raw: Runner, task: Task, output: str, limits: TaskLimits, fetch: Fetch | None) -> Steps:
    from maas.tasks.image_tasks import ImageClassification, ImageEmbeddings, ImageGraph
    from maas.tasks.images import Images

    pixels = next(tensor for tensor in raw.inputs if tensor.name == task.parameters["pixels"])
    make = ImageClassification if task.name == IMAGE_CLASSIFICATION else ImageEmbeddings
    parameters: Mapping[str, Any] = task.parameters
    return make(ImageGraph(Images(parameters, limits), pixels, output, fetch), parameters)
