"""Print the unzipped size of each function's layers; fail over a budget, or if a layer is for another architecture.

`python layers.py .aws-sam/build arm64`
"""

import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from maas_local import intrinsics

MB = 1024 * 1024
HTTP_MB, ANY_MB = 180, 245  # size adds to the cold start; Lambda's limit is 250
MACHINES = {62: "x86_64", 183: "arm64"}  # e_machine of an ELF file


def size_mb(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / MB


def architecture(library: Path) -> str:
    """Of an ELF file, as Lambda names it."""
    with library.open("rb") as file:
        header = file.read(20)
    (machine,) = struct.unpack_from("<H", header, 18)
    return MACHINES.get(machine, f"ELF machine {machine}")


def foreign(layer: Path, expected: str) -> Iterator[str]:
    """The libraries that functions of the expected architecture cannot load."""
    for library in sorted(layer.rglob("*.so*")):
        if (found := architecture(library)) != expected:
            yield f"{library.relative_to(layer.parent)} is for {found}, expected {expected}"


def main(build: Path, expected: str) -> int:
    layers = sorted(build.glob("*Layer"))
    sizes = {layer.name: size_mb(layer) for layer in layers}
    for name, size in sizes.items():
        print(f"{name:<22}{size:7.1f} MB unzipped")
    resources: dict[str, Any] = intrinsics.load((build / "template.yaml").read_text())["Resources"]
    over = False
    for name, resource in resources.items():
        if resource["Type"] != "AWS::Serverless::Function":
            continue
        properties = resource["Properties"]
        answers_http = any(event["Type"] == "HttpApi" for event in properties.get("Events", {}).values())
        budget = HTTP_MB if answers_http else ANY_MB
        total = sum(sizes[layer["Ref"]] for layer in properties["Layers"])
        print(f"{name:<22}{total:7.1f} MB of {budget} MB")
        over = over or total > budget
    wrong = [one for layer in layers for one in foreign(layer, expected)]
    print("\n".join(wrong), end="\n" if wrong else "")
    return over or bool(wrong)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
