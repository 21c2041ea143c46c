"""Schemas of the management API: refused values."""

import importlib

import pytest
from pydantic import ValidationError

from conftest import LoadFunction


@pytest.mark.parametrize("tolerance", [False, "1e-3", -1, None])
def test_golden_tolerance(load_function: LoadFunction, tolerance: object) -> None:
    load_function("ManagementFunction")
    golden = importlib.import_module("schemas.version_requests").Golden
    assert golden.model_validate({"atol": 0}).atol == 0
    with pytest.raises(ValidationError):
        golden.model_validate({"atol": tolerance})
