"""Models with a StringNormalizer that asks for a locale, on a system that may have none but C.UTF-8."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from onnx import TensorProto, helper

from maas.serving import locales
from support.onnx_models import model

RUN = """
import json, sys
from pathlib import Path
import numpy as np
from maas.serving.runner import Runner
print(json.dumps(Runner(Path(sys.argv[1]), 1).run({"x": np.array(["ÇAFÉ", "ΣÄß"], object)})[0].tolist()))
"""


def lowered(locale: str) -> bytes:
    """A model that lowers the case of its strings, as a TF-IDF does first."""
    node = helper.make_node("StringNormalizer", ["x"], ["y"], case_change_action="LOWER", locale=locale)
    tensors = [helper.make_tensor_value_info(name, TensorProto.STRING, [2]) for name in "xy"]
    return model(helper.make_graph([node], "g", tensors[:1], tensors[1:])).SerializeToString()


def answered(folder: Path, locale: str) -> list[str]:
    """In a process of its own: a locale once made known stays."""
    path = folder / "model.onnx"
    path.write_bytes(lowered(locale))
    environment = {"PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(folder), "LANG": "C"}
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(path)], env=environment, capture_output=True, text=True, check=True
    )
    values: list[str] = json.loads(done.stdout)
    return values


@pytest.mark.full(keep=1)
@pytest.mark.parametrize("locale", ["en_US.UTF-8", "de_DE.UTF-8", "fr_FR", "pt_BR.utf8", "C.UTF-8"])
def test_case_mapping_of_a_missing_locale(tmp_path: Path, locale: str) -> None:
    assert answered(tmp_path, locale) == ["çafé", "σäß"]


def test_unknown_locale_is_rejected_without_place_in_source(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as failed:
        answered(tmp_path, "xx_XX.UTF-8")
    last_line = failed.value.stderr.strip().rpartition("\n")[2]
    assert "locale with name:xx_XX.UTF-8" in last_line
    assert "onnxruntime_src" not in last_line


def test_system_locale_is_used_where_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCPATH", "/somewhere")
    assert not locales.provide()
    assert locales.is_known("C")
