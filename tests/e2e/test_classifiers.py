"""scikit-learn classifiers as skl2onnx exports them, with ZipMap. The fixtures import these: it takes four seconds."""

from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest

from maas_client import MaasClient
from support import onnx_models

FLATS = np.array([["Bonn", 1.0], ["Köln", 2.0], ["Bonn", 3.0], ["Köln", 0.5]], object)


@pytest.fixture(scope="module")
def push(maas: MaasClient, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, bytes], None]:
    def push(name: str, content: bytes) -> None:
        folder = tmp_path_factory.mktemp(name)
        (folder / "model.onnx").write_bytes(content)
        maas.push(folder, name)

    return push


@pytest.fixture(scope="module")
def iris(push: Callable[[str, bytes], None]) -> tuple[Any, Any]:
    from skl2onnx import to_onnx
    from sklearn.datasets import load_iris
    from sklearn.linear_model import LogisticRegression

    x, y = load_iris(return_X_y=True)
    fitted, x = LogisticRegression(max_iter=1000).fit(x, y), x.astype(np.float32)
    push("c_iris", to_onnx(fitted, x[:1]).SerializeToString())
    return fitted, x


@pytest.fixture(scope="module")
def flats(push: Callable[[str, bytes], None]) -> Any:
    """A classifier of one text column and one number column."""
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType
    from sklearn.compose import ColumnTransformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    columns = ColumnTransformer([("city", OneHotEncoder(), [0]), ("size", StandardScaler(), [1])])
    fitted = make_pipeline(columns, LogisticRegression()).fit(FLATS, ["no", "yes", "no", "yes"])
    types = [("city", StringTensorType([None, 1])), ("size", FloatTensorType([None, 1]))]
    push("c_flats", to_onnx(fitted, initial_types=types).SerializeToString())
    return fitted


def outputs(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return {one["name"]: one for one in answer.json()["outputs"]}


@pytest.mark.full
def test_zipmap(http: httpx.Client, iris: tuple[Any, Any]) -> None:
    fitted, x = iris
    metadata = http.get("/v2/models/c_iris").json()["outputs"]
    assert metadata == [
        {"name": "output_label", "datatype": "INT64", "shape": [-1]},
        {"name": "output_probability", "datatype": "FP32", "shape": [-1, -1]},
        {"name": "output_probability_labels", "datatype": "INT64", "shape": [-1]},
    ]
    given = {"name": "X", "shape": [150, 4], "datatype": "FP32", "data": x.tolist()}
    came = outputs(http.post("/v2/models/c_iris/infer", json={"inputs": [given]}))
    assert came["output_label"]["data"] == fitted.predict(x).tolist()
    assert came["output_probability_labels"]["data"] == [0, 1, 2]
    probabilities = np.reshape(came["output_probability"]["data"], came["output_probability"]["shape"])
    np.testing.assert_allclose(probabilities, fitted.predict_proba(x), atol=1e-5)
    alone = http.post(
        "/v2/models/c_iris/infer", json={"inputs": [given], "outputs": [{"name": "output_probability_labels"}]}
    )
    assert list(outputs(alone)) == ["output_probability_labels"]


def test_zipmap_with_string_labels(http: httpx.Client, push: Callable[[str, bytes], None]) -> None:
    push("c_names", onnx_models.zipmap(["setosa", "virginica"]))
    given = {"name": "scores", "shape": [1, 2], "datatype": "FP32", "data": [0.25, 0.75]}
    came = outputs(http.post("/v2/models/c_names/infer", json={"inputs": [given]}))
    assert came["probabilities_labels"]["data"] == ["setosa", "virginica"]
    assert came["probabilities"]["data"] == [0.25, 0.75]


@pytest.mark.full
@pytest.mark.parametrize("rows", [1, 2, 3])  # 2 is also the number of classes
def test_text_and_number_columns(http: httpx.Client, flats: Any, rows: int) -> None:
    given = FLATS[:rows]
    expected = flats.predict(given).tolist()
    instances = [{"city": [city], "size": [size]} for city, size in given]
    said = http.post("/v1/models/c_flats:predict", json={"instances": instances}).json()["predictions"]
    assert [list(one) for one in said] == [["output_label", "output_probability"]] * rows
    assert [one["output_label"] for one in said] == expected
    lines = "".join(f"{city},{size}\n" for city, size in given)
    csv = http.post("/invocations?model=c_flats", content=lines.encode(), headers={"Content-Type": "text/csv"})
    told = [line.split(",") for line in csv.text.splitlines()]
    assert [one[0] for one in told] == expected
    np.testing.assert_allclose(np.array([one[1:] for one in told], float), flats.predict_proba(given), atol=1e-5)


@pytest.mark.full
@pytest.mark.usefixtures("flats")
def test_probabilities_are_named_by_label(http: httpx.Client) -> None:
    body = {"inputs": {"city": [["Bonn"]], "size": [[1]]}}
    said = http.post("/v1/models/c_flats:predict", json=body).json()["outputs"]
    assert (said["output_label"], said["output_probability_labels"]) == (["no"], ["no", "yes"])
