"""Tasks `image-classification` and `image-embeddings`."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from maas.errors import InvalidRequest
from maas.records import MetadataTensor
from maas.serving.datatypes import DTYPES, Array
from maas.tasks.class_scores import ClassScores
from maas.tasks.embeddings import EMBEDDING
from maas.tasks.images import Images
from maas.tasks.numbers import normalized
from maas.tasks.options import Options
from maas.tasks.steps import IMAGE, Arrays, column
from maas.tasks.text_graph import Call

IMAGE_INPUT = MetadataTensor(IMAGE, "BYTES", (-1,), binary=True)
MAX_ROWS = 16  # of one run


class ImageGraph:
    """The one input that a graph takes of images, and the one output that the task reads."""

    def __init__(
        self, images: Images, pixels: MetadataTensor, output: str, fetch: Callable[[str], bytes] | None
    ) -> None:
        self._images, self._pixels, self._output, self._fetch = images, pixels, output, fetch
        self._rows = MAX_ROWS if pixels.shape[0] == -1 else pixels.shape[0]

    def output(self, inputs: Arrays, call: Call) -> Array:
        """(images, …)."""
        files = column(inputs, IMAGE)
        dtype = DTYPES[self._pixels.datatype]
        parts = []
        for start in range(0, len(files), self._rows):
            contents = [self._content(index, files[index]) for index in range(len(files))[start : start + self._rows]]
            pixels = self._images.array(contents, start).astype(dtype, copy=False)
            (part,) = call({self._pixels.name: pixels}, [self._output])
            parts.append(part)
        return np.concatenate(parts)

    def _content(self, index: int, file: bytes | str) -> bytes:
        """The file, read from its place in S3 if that came in its place."""
        if isinstance(file, bytes):
            return file
        if self._fetch is None:
            raise InvalidRequest(
                f"image {index}: got {file!r:.80}, expected the file itself: only jobs read from S3", field="image"
            )
        return self._fetch(file)


class ImageClassification:
    inputs, texts = (IMAGE_INPUT,), None

    def __init__(self, graph: ImageGraph, parameters: Mapping[str, Any]) -> None:
        self._graph = graph
        self._classes = ClassScores(parameters["labels"], parameters["multi_label"])
        self.outputs, self.labels = self._classes.outputs, self._classes.labels

    def run(self, inputs: Arrays, options: Options, call: Call) -> dict[str, Array]:
        raw = options.flag("raw_scores")
        return dict(self._classes.of(self._graph.output(inputs, call).astype(np.float32, copy=False), raw=raw))


class ImageEmbeddings:
    inputs, texts = (IMAGE_INPUT,), None
    labels = None

    def __init__(self, graph: ImageGraph, parameters: Mapping[str, Any]) -> None:
        self._graph = graph
        self._pooling: str = parameters["pooling"]
        self._normalize: bool = parameters["normalize"]
        self.width: int = parameters["dimensions"]
        self.outputs = (MetadataTensor(EMBEDDING, "FP32", (-1, self.width)),)

    def run(self, inputs: Arrays, options: Options, call: Call) -> dict[str, Array]:
        width = options.whole("dimensions", None, self.width)
        found = vectors(self._graph.output(inputs, call), self._pooling)[:, :width]
        return {EMBEDDING: normalized(found) if options.flag("normalize", self._normalize) else found}


def vectors(output: Array, pooling: str) -> Array:
    """(images, width), float32, of hidden states or feature maps: `none` for vectors, `cls` takes the first state."""
    if pooling == "cls":
        output = output[:, 0]
    elif pooling == "mean":
        output = output.mean(axis=(2, 3)) if output.ndim == 4 else output.mean(axis=1)
    return output.reshape(len(output), -1).astype(np.float32, copy=False)
