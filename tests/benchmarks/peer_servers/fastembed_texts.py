"""Times of fastembed on a MiniLM: reads {folder, texts, rounds}, prints milliseconds of CPU for each list."""

import json
import statistics
import sys
import time

from fastembed import TextEmbedding
from fastembed.common.model_description import ModelSource, PoolingType

NAME = "minilm-here"


def main() -> None:
    given = json.load(sys.stdin)
    TextEmbedding.add_custom_model(
        model=NAME,
        pooling=PoolingType.MEAN,
        normalization=True,
        sources=ModelSource(hf=NAME),
        dim=384,
        model_file="model.onnx",
    )
    model = TextEmbedding(model_name=NAME, specific_model_path=given["folder"], threads=1)
    found = []
    for texts in given["texts"]:
        list(model.embed(texts))
        times = []
        for _ in range(given["rounds"]):
            started = time.process_time()
            list(model.embed(texts))
            times.append((time.process_time() - started) * 1000)
        found.append(statistics.median(times))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
