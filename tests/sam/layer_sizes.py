"""Print the unzipped size of each function's layers; fail over a budget. `python layer_sizes.py .aws-sam/build`"""

import sys
from pathlib import Path
from typing import Any

from maas_local import intrinsics

MB = 1024 * 1024
HTTP_MB, ANY_MB = 180, 245  # size adds to the cold start; Lambda's limit is 250


def size_mb(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / MB


def main(build: Path) -> int:
    sizes = {layer.name: size_mb(layer) for layer in sorted(build.glob("*Layer"))}
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
    return over


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
