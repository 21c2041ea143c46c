"""A quantised form against its source: size, difference and time of a run, as the deployment measured them."""

from aws import Cloud

from benchmarks import models
from benchmarks.figures import Figure
from maas import bootstrap


def measure(cloud: Cloud) -> list[Figure]:
    """Raises AssertionError if the form of one is not kept, whatever its difference."""
    figures = []
    for name, content in {"transformer": models.transformer(), "dense layers": models.dense(50)}.items():
        model = f"quantized-{name.replace(' ', '-')}"
        cloud.create_model(model)
        version = cloud.upload(model, content, options={"quantize": {"scheme": "dynamic-int8", "tolerance": 1.0}})
        deployed = bootstrap.deployment(cloud.settings).deploy(model, version.number)
        found, profile = deployed.quantized, deployed.profile
        assert found and found.files and profile
        assert found.size_bytes and found.run_ms and found.difference
        times = found.run_ms / profile["run_ms"]
        told = (
            f"{found.size_bytes / version.size_bytes:.2f}× the size, differs by {found.difference:.1%} of the largest"
        )
        figures.append(Figure(f"run in int8, {name}", found.run_ms, "source", profile["run_ms"], times, "×", note=told))
    return figures
