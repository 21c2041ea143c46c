"""Shell commands that call a version with a task."""

import json
from shlex import quote

from maas_client.cli.addressing import authorization, server_option
from maas_client.records.models import Task

_TEXTS = ("The cat sat on the mat.", "A kitten slept on the rug.", "Interest rates rose in March.")
_QUERY = "Where did the cat sit?"
_ENTITIES = "Maria Schmidt works for Deutsche Bank in Berlin."


def task_commands(task: Task, reference: str, url: str, *, key: bool) -> list[str]:
    """`maas` with a sample, and curl for what OpenAI's and Cohere's clients call."""
    model, at = quote(reference), server_option(url)
    curl = f"curl -sS {authorization(url, key)}-H 'content-type: application/json' {url}"
    match task.name:
        case "embeddings":
            body = json.dumps({"model": reference, "input": _TEXTS[0]})
            texts = " ".join(map(quote, _TEXTS))
            return [f"maas embed {model} {texts}{at}", f"{curl}/v1/embeddings -d {quote(body)}"]
        case "rerank":
            body = json.dumps({"model": reference, "query": _QUERY, "documents": _TEXTS})
            lines = " ".join(map(quote, _TEXTS))
            return [
                f"printf '%s\\n' {lines} | maas rerank {model} {quote(_QUERY)} -{at}",
                f"{curl}/v2/rerank -d {quote(body)}",
            ]
        case "image-classification":
            return [f"maas predict {model} --image cat.jpg{at}"]
        case "image-embeddings":
            return [f"maas embed {model} --image cat.jpg --image dog.jpg{at}"]
    text, option = _TEXTS[0], ""
    if task.name == "zero-shot-classification":
        option = " --option candidate_labels=animals,finance"
    if task.name == "fill-mask":
        text = f"The cat sat on the {task.parameters.get('mask_token', '[MASK]')}."
    if task.name == "token-classification":
        text = _ENTITIES
    return [f"maas predict {model} --text {quote(text)}{option}{at}"]
