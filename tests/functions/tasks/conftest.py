"""The inference function with a model of each task."""

from types import ModuleType

import pytest

from support.exports.serving import every_task


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    return every_task(tmp_path_factory.mktemp("exports"))
