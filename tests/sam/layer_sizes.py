"""Print the unzipped size of the built layers; fail over the budget. `python layer_sizes.py .aws-sam/build`"""

import sys
from pathlib import Path

MB = 1024 * 1024
BUDGET_MB = 180  # what the HTTP functions carry
BATCH_BUDGET_MB = 245  # what the batch functions do: all layers; Lambda's own limit is 250
BATCH_ALONE = "ParquetLayer"


def size_mb(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / MB


def main(build: Path) -> int:
    sizes = {layer.name: size_mb(layer) for layer in sorted(build.glob("*Layer"))}
    for name, size in sizes.items():
        print(f"{name:<20}{size:7.1f} MB unzipped")
    total = sum(sizes.values())
    http = total - sizes.get(BATCH_ALONE, 0)
    print(f"{'HTTP functions':<20}{http:7.1f} MB of {BUDGET_MB} MB")
    print(f"{'batch functions':<20}{total:7.1f} MB of {BATCH_BUDGET_MB} MB")
    return http > BUDGET_MB or total > BATCH_BUDGET_MB


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
