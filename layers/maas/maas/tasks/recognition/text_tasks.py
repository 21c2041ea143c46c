"""The parameters of each task on text."""

from collections.abc import Callable, Sequence
from typing import Any

from maas.errors import ModelRejected
from maas.serving.datatypes import Array
from maas.tasks.names import FILL_MASK, RERANK, TEXT_CLASSIFICATION, TEXT_EMBEDDINGS, TOKEN_CLASSIFICATION, ZERO_SHOT
from maas.tasks.numbers import POOLINGS
from maas.tasks.recognition.export import POOLING, Export
from maas.tasks.recognition.text_probe import TextProbe

Found = tuple[dict[str, Any], dict[str, str]]  # parameters, and where each came from
HIDDEN = ("last_hidden_state", "token_embeddings", "hidden_states")
VECTORS = ("sentence_embedding", "sentence_embeddings", "text_embeds", "embeddings", "embedding")
_IGNORED_MODULES = ("Transformer", "Pooling", "Normalize", "Dropout", "")
ENTAILMENT, CONTRADICTION = "entail", "contradict"


def embeddings(export: Export, probe: TextProbe) -> Found:
    modules = list(export.modules())
    vectors = _named(probe, VECTORS, 2)
    others = [one for one in modules if one not in _IGNORED_MODULES]
    if others and vectors is None:
        raise ModelRejected(f"modules.json has {others[0]}, which is not in the graph: export it with its modules")
    parameters, origins = _prompts(export)
    pooling: list[str] = []
    if vectors:
        output, origin = vectors, f"the graph's output '{vectors}'"
    else:
        pooling, output, origin = _pooling(export, probe)
    width = probe.outputs[output].shape[-1] * max(1, len(pooling))
    is_normalized = "Normalize" in modules
    return (
        {"output": output, "pooling": pooling, "normalize": is_normalized, "dimensions": width} | parameters,
        {"pooling": origin, "normalize": "modules.json" if modules else "default"} | origins,
    )


def _pooling(export: Export, probe: TextProbe) -> tuple[list[str], str, str]:
    """The modes, the output with the hidden states, and where the modes came from."""
    hidden = _named(probe, HIDDEN, 3) or _only(probe, 3)
    if hidden is None:
        shapes = {name: [*array.shape] for name, array in probe.outputs.items()}
        wanted = f"{POOLING} pools hidden states" if export.has(POOLING) else "embeddings need hidden states"
        raise ModelRejected(f"{wanted}, which the graph does not give: its outputs are {shapes!s:.300}")
    if not export.has(POOLING):
        return ["mean_tokens"], hidden, "default"
    config = export.object(POOLING)
    modes = [mode for mode in POOLINGS if config.get(f"pooling_mode_{mode}") is True]
    if not modes:
        raise ModelRejected(f"{POOLING} sets none of {', '.join(f'pooling_mode_{mode}' for mode in POOLINGS)}")
    width, states = config.get("word_embedding_dimension"), probe.outputs[hidden].shape[-1]
    if width is not None and width != states:
        raise ModelRejected(f"{POOLING} pools states of {width!r:.40} numbers, the graph's '{hidden}' have {states}")
    return modes, hidden, POOLING


def _prompts(export: Export) -> Found:
    config = export.object("config_sentence_transformers.json")
    prompts, default = config.get("prompts") or {}, config.get("default_prompt_name")
    is_text = isinstance(prompts, dict) and all(type(one) is str for one in prompts.values())
    if not is_text or (default is not None and default not in prompts):
        raise ModelRejected("config_sentence_transformers.json: prompts are no texts by name, or miss the default one")
    if not any(prompts.values()):
        return {}, {}
    return {"prompts": prompts, "default_prompt": default}, {"prompts": "config_sentence_transformers.json"}


def rerank(export: Export, probe: TextProbe) -> Found:
    output = _logits(probe, 2)
    if probe.outputs[output].shape[-1] != 1:
        raise ModelRejected(f"task rerank needs one logit a pair, the graph gives {[*probe.outputs[output].shape]}")
    return {"output": output}, {}


def text_classification(export: Export, probe: TextProbe) -> Found:
    output = _logits(probe, 2)
    parameters, origins = classes(export, probe.outputs[output])
    return {"output": output} | parameters, origins


def token_classification(export: Export, probe: TextProbe) -> Found:
    output = _logits(probe, 3)
    labels, origin = class_names(export, probe.outputs[output])
    return {"output": output, "labels": labels}, {"labels": origin}


def zero_shot_classification(export: Export, probe: TextProbe) -> Found:
    output = _logits(probe, 2)
    labels, origin = class_names(export, probe.outputs[output])
    places = [
        next((index for index, label in enumerate(labels) if label.lower().startswith(kind)), None)
        for kind in (ENTAILMENT, CONTRADICTION)
    ]
    if None in places:
        raise ModelRejected(f"zero-shot classification needs the classes entailment and contradiction, not {labels}")
    return {"output": output, "entailment": places[0], "contradiction": places[1]}, {"entailment": origin}


def fill_mask(export: Export, probe: TextProbe) -> Found:
    output = _logits(probe, 3)
    if probe.outputs[output].shape[-1] < probe.texts.vocabulary:
        width = probe.outputs[output].shape[-1]
        raise ModelRejected(f"the graph scores {width:,} tokens, tokenizer.json has {probe.texts.vocabulary:,}")
    token = export.special_token("mask_token")
    token_id = probe.texts.id_of(token) if token else None
    if token_id is None:
        raise ModelRejected("special_tokens_map.json names no mask_token that tokenizer.json knows")
    return {"output": output, "mask_token": token, "mask_id": token_id}, {"mask_token": "special_tokens_map.json"}


def classes(export: Export, logits: Array) -> Found:
    """Labels, and whether each has a score of its own."""
    labels, origin = class_names(export, logits)
    multi = export.config.get("problem_type") == "multi_label_classification" or len(labels) == 1
    return {"labels": labels, "multi_label": multi}, {"labels": origin, "multi_label": "config.json problem_type"}


def class_names(export: Export, logits: Array) -> tuple[list[str], str]:
    """Raises ModelRejected unless there is a label for each logit."""
    found, count = export.labels(), logits.shape[-1]
    if found is None:
        raise ModelRejected(f"the graph has {count} classes without names: add id2label to config.json, or labels.txt")
    if len(found[0]) != count:
        raise ModelRejected(f"{found[1]} names {len(found[0])} classes, the graph has {count}")
    return found


def _logits(probe: TextProbe, rank: int) -> str:
    found = _named(probe, ("logits",), rank) or _only(probe, rank)
    if found is None:
        shapes = {name: [*array.shape] for name, array in probe.outputs.items()}
        raise ModelRejected(f"the task needs logits of rank {rank}, the graph's outputs are {shapes!s:.300}")
    return found


def _named(probe: TextProbe, names: Sequence[str], rank: int) -> str | None:
    return next((name for name in names if name in probe.outputs and probe.outputs[name].ndim == rank), None)


def _only(probe: TextProbe, rank: int) -> str | None:
    fitting = [name for name, array in probe.outputs.items() if array.ndim == rank]
    return fitting[0] if len(fitting) == 1 else None


TEXT_TASKS: dict[str, Callable[[Export, TextProbe], Found]] = {
    TEXT_EMBEDDINGS: embeddings,
    RERANK: rerank,
    TEXT_CLASSIFICATION: text_classification,
    TOKEN_CLASSIFICATION: token_classification,
    ZERO_SHOT: zero_shot_classification,
    FILL_MASK: fill_mask,
}
