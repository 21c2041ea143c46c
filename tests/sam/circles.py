"""Fail if resources of the template depend on each other in a circle after SAM's transformation.

`python circles.py template.yaml`, where SAM is installed. CloudFormation refuses circles; linters pass over what SAM
makes, such as aliases, which need their deployment groups, and those their alarms.
"""

import graphlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

_IN_TEXT = re.compile(r"\$\{([^!}.]+)")


class _NoPolicies:
    def load(self) -> dict[str, str]:
        return {}


def references(value: Any) -> Iterator[str]:
    """The logical ids that a value refers to, and other names that look like them."""
    if isinstance(value, list):
        for item in value:
            yield from references(item)
    elif isinstance(value, dict):
        for name, argument in value.items():
            if name == "Ref":
                yield argument
            elif name == "Fn::GetAtt":
                yield argument[0] if isinstance(argument, list) else argument.partition(".")[0]
            elif name == "Fn::Sub" and isinstance(argument, str):
                yield from _IN_TEXT.findall(argument)
            elif name == "DependsOn":
                yield from [argument] if isinstance(argument, str) else argument
            else:
                yield from references(argument)


def main(path: Path) -> int:
    template = yaml_parse(path.read_text())
    for resource in template["Resources"].values():
        for name in {"CodeUri", "ContentUri"} & resource.get("Properties", {}).keys():
            resource["Properties"][name] = "s3://bucket/key"  # as after `sam package`
    resources = transform(template, {}, _NoPolicies())["Resources"]
    needs = {name: set(references(resource)) & resources.keys() for name, resource in resources.items()}
    try:
        graphlib.TopologicalSorter(needs).prepare()
    except graphlib.CycleError as error:
        print("a circle that CloudFormation would refuse: " + " → ".join(error.args[1]))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
