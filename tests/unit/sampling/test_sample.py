"""Samples as bytes."""

import numpy as np

from maas.records.samples import Samples, Shadow
from maas.sampling.sample import Sample
from maas.serving.oip_reply import OutputTensor


def test_samples_keep_every_kind_of_value() -> None:
    arrays = {
        "text": np.array([["a", "ü\x00"], ["", "\n"]], object),
        "image": np.array([b"\x00\xff", b""], object),
        "ids": np.array([[1, 2], [3]], object),
        "nan": np.array([np.nan, np.inf, -0.0], np.float64),
        "none": np.empty((0, 3), np.int8),
        "scalar": np.array(True),
    }
    datatypes = {"nan": "FP64", "none": "INT8", "scalar": "BOOL"}
    tensors = [OutputTensor(name, datatypes.get(name, "BYTES"), array) for name, array in arrays.items()]
    sample = Sample("0" * 32, 5, "m", 1, "a", Samples(Shadow(2, 0.5)), "", None, {"p": [1]}, tensors, tensors[3:])
    found = Sample.of(sample.packed())
    assert (found.samples, found.parameters, len(found.outputs)) == (sample.samples, {"p": [1]}, 3)
    for tensor in found.inputs:
        assert tensor.array.dtype == arrays[tensor.name].dtype
        assert tensor.array.shape == arrays[tensor.name].shape
        assert tensor.array.tobytes() == arrays[tensor.name].tobytes() or tensor.array.dtype == object
        if tensor.array.dtype == object:
            assert tensor.array.tolist() == arrays[tensor.name].tolist()
