"""SAM's transformation sees the values of parameters, as on AWS; MiniStack passes none.

`AutoPublishCodeSha256: !Ref Release` decides with them whether a function gets a new version:
https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-function.html
"""

from typing import Any

from ministack.services.cloudformation import changesets, engine, handlers
from samtranslator.translator import transform as sam


def mend() -> None:
    transform, apply = sam.transform, engine._apply_transforms
    values: dict[str, Any] = {}
    sam.transform = lambda template, _, loader: transform(template, dict(values), loader)

    def apply_with_values(template: dict[str, Any], provided: Any = None, previous: Any = None) -> Any:
        values.clear()
        values.update(engine._transform_parameters(template, provided, previous))
        return apply(template, provided, previous)

    for module in (changesets, engine, handlers):
        module._apply_transforms = apply_with_values
