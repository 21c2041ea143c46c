"""Run as `python -m benchmarks.zoo` (`make models`): push every model of tests/zoo and write docs/models.md."""

import sys
import time
from pathlib import Path

import onnxruntime as ort

from maas_client import MaasClient
from maas_client.records.models import ModelVersion
from maas_local.stack import LocalStack
from support import zoo
from support.aws.engine import ROOT
from support.zoo import ANIMALS, Animal

PAGE = ROOT / "docs" / "models.md"
INTRODUCTION = """# Models that were tried

Real models out of packages of the Python index, pushed as they are, without hints: `maas push FILE`. The test suite
(`tests/zoo`, in `make test-all`) pushes each and compares the answers of every client with bare onnxruntime's, bit for
bit. `make models` writes this page.

- **push**: seconds from `maas push` to READY on `maas local`: upload, checks, smoke run, prepared form, profile.
- **bare**: milliseconds that onnxruntime alone takes to load the file and run it once, in a warm process.
- **first**: milliseconds of the first inference over HTTP, which loads the model; **ratio** is first to bare.
- **tried with**: the shapes that the smoke run found, and where from; "as declared" where no dimension is variable.

| model | package | MB | push s | bare ms | first ms | ratio | tried with |
|---|---|---|---|---|---|---|---|
"""


def bare_ms(path: Path, animal: Animal) -> float:
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    inputs = animal.inputs()
    started = time.perf_counter()
    ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"]).run(None, inputs)
    return (time.perf_counter() - started) * 1000


def needed(version: ModelVersion) -> str:
    """The shapes of the variable inputs in the smoke run, and the version's warnings."""
    profile = version.profile or {}
    shapes = profile.get("shapes", {})
    variable = [tensor.name for tensor in version.inputs if -1 in tensor.shape and tensor.name in shapes]
    told = ", ".join(f"{name} {'×'.join(map(str, shapes[name])) or 'scalar'}" for name in variable[:3])
    more = f" and {len(variable) - 3} more" if len(variable) > 3 else ""
    return "; ".join([told + more or "as declared", *version.warnings]).replace("|", "\\|")


def row(maas: MaasClient, name: str, animal: Animal) -> str:
    path, inputs = zoo.file_of(animal), animal.inputs()
    started = time.perf_counter()
    version = maas.push(path, name)
    push_seconds = time.perf_counter() - started
    bare = bare_ms(path, animal)
    started = time.perf_counter()
    if sum(array.nbytes for array in inputs.values()) > 4_000_000:
        maas.jobs.answer(maas.infer_later(name, inputs))
    else:
        maas.infer(name, inputs)
    first = (time.perf_counter() - started) * 1000
    figures = f"{path.stat().st_size / 1e6:.1f} | {push_seconds:.1f} | {bare:.0f} | {first:.0f} | {first / bare:.1f}"
    return f"| {animal.what} | {animal.package} | {figures} | {needed(version)} |"


def main() -> int:
    rows = []
    with LocalStack.start() as stack, MaasClient(stack.url, stack.api_key) as maas:
        for name, animal in ANIMALS.items():
            rows.append(row(maas, name, animal))
            print(rows[-1], flush=True)
    PAGE.write_text(INTRODUCTION + "\n".join(rows) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
