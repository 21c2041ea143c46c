"""docs/export.md: its scikit-learn examples run here, serve, and answer as scikit-learn; its faults are faults."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, save

from maas_client import MaasClient
from maas_client.errors import DeploymentFailed
from support.aws.engine import ROOT

TEXT = (ROOT / "docs" / "export.md").read_text()
UNSEEN = [[30, "Wien", "ÉTÉ café GOOD"], [np.nan, "Rome", "a Bad Café"]]


def snippets(heading: str) -> list[str]:
    """The Python blocks under a heading of the document."""
    section = TEXT.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"```python\n(.*?)```", section, re.DOTALL)


def run(*blocks: str) -> dict[str, Any]:
    """The names that the blocks leave, run one after the other in the working directory."""
    names: dict[str, Any] = {}
    for block in blocks:
        exec(block, names)
    return names


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def reviews(**words: str) -> tuple[Any, bytes]:
    """The document's text classifier on one column, and its export with these options of TfidfVectorizer."""
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import StringTensorType
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(TfidfVectorizer(), LogisticRegression())
    model.fit(["Good café", "Bad food", "nice good", "bad BAD staff"], ["pos", "neg", "pos", "neg"])
    options = {id(model): {"zipmap": False}, TfidfVectorizer: words}
    content = to_onnx(model, initial_types=[("review", StringTensorType([None]))], options=options)
    return model, content.SerializeToString()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_first_example_answers_its_test_vector(maas: MaasClient, folder: Path) -> None:
    names = run(snippets("scikit-learn")[0], *snippets("Check it with the framework's own answers"))
    maas.push(folder / "iris.onnx", "x_iris", golden=folder / "golden")
    answer = maas.infer("x_iris", {"features": names["records"]})
    np.testing.assert_allclose(answer["probabilities"], names["answers"][1], atol=1e-6)


@pytest.mark.full
def test_columns_example_answers_as_scikit_learn(maas: MaasClient, folder: Path) -> None:
    """With accents, words of one letter, a category that was not seen and a missing number."""
    names = run(snippets("scikit-learn")[1])
    maas.push(folder / "visits.onnx", "x_visits")
    rows = np.array(names["rows"] + UNSEEN, dtype=object)
    age, city, review = np.hsplit(rows, 3)
    answer = maas.infer("x_visits", {"age": age.astype(np.float32), "city": city, "review": review})
    np.testing.assert_allclose(answer["probabilities"], names["model"].predict_proba(rows), atol=1e-6)


@pytest.mark.full
def test_default_tokenexp_answers_wrong(maas: MaasClient, folder: Path) -> None:
    model, content = reviews(locale="C.UTF-8")
    (folder / "model.onnx").write_bytes(content)
    maas.push(folder / "model.onnx", "x_reviews")
    answer = maas.infer("x_reviews", {"review": np.array(["Bad café"], object)})
    assert np.abs(answer["probabilities"] - model.predict_proba(["Bad café"])).max() > 0.05


@pytest.mark.full
def test_python_expression_is_refused_as_documented(maas: MaasClient, folder: Path) -> None:
    (folder / "model.onnx").write_bytes(reviews(locale="C.UTF-8", tokenexp=r"(?u)\b\w+\b")[1])
    refused(maas, folder / "model.onnx", "invalid perl operator: (?u")


@pytest.mark.full(keep=1)
@pytest.mark.parametrize(
    ("node", "domain", "opset", "message"),
    [
        ("Abs", "", 29, "Opset 29 is under development"),
        ("MyOp", "my.ops", 20, "my.ops:MyOp(-1) is not a registered function/op"),
        ("BertTokenizer", "ai.onnx.contrib", 20, "ai.onnx.contrib:BertTokenizer(-1) is not a registered function/op"),
    ],
)
def test_operators_are_refused_as_documented(
    maas: MaasClient, folder: Path, node: str, domain: str, opset: int, message: str
) -> None:
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch"]) for name in "xy")
    graph = helper.make_graph([helper.make_node(node, ["x"], ["y"], domain=domain)], "graph", [x], [y])
    opsets = [helper.make_opsetid("", opset)] + ([helper.make_opsetid(domain, 1)] if domain else [])
    save(helper.make_model(graph, opset_imports=opsets, ir_version=10), folder / "model.onnx")
    refused(maas, folder / "model.onnx", message)


def refused(maas: MaasClient, path: Path, message: str) -> None:
    """The push fails with words that the document quotes."""
    assert message in TEXT
    with pytest.raises(DeploymentFailed, match=re.escape(message)):
        maas.push(path, "x_refused")
