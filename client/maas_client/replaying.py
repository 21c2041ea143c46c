"""Captured requests as the input of a batch job, and its results beside what was answered."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from maas_client.records.captures import Difference, Line, ReplayReport

MAX_SHOWN = 100


def can_run(line: Line) -> bool:
    """Whether the request can run again and be compared: a job has one set of parameters for all."""
    tensors = [*line.get("inputs", ()), *line.get("outputs", ())]
    return (
        bool(line.get("inputs") and line.get("outputs"))
        and not line.get("parameters")
        and all("data" in one for one in tensors)
    )


def request_of(line: Line) -> dict[str, Any]:
    """The request of the protocol."""
    return {"id": line["id"], "inputs": line["inputs"]}


def report(
    model: str,
    version: int,
    against: int,
    job: str | None,
    lines: Sequence[Line],
    results: Iterable[Mapping[str, Any]],
    rtol: float,
    atol: float,
) -> ReplayReport:
    """`lines` can all run; `results` are those of the job, in their order."""
    differences: list[Difference] = []
    failed, mismatched, largest = 0, 0, 0.0
    for line, result in zip(lines, results, strict=True):
        if "error" in result:
            failed += 1
            found: Difference | None = Difference(line["id"], None, str(result["error"]))
        else:
            came = {one["name"]: one for one in result.get("outputs", ())}
            same, most = _compared(line["outputs"], came, rtol, atol)
            largest = max(largest, most) if math.isfinite(most) else largest
            found = None if same else Difference(line["id"], most if math.isfinite(most) else None, None)
        if found:
            mismatched += 1
            differences.append(found)
    return ReplayReport(
        model=model,
        version=version,
        against=against,
        job=job,
        compared=len(lines),
        mismatched=mismatched,
        failed=failed,
        largest_difference=largest,
        differences=tuple(differences[:MAX_SHOWN]),
    )


def _compared(
    wanted: Sequence[Mapping[str, Any]], came: Mapping[str, Mapping[str, Any]], rtol: float, atol: float
) -> tuple[bool, float]:
    """Whether all outputs are the same, and the largest difference; infinite without a counterpart, and of strings."""
    all_same, largest = True, 0.0
    for tensor in wanted:
        other = came.get(tensor["name"], {})
        if any(tensor[field] != other.get(field) for field in ("datatype", "shape")):
            return False, math.inf
        if tensor["datatype"] in ("BYTES", "BOOL"):
            same = tensor["data"] == other["data"]
            most = 0.0 if same else math.inf
        else:
            same, most = _numbers(tensor, other, rtol, atol)
        all_same, largest = all_same and same, max(largest, most)
    return all_same, largest


def _numbers(wanted: Mapping[str, Any], came: Mapping[str, Any], rtol: float, atol: float) -> tuple[bool, float]:
    """As the server compares a shadow. NaN and the infinities, which are words, equal themselves."""
    first, second = (np.asarray(one["data"], np.float64).ravel() for one in (wanted, came))
    if not first.size:
        return True, 0.0
    if wanted["datatype"][:2] not in ("FP", "BF"):  # exactly: float64 does not tell large integers apart
        exact = (np.asarray(one["data"], object).ravel() for one in (wanted, came))
        return bool(np.equal(*exact).all()), float(np.abs(first - second).max())
    with np.errstate(invalid="ignore"):
        difference = np.abs(first - second)
    equal = (first == second) | (np.isnan(first) & np.isnan(second))
    difference[equal] = 0
    difference[np.isnan(difference)] = math.inf
    allowed = np.where(np.isfinite(first), atol + rtol * np.abs(first), 0)
    return bool((equal | (difference <= allowed)).all()), float(difference.max())
