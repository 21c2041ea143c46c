"""Tries a graph on tokenised text: its answers tell what it is for."""

from dataclasses import dataclass
from typing import Any

from maas.errors import InvalidRequest, ModelRejected, RunFailed
from maas.serving.datatypes import Array
from maas.serving.runner import Runner
from maas.tasks.recognition.export import Export, number
from maas.tasks.text_graph import IDS, KNOWN_INPUTS, MASK, TextGraph
from maas.tasks.texts import MAX_LENGTH, Texts

SAMPLES = ("The cat sat on the mat.", "Ein kürzerer Satz", "Ωμέγα 東京 🙂")
PROBED_LENGTH = 512  # longer texts are not tried: their memory would count
FULL = 0.9  # a tokenizer with a smaller share of the embedding's rows is of another model
# Their positions begin after the padding token's.
_OFFSET_POSITIONS = ("roberta", "xlm-roberta", "camembert", "xlm-roberta-xl", "mpnet", "longformer", "data2vec-text")
Origins = dict[str, str]


@dataclass(frozen=True, slots=True)
class TextProbe:
    """`feeds` are the graph's inputs for the samples, `outputs` its outputs for them by name."""

    texts: Texts
    parameters: dict[str, Any]
    origins: Origins
    feeds: dict[str, Array]
    mask: Array
    outputs: dict[str, Array]


def probed(export: Export, runner: Runner) -> TextProbe:
    """Raises ModelRejected for a tokenizer and a graph that do not fit together."""
    _check_inputs(runner)
    parameters, origins = _parameters(export, runner)
    texts = Texts(export.tokenizer, parameters)
    _check_vocabulary(export, texts)
    graph = TextGraph(runner.inputs, runner.outputs[0].name, texts.pad_id)
    is_single = _input(runner, IDS).shape[0] == 1
    try:
        encodings = texts.encode(SAMPLES[:1] if is_single else SAMPLES, truncate=True)
        feeds = graph.feeds(encodings)
        outputs = _run(runner, feeds, "the graph does not take what the tokenizer gives")
        _probe_last_token(runner, feeds, texts.vocabulary - 1)
        _probe_longest(runner, graph, texts, origins)
    except InvalidRequest as error:
        raise ModelRejected(f"the tokenizer reads no text: {error.message}") from None
    names = [tensor.name for tensor in runner.inputs]
    kept = {name: array for name, array in feeds.items() if name in names}
    return TextProbe(texts, parameters, origins, kept, feeds[MASK], outputs)


def _check_inputs(runner: Runner) -> None:
    for tensor in runner.inputs:
        if tensor.name not in KNOWN_INPUTS:
            if tensor.optional:
                continue
            raise ModelRejected(f"the graph needs the input '{tensor.name:.100}', which no text has")
        if tensor.datatype not in ("INT64", "INT32") or len(tensor.shape) != 2:
            came = f"{tensor.datatype} of shape {list(tensor.shape)}"
            raise ModelRejected(f"input '{tensor.name}' is {came}, expected INT64 or INT32 of [texts, tokens]")
    if _input(runner, IDS).shape[0] not in (-1, 1):
        raise ModelRejected("the graph takes a fixed number of texts: export it with a variable first dimension")


def _input(runner: Runner, name: str) -> Any:
    found = next((tensor for tensor in runner.inputs if tensor.name == name), None)
    if found is None:
        raise ModelRejected(f"a task on text needs a graph with the input '{name}'")
    return found


def _parameters(export: Export, runner: Runner) -> tuple[dict[str, Any], Origins]:
    length, origin = _max_length(export)
    fixed = _input(runner, IDS).shape[1]
    if fixed != -1 and fixed <= length:
        length, origin = fixed, "the graph's input_ids"
    sentence = export.object("sentence_bert_config.json")
    parameters: dict[str, Any] = {"max_length": length, "pad_id": _pad_id(export)}
    origins = {"max_length": origin}
    if sentence.get("do_lower_case") is True:
        parameters["lowercase"], origins["lowercase"] = True, "sentence_bert_config.json"
    return parameters, origins


def _max_length(export: Export) -> tuple[int, str]:
    """The tokens of the longest text. What tokenizer.json holds as truncation is of the export's training."""
    sentence = number(export.object("sentence_bert_config.json"), "max_seq_length", "sentence_bert_config.json")
    tokenizer = number(export.tokenizer_config, "model_max_length", "tokenizer_config.json")
    positions = number(export.config, "max_position_embeddings", "config.json")
    if positions and export.config.get("model_type") in _OFFSET_POSITIONS:
        positions = max(1, positions - int(export.config.get("pad_token_id") or 0) - 1)
    found = [
        (sentence, "sentence_bert_config.json"),
        (tokenizer if tokenizer and tokenizer < 1 << 30 else None, "tokenizer_config.json"),  # 1e30: none
        (positions, "config.json"),
    ]
    length, origin = next(((one, where) for one, where in found if one), (MAX_LENGTH, "default"))
    return (length, origin) if not positions or length <= positions else (positions, "config.json")


def _pad_id(export: Export) -> int:
    value = export.config.get("pad_token_id")
    return value if type(value) is int and value >= 0 else 0


def _check_vocabulary(export: Export, texts: Texts) -> None:
    rows = number(export.config, "vocab_size", "config.json")
    if rows and (texts.vocabulary > rows or texts.vocabulary < FULL * rows):
        raise ModelRejected(
            f"tokenizer.json has {texts.vocabulary:,} tokens, the model's embedding {rows:,} (vocab_size of "
            "config.json): they are of two models"
        )


def _probe_last_token(runner: Runner, feeds: dict[str, Array], last: int) -> None:
    ids = feeds[IDS].copy()
    ids[0, 0] = last
    _run(runner, feeds | {IDS: ids}, f"the graph has no embedding for token {last:,}, which the tokenizer gives")


def _probe_longest(runner: Runner, graph: TextGraph, texts: Texts, origins: Origins) -> None:
    if texts.max_length > PROBED_LENGTH or graph.fixed_length:
        return
    encodings = texts.encode([f"{SAMPLES[0]} " * texts.max_length], truncate=True)
    told = f"the graph does not take {texts.max_length:,} tokens, the maximum by {origins['max_length']}"
    _run(runner, graph.feeds(encodings), told)


def _run(runner: Runner, feeds: dict[str, Array], told: str) -> dict[str, Array]:
    wanted = {tensor.name for tensor in runner.inputs}
    try:
        arrays = runner.run({name: array for name, array in feeds.items() if name in wanted})
    except RunFailed as error:
        raise ModelRejected(f"{told}: {error.message}") from None
    return dict(zip((tensor.name for tensor in runner.outputs), arrays, strict=True))
