"""Inputs for the smoke run of a task."""

from maas.records import Task
from maas.serving.strings import array_of
from maas.tasks.names import IMAGE_TASKS
from maas.tasks.steps import IMAGE, QUERY
from maas.tasks.task_runner import TaskRunner
from maas.tasks.text_graph import Array

QUESTION = "Where did the cat sit?"


def sample_inputs(runner: TaskRunner, task: Task) -> dict[str, Array]:
    """Real text, or a generated picture."""
    if task.name in IMAGE_TASKS:
        from maas.tasks.recognition.image_tasks import sample

        return {IMAGE: array_of([sample()])}
    from maas.tasks.recognition.text_probe import SAMPLES

    mask = task.parameters.get("mask_token")
    texts = [f"Paris is the {mask} of France." if mask else text for text in SAMPLES]
    return {name: array_of([QUESTION] if name == QUERY else texts) for name in (one.name for one in runner.inputs)}
