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

TIE = 1e-5  # smallest difference of probabilities that single and double precision order alike


@dataclass(frozen=True, slots=True)
class Digits:
    """Images of 8 × 8 pixels, row-major, 0 to 16, as (count, 64) float32; labels 0 to 9. Not used in training."""

    images: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True, slots=True)
class Trained:
    """An exported classifier with scikit-learn's own predictions for the held-out images."""

    title: str
    path: Path
    predictions: np.ndarray
    is_tie: np.ndarray  # per image: two classes are equally likely, so either is right


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
        _exported("one tree of depth 4", weak, folder / "weak.onnx", held_out),
        _exported("100 full trees", strong, folder / "strong.onnx", held_out),
    )


def _exported(title: str, classifier: Any, path: Path, images: np.ndarray) -> Trained:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn's deprecations
        model = to_onnx(
            classifier,
            initial_types=[("image", FloatTensorType([None, 64]))],
            options={id(classifier): {"zipmap": False}},  # probabilities as a tensor, not a list of dicts
        )
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString())
    best_two = np.sort(classifier.predict_proba(images), axis=1)[:, -2:]
    return Trained(title, path, classifier.predict(images), best_two[:, 1] - best_two[:, 0] < TIE)
