"""Check template.yaml as SAM transforms it, for what CloudFormation or API Gateway would refuse only at deployment.

`python transformed.py template.yaml`, where SAM is installed. Linters pass over what SAM adds: aliases, which need
their deployment groups, and those their alarms; and an entry of the API's `servers`.
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


def circles(resources: dict[str, Any]) -> Iterator[str]:
    needs = {name: set(references(resource)) & resources.keys() for name, resource in resources.items()}
    try:
        graphlib.TopologicalSorter(needs).prepare()
    except graphlib.CycleError as error:
        yield "a circle that CloudFormation would refuse: " + " → ".join(error.args[1])


def import_warnings(api: dict[str, Any]) -> Iterator[str]:
    """What API Gateway warns of at the import: https://github.com/aws/serverless-application-model/issues/2424."""
    if api.get("FailOnWarnings"):
        yield "FailOnWarnings: a warning of API Gateway would fail the deployment"
    for server in api["Body"]["servers"]:
        if "url" not in server:
            yield f"an entry of servers without url: {server}"


def main(path: Path) -> int:
    template = yaml_parse(path.read_text())
    for resource in template["Resources"].values():
        for name in {"CodeUri", "ContentUri"} & resource.get("Properties", {}).keys():
            resource["Properties"][name] = "s3://bucket/key"  # as after `sam package`
    resources = transform(template, {}, _NoPolicies())["Resources"]
    found = [*circles(resources), *import_warnings(resources["Api"]["Properties"])]
    print("\n".join(found), end="\n" if found else "")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
