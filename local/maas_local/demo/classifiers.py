"""A weak and a strong classifier of scikit-learn's handwritten digits, as ONNX files."""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.datasets import load_digits
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier

TIE = 1e-5  # of probabilities: below it, sums in single and double precision may order two classes differently


@dataclass(frozen=True, slots=True)
class Digits:
    """Images of 8 × 8 pixels, row-major, 0 to 16, as (count, 64) float32; labels 0 to 9. Nobody trained on these."""

    images: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True, slots=True)
class Trained:
    """An exported classifier, and what scikit-learn itself predicts with it for the held-out images."""

    title: str
    path: Path
    predictions: np.ndarray
    is_tie: np.ndarray  # by image: scikit-learn finds two classes equally likely, so either is its answer


def train(folder: Path) -> tuple[Digits, Trained, Trained]:
    """The held-out images, the weak and the strong classifier, exported into `folder`."""
    images, labels = load_digits(return_X_y=True)
    images = images.astype(np.float32)
    fitted, held_out, fitted_labels, held_out_labels = train_test_split(
        images, labels, test_size=450, random_state=0, stratify=labels
    )
    digits = Digits(held_out, held_out_labels)
    weak = DecisionTreeClassifier(max_depth=4, random_state=0).fit(fitted, fitted_labels)
    strong = ExtraTreesClassifier(n_estimators=100, random_state=0).fit(fitted, fitted_labels)
    return (
        digits,
        _exported("one tree, four questions deep", weak, folder / "weak.onnx", held_out),
        _exported("a hundred trees, fully grown", strong, folder / "strong.onnx", held_out),
    )


def _exported(title: str, classifier: Any, path: Path, images: np.ndarray) -> Trained:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about scikit-learn's own changes between releases
        model = to_onnx(
            classifier,
            initial_types=[("image", FloatTensorType([None, 64]))],
            options={id(classifier): {"zipmap": False}},  # probabilities as a tensor, not as a list of dicts
        )
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString())
    best_two = np.sort(classifier.predict_proba(images), axis=1)[:, -2:]
    return Trained(title, path, classifier.predict(images), best_two[:, 1] - best_two[:, 0] < TIE)
