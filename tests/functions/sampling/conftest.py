"""A model whose aliases copy requests, and the functions that these pass."""

import pytest

from conftest import LoadFunction
from support.aws.engine import Cloud
from support.sampled_requests import System, sampled_cloud


@pytest.fixture(scope="module")
def cloud(moto_url: str, tmp_path_factory: pytest.TempPathFactory) -> Cloud:
    """One for all tests of a file, since each deployment takes a second."""
    return sampled_cloud(moto_url, tmp_path_factory.mktemp("maas"))


@pytest.fixture
def system(cloud: Cloud, load_function: LoadFunction) -> System:
    return System(cloud, load_function)
