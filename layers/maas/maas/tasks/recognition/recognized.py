"""Which task an export is for."""

from dataclasses import dataclass
from pathlib import Path

from maas.errors import MaasError, ModelRejected
from maas.records import TOKENIZER_NAME, Task
from maas.serving.datatypes import Array
from maas.serving.runner import Runner
from maas.tasks.limits import TaskLimits
from maas.tasks.loading import root_of, task_runner
from maas.tasks.names import (
    FILL_MASK,
    IMAGE_CLASSIFICATION,
    IMAGE_EMBEDDINGS,
    IMAGE_TASKS,
    NO_TASK,
    RERANK,
    TEXT_CLASSIFICATION,
    TEXT_EMBEDDINGS,
    TOKEN_CLASSIFICATION,
    ZERO_SHOT,
)
from maas.tasks.recognition.export import POOLING, PREPROCESSOR, Export
from maas.tasks.recognition.samples import sample_answers
from maas.tasks.task_runner import TaskRunner
from maas.tasks.text_graph import IDS, KNOWN_INPUTS

PUSHED = "the push"
_BY_ARCHITECTURE = {
    "ForTokenClassification": TOKEN_CLASSIFICATION,
    "ForMaskedLM": FILL_MASK,
    "ForImageClassification": IMAGE_CLASSIFICATION,
}
_SENTENCE_FILES = ("modules.json", POOLING, "sentence_bert_config.json", "config_sentence_transformers.json")


@dataclass(frozen=True, slots=True)
class Recognized:
    """The task, loaded, with the graph's inputs for a sample. Without a task, `warning` says which file has no use."""

    task: Task | None = None
    runner: TaskRunner | None = None
    feeds: dict[str, Array] | None = None
    warning: str = ""


def recognized(model: Path, raw: Runner, wanted: str | None) -> Recognized:
    """`wanted` is the task that the push names. Raises ModelRejected for an export whose parts do not fit."""
    export = Export(root_of(model))
    if wanted == NO_TASK:
        return Recognized()
    if wanted in IMAGE_TASKS:
        return _image(export, raw, wanted, PUSHED)
    if wanted:
        return _text(export, raw, wanted)
    takes_text = any(tensor.name == IDS for tensor in raw.inputs)
    is_known = all(tensor.optional or tensor.name in KNOWN_INPUTS for tensor in raw.inputs)
    if export.has(TOKENIZER_NAME) and takes_text and is_known:  # other inputs are the state of a generator
        return _text(export, raw, None)
    if export.has(PREPROCESSOR) and not takes_text:
        return _image(export, raw, *_image_task(export))
    unused = next((name for name in (TOKENIZER_NAME, PREPROCESSOR) if export.has(name)), None)
    if unused is None:
        return Recognized()
    named = [tensor.name for tensor in raw.inputs]
    return Recognized(warning=f"{unused} is not used: the graph takes {named!s:.200}, which no task makes of it")


def _text(export: Export, raw: Runner, wanted: str | None) -> Recognized:
    from maas.tasks.recognition.text_probe import probed
    from maas.tasks.recognition.text_tasks import TEXT_TASKS

    probe = probed(export, raw)
    name, origin = (wanted, PUSHED) if wanted else _text_task(export, probe.outputs)
    if name is None:
        return Recognized(
            warning=f"{TOKENIZER_NAME} is not used: config.json names no architecture that a task is known for "
            f"({export.architecture or 'none'}); name the task with --task"
        )
    parameters, origins = TEXT_TASKS[name](export, probe)
    task = Task(name, probe.parameters | parameters, {"task": origin} | probe.origins | origins, raw.inputs)
    return _tried(export, raw, task, probe.feeds)


def _image(export: Export, raw: Runner, name: str, origin: str) -> Recognized:
    from maas.tasks.recognition.image_tasks import image_task

    (parameters, origins), feeds = image_task(export, raw, name)
    return _tried(export, raw, Task(name, parameters, {"task": origin} | origins, raw.inputs), feeds)


def _tried(export: Export, raw: Runner, task: Task, feeds: dict[str, Array]) -> Recognized:
    """The smoke run of the task, with real text or a generated picture."""
    runner = task_runner(raw, export.root, task, TaskLimits())
    try:
        sample_answers(runner, task)
    except ModelRejected:
        raise
    except MaasError as error:
        raise ModelRejected(f"the task {task.name} does not run: {error.message}") from None
    return Recognized(task, runner, feeds)


def _text_task(export: Export, outputs: dict[str, Array]) -> tuple[str | None, str]:
    architecture = export.architecture
    if architecture.endswith("ForSequenceClassification"):
        return _sequence_task(export, outputs), f"config.json architectures {architecture}"
    if file := next((name for name in _SENTENCE_FILES if export.has(name)), None):
        return TEXT_EMBEDDINGS, file
    if found := next((task for end, task in _BY_ARCHITECTURE.items() if architecture.endswith(end)), None):
        return found, f"config.json architectures {architecture}"
    if architecture.endswith("Model") and "Head" not in architecture:  # GPT2LMHeadModel gives logits
        return TEXT_EMBEDDINGS, f"config.json architectures {architecture}"
    return None, ""


def _sequence_task(export: Export, outputs: dict[str, Array]) -> str:
    widths = [array.shape[-1] for name, array in outputs.items() if array.ndim == 2]
    if widths[:1] == [1]:
        return RERANK
    named = export.labels()
    is_nli = named is not None and any(label.lower().startswith("entail") for label in named[0])
    return ZERO_SHOT if is_nli else TEXT_CLASSIFICATION


def _image_task(export: Export) -> tuple[str, str]:
    architecture = export.architecture
    if architecture.endswith("ForImageClassification") or (not architecture and export.labels()):
        return IMAGE_CLASSIFICATION, f"config.json architectures {architecture}" if architecture else "labels.txt"
    return IMAGE_EMBEDDINGS, f"config.json architectures {architecture}" if architecture else PREPROCESSOR
