"""Files of captured requests: `capture/{model}/{version}/yyyy/mm/dd/hh/*.jsonl.gz`, a JSON line for each request.

A file is named by the ids of its samples: what is delivered again as it was replaces the same file. What is delivered
again in other company is in two files; its `id` says so.
"""

import gzip
import hashlib
from base64 import b64encode
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

import orjson

from maas.aws.s3_writer import S3Writer
from maas.records.samples import BOTH, INPUTS, OUTPUTS
from maas.sampling.places import HOUR, folder
from maas.sampling.sample import LISTS, Sample, elements_of
from maas.serving.oip_reply import OutputTensor, json_data, raw_bytes
from maas.times import canonical

DAYS_TAG = "capture-days"  # of an object: template.yaml has a lifecycle rule for each of its values


class CaptureFiles:
    def __init__(self, writer: S3Writer) -> None:
        self._writer = writer

    def write(self, samples: Sequence[Sample]) -> None:
        """One file; the samples are of one `together`. Raises ServiceUnavailable."""
        folder, days = _group(samples[0])
        ids = hashlib.sha256("".join(sample.id for sample in samples).encode()).hexdigest()[:32]
        key = f"{folder}{_time(samples[0]):%M%S}-{ids}.jsonl.gz"
        self._writer.put(key, gzip.compress(b"".join(map(line_of, samples)), mtime=0), {DAYS_TAG: str(days)})


def together(samples: Sequence[Sample]) -> Iterator[list[Sample]]:
    """The samples with a capture, by file: of one version, hour and time to keep, in order."""
    for _, some in groupby(sorted(filter(_is_captured, samples), key=_group), key=_group):
        yield sorted(some, key=lambda sample: (sample.at_ms, sample.id))


def _is_captured(sample: Sample) -> bool:
    return sample.samples.capture is not None


def _group(sample: Sample) -> tuple[str, int]:
    """The file's folder, and the days it is kept."""
    assert sample.samples.capture is not None
    return f"{folder(sample.model, sample.version)}{_time(sample):{HOUR}}", sample.samples.capture.days


def _time(sample: Sample) -> datetime:
    return datetime.fromtimestamp(sample.at_ms / 1000, UTC)


def line_of(sample: Sample) -> bytes:
    """The line of a captured request. Its inputs, and its answer, are as in the JSON of the protocol."""
    capture = sample.samples.capture
    assert capture is not None
    line: dict[str, Any] = {"id": sample.id, "at": canonical(_time(sample)), "model": sample.model}
    line |= {"version": sample.version, "alias": sample.alias, "caller": sample.caller}
    line["request_id"] = sample.request_id
    line["parameters"] = {name: one for name, one in sample.parameters.items() if name not in capture.redact}
    if capture.what in (INPUTS, BOTH):
        line["inputs"] = list(_tensors(sample.inputs, capture.redact))
    if capture.what in (OUTPUTS, BOTH):
        line["outputs"] = list(_tensors(sample.outputs, capture.redact))
    return orjson.dumps(line, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE)


def _tensors(some: Sequence[OutputTensor], hidden: Sequence[str]) -> Iterator[dict[str, Any]]:
    for one in some:
        if one.name not in hidden:
            yield {"name": one.name, "datatype": one.datatype, "shape": one.array.shape, **_data(one)}


def _data(tensor: OutputTensor) -> dict[str, Any]:
    if tensor.datatype == "BF16":  # JSON cannot carry it
        return {"raw": b64encode(raw_bytes(tensor.array)).decode()}
    if tensor.array.dtype.hasobject and elements_of(tensor.array) != LISTS:
        return {"data": [b64encode(one).decode() if type(one) is bytes else one for one in tensor.array.flat]}
    return {"data": json_data(tensor)}
