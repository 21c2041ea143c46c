"""Files that may be declared for a version; others are refused before anything is uploaded."""

import pytest

from maas.deployment.uploads import MAX_FILES, check_files
from maas.errors import InvalidRequest, MaasError, TooLarge
from maas.records import ModelFile

LIMIT = 1000


def declared(*names: str, size_bytes: int = 1) -> list[ModelFile]:
    return [ModelFile(name, size_bytes, "0" * 64) for name in names]


def test_model_with_data_labels_and_vectors() -> None:
    check_files(declared("model.onnx", "weights/all.bin", "labels.txt", "golden/one.json"), LIMIT)
    check_files(declared("model.onnx", size_bytes=LIMIT), LIMIT)
    check_files(declared("UPPER.ONNX", "example.json"), LIMIT)


@pytest.mark.parametrize("suffix", ["zip", "tar", "tar.gz", "tgz", "TAR.XZ", "7z", "rar", "zst", "bz2"])
def test_archives_are_refused(suffix: str) -> None:
    with pytest.raises(InvalidRequest, match=rf"files: got the archive weights.{suffix}, expected its files, each"):
        check_files(declared("model.onnx", f"weights.{suffix}"), LIMIT)


@pytest.mark.parametrize(
    ("files", "kind", "reason"),
    [
        (declared("model.onnx", "a.bin", size_bytes=501), TooLarge, "got 1,002 bytes together, expected at most 1,000"),
        (declared("model.onnx", *(str(one) for one in range(MAX_FILES))), InvalidRequest, "got 501, expected at most"),
        (declared("weights.bin"), InvalidRequest, r"got \[\], expected exactly one \*\.onnx"),
        (declared("a.onnx", "b.onnx"), InvalidRequest, r"got \['a.onnx', 'b.onnx'\], expected exactly one"),
        (declared("a.onnx", "B.ONNX"), InvalidRequest, r"got \['a.onnx', 'B.ONNX'\], expected exactly one"),
        (declared("a.onnx", "example.npz", "example.json"), InvalidRequest, "expected one of them"),
        (declared("a.onnx", "w", "w"), InvalidRequest, "expected each name once"),
        (declared("a.onnx", "../w"), InvalidRequest, "files.1.name"),
        (declared("a.onnx", "/etc/passwd"), InvalidRequest, "files.1.name"),
    ],
)
def test_refused_files(files: list[ModelFile], kind: type[MaasError], reason: str) -> None:
    with pytest.raises(kind, match=reason) as refused:
        check_files(files, LIMIT)
    assert type(refused.value) is kind


def test_example_size_limit() -> None:
    files = [*declared("a.onnx"), ModelFile("example.json", (1 << 20) + 1, "0" * 64)]
    with pytest.raises(TooLarge, match=r"example.json has 1,048,577 bytes, expected at most 1,048,576"):
        check_files(files, 10 << 20)
