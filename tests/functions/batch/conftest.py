"""A seeded cloud, and the batch functions in it."""

import pytest

from support.aws.engine import Cloud
from support.batch.runs import Runs
from support.events import seed


@pytest.fixture
def seeded(cloud: Cloud) -> Cloud:
    seed(cloud)
    return cloud


@pytest.fixture
def runs(seeded: Cloud) -> Runs:
    return Runs(seeded)
