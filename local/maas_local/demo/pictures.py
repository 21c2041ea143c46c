"""The second act: an export that takes image files, made of the strong classifier."""

import io
import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, compose, helper, numpy_helper
from PIL import Image
from rich.bar import Bar
from rich.console import Console
from rich.table import Table

from maas_client import ClassScore, MaasClient
from maas_client.cli.progress import Display
from maas_local.demo.classifiers import Digits, Trained

MODEL, SIDE, DARKEST = "digit-pictures", 8, 16
ASKED, SHOWN, TOP = 100, 4, 3
LEAST = 1e-6  # probability with a logarithm
NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
PREPROCESSOR = {
    "image_processor_type": "ViTImageProcessor",
    "size": {"height": SIDE, "width": SIDE},
    "rescale_factor": DARKEST / 255,
    "do_normalize": False,
}


def export(classifier: Trained, folder: Path) -> Path:
    """The folder of an export as Hugging Face's tools write it: pixels in, a score for each digit out."""
    folder.mkdir(parents=True, exist_ok=True)
    trees = onnx.load(classifier.path)
    shape = numpy_helper.from_array(np.array([-1, SIDE * SIDE], np.int64), "shape")
    first = numpy_helper.from_array(np.array(0, np.int64), "first")  # the channels of a grey picture are equal
    nodes = [
        helper.make_node("Gather", ["pixel_values", "first"], ["grey"], axis=1),
        helper.make_node("Reshape", ["grey", "shape"], ["flat"]),
    ]
    graph = helper.make_graph(
        nodes,
        "pixels",
        [helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, ["batch_size", 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("flat", TensorProto.FLOAT, ["batch_size", SIDE * SIDE])],
        [shape, first],
    )
    opsets = [one for one in trees.opset_import if not one.domain]
    pixels = helper.make_model(graph, opset_imports=opsets, ir_version=trees.ir_version)
    merged = compose.merge_models(pixels, trees, io_map=[("flat", "image")], outputs=["probabilities"])
    onnx.save(_with_logits(merged), folder / "model.onnx")
    config = {"architectures": ["ForestForImageClassification"], "id2label": dict(enumerate(NAMES))}
    for name, content in (("config.json", config), ("preprocessor_config.json", PREPROCESSOR)):
        (folder / name).write_text(json.dumps(content, indent=2))
    return folder


def _with_logits(model: onnx.ModelProto) -> onnx.ModelProto:
    """As a classifier of pictures has them: their softmax are the probabilities."""
    graph = model.graph
    graph.initializer.append(numpy_helper.from_array(np.array(LEAST, np.float32), "least"))
    graph.node.append(helper.make_node("Max", ["probabilities", "least"], ["positive"]))
    graph.node.append(helper.make_node("Log", ["positive"], ["logits"]))
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch_size", len(NAMES)]))
    return model


def picture(image: np.ndarray) -> bytes:
    """A PNG file of an image of 64 values from 0 to 16."""
    out = io.BytesIO()
    Image.fromarray(np.rint(image.reshape(SIDE, SIDE) * 255 / DARKEST).astype(np.uint8)).save(out, "PNG")
    return out.getvalue()


def push(maas: MaasClient, folder: Path) -> str:
    """Its reference and its task, once it is READY."""
    with Display(transient=True) as display:
        version = maas.push(folder, MODEL, progress=display.show)
    task = version.task.name if version.task else "no task"
    return f"{version.model}@{version.version}: {task}, found in {folder.name}/"


def ask(maas: MaasClient, digits: Digits) -> list[tuple[ClassScore, ...]]:
    """The best classes of the first unseen images, each sent as a PNG file."""
    return maas.classify(MODEL, [picture(image) for image in digits.images[:ASKED]], top=TOP)


def are_right(answers: list[tuple[ClassScore, ...]], classifier: Trained) -> bool:
    """Whether each best class is scikit-learn's, ties aside."""
    found = np.array([NAMES.index(classes[0].label) for classes in answers])
    return bool(((found == classifier.predictions[:ASKED]) | classifier.is_tie[:ASKED]).all())


def show(console: Console, answers: list[tuple[ClassScore, ...]]) -> None:
    table = Table(box=None, show_header=False, pad_edge=False)
    for index, classes in enumerate(answers[:SHOWN]):
        for place, one in enumerate(classes):
            name = f"picture-{index}.png" if place == 0 else ""
            table.add_row(f"[dim]{name}[/]", one.label, f"{one.score:.2f}", Bar(1, 0, one.score, width=20))
    console.print(table)
