"""Times of infinity-emb's engine on a MiniLM: reads {folder, texts, rounds}, prints milliseconds of CPU for each."""

import asyncio
import json
import statistics
import sys
import time
from typing import Any

import torch
from infinity_emb import AsyncEmbeddingEngine, EngineArgs


async def measured(given: dict[str, Any]) -> list[float]:
    asked = EngineArgs(
        model_name_or_path=given["folder"],
        engine="torch",
        device="cpu",
        dtype="float32",
        bettertransformer=False,
        compile=False,
        model_warmup=False,
    )
    found, engine = [], AsyncEmbeddingEngine.from_args(asked)
    async with engine:
        for texts in given["texts"]:
            await engine.embed(sentences=texts)
            times = []
            for _ in range(given["rounds"]):
                started = time.process_time()
                await engine.embed(sentences=texts)
                times.append((time.process_time() - started) * 1000)
            found.append(statistics.median(times))
    return found


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(json.dumps(asyncio.run(measured(json.load(sys.stdin)))))
