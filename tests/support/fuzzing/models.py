"""Broken models by the thousand: `python -m support.fuzzing.models CASES SEED` mutates and inspects real ones.

As in the deployment function, each in a process of its own, here forked with everything imported. Whatever becomes of
it, the parent lives; and a model that is accepted runs with what its signature says, and answers what it says.
"""

import json
import os
import random
import resource
import signal
import sys
import tempfile
from collections import Counter
from pathlib import Path

from maas.deployment.inspection import inspect
from maas.deployment.preparation import Job
from maas.deployment.trial.fills import Trial
from maas.errors import ModelRejected
from maas.records import MetadataTensor
from maas.serving.runner import Runner
from support import networks, onnx_models

MEMORY_BYTES, SECONDS, SEARCH_SECONDS, TENSOR_BYTES = 1 << 30, 20, 0.1, 1 << 26
ACCEPTED, REJECTED, LIED = 0, 10, 11


def originals() -> list[bytes]:
    return [
        onnx_models.linear(),
        onnx_models.identities(onnx_models.ALL_TYPES),
        onnx_models.zipmap(["a", "b"]),
        onnx_models.split(),
        onnx_models.slow(),
        networks.convolutions(blocks=1, channels=8),
        networks.transformer(layers=1, width=16, tokens=4),
    ]


def mutated(content: bytes, rng: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.choice([1, 1, 1, 2, 5])):
        at = rng.randrange(len(changed))
        choice = rng.randrange(4)
        if choice == 0:
            changed[at] ^= 1 << rng.randrange(8)
        elif choice == 1:
            changed[at] = rng.choice([0, 1, 127, 128, 255])
        elif choice == 2:
            del changed[at : at + rng.randint(1, 8)]
        else:
            changed[at:at] = changed[at : at + rng.randint(1, 16)]
        changed = changed or bytearray(b"\0")
    return bytes(changed if rng.random() > 0.1 else changed[: rng.randint(1, len(changed))])


def verdict(content: bytes, folder: Path) -> str:
    """The result of a child process that inspects the model: accepted, rejected, lied, or the signal that ended it."""
    path = folder / "model.onnx"
    path.write_bytes(content)
    child = os.fork()
    if child == 0:
        os._exit(_inspected(path))
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return f"ended by {signal.Signals(os.WTERMSIG(status)).name}"
    return {ACCEPTED: "accepted", REJECTED: "rejected", LIED: "lied"}.get(os.WEXITSTATUS(status), "failed")


def _inspected(path: Path) -> int:
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for descriptor in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
    try:
        found = inspect(Job(str(path), 1, TENSOR_BYTES, str(path.parent), search_seconds=SEARCH_SECONDS))
        return ACCEPTED if _is_true(path, found) else LIED
    except ModelRejected:
        return REJECTED
    except BaseException:
        return 1


def _is_true(path: Path, found: dict[str, object]) -> bool:
    """Whether inputs that fit the signature give outputs that fit it."""
    inputs, outputs = ([MetadataTensor.of(one) for one in found[kind]] for kind in ("inputs", "outputs"))  # type: ignore[attr-defined]
    runner = Runner(path, 1)
    arrays = runner.run(Trial(**found["trial"]).arrays([one for one in inputs if not one.optional]))  # type: ignore[arg-type]
    return all(
        len(tensor.shape) == array.ndim
        and all(fixed in (-1, came) for fixed, came in zip(tensor.shape, array.shape, strict=True))
        for tensor, array in zip(outputs, arrays, strict=True)
    )


def run(cases: int, seed: int) -> Counter[str]:
    rng, counted = random.Random(seed), Counter[str]()
    sources = originals()
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(cases):
            counted[verdict(mutated(rng.choice(sources), rng), Path(folder))] += 1
    return counted


if __name__ == "__main__":
    print(json.dumps(run(int(sys.argv[1]), int(sys.argv[2]))))
