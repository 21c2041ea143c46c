"""What to do after a deployment: `sam list stack-outputs --output json | python -m maas_local.next_steps`."""

import json
import sys
from typing import Any

from maas_client.errors import InvalidInput


def steps(listed: str) -> str:
    """Commands for a shell, from the stack's outputs as SAM lists them. Raises InvalidInput if there is no Url."""
    try:
        outputs: dict[str, Any] = {one["OutputKey"]: one["OutputValue"] for one in json.loads(listed)}
    except ValueError:
        outputs = {}
    if "Url" not in outputs:
        raise InvalidInput("the stack has no output Url: it is not deployed")
    key = f"export MAAS_API_KEY=$(.venv/bin/{outputs['FirstKey']})" if "FirstKey" in outputs else ""
    lines = [
        f"\nMaaS is at {outputs['Url']}, for people at {outputs['Url']}/console\n",
        f"export MAAS_URL={outputs['Url']}",
        f"{key}   # once: the first key" if key else "# callers authenticate as docs/security.md says",
        ".venv/bin/maas push model.onnx --name digits --alias production",
    ]
    return "\n".join(lines)


def main() -> int:
    try:
        print(steps(sys.stdin.read()))
    except InvalidInput as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
