"""Hold what CloudFormation gets after SAM's transformation against AWS's resource schemas (cfn-lint has them).

`.venv-cloud/bin/python tests/cloud/schemas.py TEMPLATE PARAMETERS.json` prints what does not hold, one line each, and
fails then. PARAMETERS.json maps a stack's name to its parameters: SAM decides with them what it makes, and cfn-lint
follows them into the resources, so that types, patterns and limits are checked with the values themselves.
"""

import json
import os
import sys
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

from cfnlint.api import ManualArgs, lint

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from samtranslator.translator.transform import transform
    from samtranslator.yaml_helper import yaml_parse

CODE = {"Bucket": "code", "Key": "code.zip"}  # where `sam package` puts it


class _NoPolicies:
    def load(self) -> dict[str, str]:
        return {}


def transformed(text: str, parameters: dict[str, str]) -> dict[str, Any]:
    template = yaml_parse(text)
    for resource in template["Resources"].values():
        for name in {"CodeUri", "ContentUri"} & resource.get("Properties", {}).keys():
            resource["Properties"][name] = CODE
    values = {}
    for name, declared in template["Parameters"].items():
        declared["Default"] = values[name] = parameters.get(name, declared["Default"])
    made: dict[str, Any] = transform(template, values, _NoPolicies())
    return made


def main(path: Path, stacks: dict[str, dict[str, str]]) -> int:
    found = []
    kinds: Counter[str] = Counter()
    for name, parameters in stacks.items():
        template = transformed(path.read_text(), parameters)
        kinds.update(resource["Type"] for resource in template["Resources"].values())
        options = ManualArgs(regions=["us-east-1"], ignore_checks=["W", "E2015"])
        found += [f"{name}: {one}" for one in lint(json.dumps(template), config=options)]
    print("\n".join(found) or f"{sum(kinds.values())} resources of {len(kinds)} types in {len(stacks)} stacks")
    return bool(found)


if __name__ == "__main__":
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")  # SAM asks for one
    sys.exit(main(Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text())))
