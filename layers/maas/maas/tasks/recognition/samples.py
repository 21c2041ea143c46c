"""The smoke run of a task."""

from maas.records import Task
from maas.serving.datatypes import Array
from maas.serving.strings import array_of
from maas.tasks.names import IMAGE_TASKS, ZERO_SHOT
from maas.tasks.steps import IMAGE, QUERY
from maas.tasks.task_runner import TaskRunner

QUESTION, LABELS = "Where did the cat sit?", ["animals", "cities"]


def sample_answers(runner: TaskRunner, task: Task) -> dict[str, Array]:
    """The task's answers to its sample, by output. Raises as `TaskRunner.run` does."""
    parameters = {"candidate_labels": LABELS} if task.name == ZERO_SHOT else {}
    arrays = runner.asked(parameters).run(_sample_inputs(runner, task))
    return dict(zip(runner.output_names, arrays, strict=True))


def _sample_inputs(runner: TaskRunner, task: Task) -> dict[str, Array]:
    """Real text, or a generated picture."""
    if task.name in IMAGE_TASKS:
        from maas.tasks.recognition.image_tasks import sample

        return {IMAGE: array_of([sample()])}
    from maas.tasks.recognition.text_probe import SAMPLES

    mask = task.parameters.get("mask_token")
    texts = [f"Paris is the {mask} of France." if mask else text for text in SAMPLES]
    return {name: array_of([QUESTION] if name == QUERY else texts) for name in (one.name for one in runner.inputs)}
