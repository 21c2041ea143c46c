"""Which files of a file or folder become a version, under which names."""

from collections.abc import Callable
from pathlib import Path

import pytest

from maas import records
from maas_client import export_files
from maas_client.errors import InvalidInput
from maas_client.version_files import version_files
from support.server.server import ContractServer

Run = Callable[..., tuple[int, str, str]]
LFS_POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 12345\n"


def model(*locations: str) -> bytes:
    """Bytes of a model with external data at these places."""
    lengths = [len(one.encode()) for one in locations]
    varints = [bytes([one]) if one < 128 else bytes([one & 0x7F | 0x80, one >> 7]) for one in lengths]
    entries = (b"\x0a\x08location\x12" + size + one.encode() for size, one in zip(varints, locations, strict=True))
    return b"good" + b"\x6a".join(entries)


def write(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def names(path: Path, golden: Path | None = None) -> list[str]:
    return [file.name for file in version_files(path, golden).files]


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("model.onnx", "model.onnx"),
        ("my model (1).onnx", "my_model__1_.onnx"),
        ("UPPER.ONNX", "UPPER.onnx"),
        ("modèle.Onnx", "mod_le.onnx"),
        ("-v2.onnx", "_v2.onnx"),
        (f"{'long' * 50}.onnx", f"{'long' * 25}.onnx"),
    ],
)
def test_any_model_name_is_sent_as_the_server_takes_it(tmp_path: Path, name: str, sent: str) -> None:
    write(tmp_path, {name: b"good"})
    assert names(tmp_path / name) == names(tmp_path) == [sent]


def test_of_a_folder_only_files_of_the_version_are_sent(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        {
            "model.onnx": model("weights.bin", "./data/more.bin", "../secret", "missing.bin", "x" * 500),
            "weights.bin": b"w",
            "data/more.bin": b"m",
            "labels.txt": b"cat",
            "example.npz": b"x",
            "golden/one.json": b"{}",
            "golden/test_data_set_0/input_0.pb": b"i",
            "golden/notes.md": b"n",
            "inference.py": b"import os",
            "config.json": b"{}",
            "data/unused.bin": b"u",
            ".git/config": b"g",
        },
    )
    assert names(folder) == [
        "model.onnx",
        "data/more.bin",
        "weights.bin",
        "labels.txt",
        "example.npz",
        "golden/one.json",
        "golden/test_data_set_0/input_0.pb",
    ]
    assert version_files(folder).left_out == ("config.json", "data/unused.bin", "golden/notes.md", "inference.py")


def test_external_data_is_named_from_the_folder_of_the_model(tmp_path: Path) -> None:
    folder = write(
        tmp_path, {"onnx v1/my model.onnx": model("weights.bin"), "onnx v1/weights.bin": b"w", "README": b"r"}
    )
    assert names(folder) == ["my_model.onnx", "weights.bin"]
    assert version_files(folder).left_out == ("README",)


def test_data_of_a_model_file_is_sent_with_it(tmp_path: Path) -> None:
    write(
        tmp_path, {"a.onnx": model("a.onnx.data"), "a.onnx.data": b"w", "b.onnx": b"good", "y": b"", "labels.txt": b"l"}
    )
    assert names(tmp_path / "a.onnx") == ["a.onnx", "a.onnx.data"]


@pytest.mark.parametrize("name", ["my model (1).onnx.data", "größe.bin", "a+b=100%/w#1.bin"])
def test_data_of_any_usual_name_is_sent(tmp_path: Path, name: str) -> None:
    folder = write(tmp_path, {"my model (1).onnx": model(name), name: b"w"})
    assert names(folder) == ["my_model__1_.onnx", name]


def test_data_outside_of_the_folder_stays(tmp_path: Path) -> None:
    write(tmp_path, {"secret": b"s", "in/model.onnx": model("../secret", "link", "/etc/passwd")})
    (tmp_path / "in/link").symlink_to(tmp_path / "secret")
    assert names(tmp_path / "in/model.onnx") == ["model.onnx"]


def test_golden_folder_names_are_made_plain(tmp_path: Path) -> None:
    write(tmp_path, {"model.onnx": b"good", "vectors/test data (1).json": b"{}"})
    assert names(tmp_path / "model.onnx", tmp_path / "vectors") == ["model.onnx", "golden/test_data__1_.json"]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            {"model.onnx": model("my:weights.bin"), "my:weights.bin": b"w"},
            r"names the file 'my:weights.bin', expected names",
        ),
        ({"model.onnx": model("weights.bin"), "weights.bin": b""}, "weights.bin of .* is empty"),
        ({"model.onnx": LFS_POINTER}, "model.onnx of .* is a pointer of Git LFS, not the file: run `git lfs pull`"),
        ({"model.onnx": model("weights.bin"), "weights.bin": LFS_POINTER}, "weights.bin of .* is a pointer of Git LFS"),
        ({"model.onnx": b"good", "golden/a b.json": b"{}", "golden/a_b.json": b"{}"}, "several files would be called"),
        ({"a.onnx": b"good", "b.ONNX": b"good"}, r"holds 2 .onnx files \(a.onnx, b.ONNX\)"),
    ],
)
def test_what_the_server_would_refuse_is_refused_before_anything_is_made(
    command: Run, server: ContractServer, tmp_path: Path, files: dict[str, bytes], message: str
) -> None:
    folder = write(tmp_path, files)
    with pytest.raises(InvalidInput, match=message):
        version_files(folder)
    code, _, err = command("push", folder, "--name", "doubler")
    assert (code, err.startswith("maas: ")) == (1, True)
    assert server.seen == []


def test_push_says_what_it_leaves_out(command: Run, tmp_path: Path) -> None:
    folder = write(tmp_path, {"model.onnx": b"good", "inference.py": b"x", "\x1b[31m.md": b"x"})
    code, _, err = command("push", folder, "--name", "doubler")
    assert (code, err) == (0, "maas: left out, as the model does not name them: \\x1b[31m.md, inference.py\n")


EXPORT = {"tokenizer.json": b"{}", "config.json": b"{}", "1_Pooling/config.json": b"{}", "modules.json": b"[]"}


def test_export_names_are_those_of_the_server() -> None:
    assert export_files.NAMES == records.EXPORT_NAMES


def test_of_an_export_its_model_and_what_tells_its_task_are_sent(tmp_path: Path) -> None:
    more = {"onnx/model.onnx": model("model.onnx_data"), "onnx/model.onnx_data": b"w", "onnx/model_int8.onnx": b"8"}
    folder = write(tmp_path, EXPORT | more | {"README.md": b"r", "vocab.txt": b"v", "model.safetensors": b"s"})
    sent = ["model.onnx", "model.onnx_data", "tokenizer.json", "config.json", "modules.json", "1_Pooling/config.json"]
    assert names(folder) == sent
    left_out = ("README.md", "model.safetensors", "onnx/model_int8.onnx", "vocab.txt")
    assert version_files(folder).left_out == left_out


@pytest.mark.parametrize("variant", ["int8", "model_int8", "model_int8.onnx", "onnx/model_int8.onnx"])
def test_variant_names_one_of_several_models(tmp_path: Path, variant: str) -> None:
    folder = write(
        tmp_path, EXPORT | {"onnx/model.onnx": b"m", "onnx/model_int8.onnx": b"8", "onnx/int8_old.onnx": b"o"}
    )
    assert version_files(folder, variant=variant).files[0].name == "model_int8.onnx"


@pytest.mark.parametrize(
    ("files", "variant", "said"),
    [
        ({"onnx/a.onnx": b"a", "onnx/b.onnx": b"b"}, None, "holds 2 .onnx files .onnx/a.onnx, onnx/b.onnx.: name one"),
        ({"a.onnx": b"a"}, "int8", "has no model of variant 'int8': it holds a.onnx"),
        ({"a/model.onnx": b"a", "b/model.onnx": b"b"}, "model", "has several models of variant 'model'"),
        ({"model.onnx": b"a", "onnx/model.onnx": b"b"}, None, "holds 2 .onnx files"),
    ],
)
def test_no_model_is_guessed(tmp_path: Path, files: dict[str, bytes], variant: str | None, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        version_files(write(tmp_path, EXPORT | files), variant=variant)


def test_variant_is_of_a_folder(tmp_path: Path) -> None:
    write(tmp_path, {"model.onnx": b"m"})
    with pytest.raises(InvalidInput, match="is one model: a variant is one of several in a folder"):
        version_files(tmp_path / "model.onnx", variant="int8")
