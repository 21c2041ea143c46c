"""What of an alias's requests is copied: to another version, which is compared (shadow), and to files (capture)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from maas.records.rows import Row, known

VALUES, TOP1, NOTHING = "values", "top1", "none"  # how a shadow is compared
INPUTS, OUTPUTS, BOTH = "inputs", "outputs", "both"  # what is captured
# Tolerances of golden vectors too. ONNX's backend tests allow 1e-3 and 1e-7; sums of float32 need a little more.
RTOL, ATOL = 1e-3, 1e-5
KEPT_DAYS = (1, 7, 30, 90, 365)  # of captured files: template.yaml has a lifecycle rule for each


@dataclass(frozen=True, slots=True)
class Shadow(Row):
    """`percent` of the requests that are answered also run on `version`.

    `compare`: `values` within `rtol` and `atol`, as golden vectors; `top1`, the place of the largest value; `none`.
    """

    version: int
    percent: float
    compare: str = VALUES
    rtol: float = RTOL
    atol: float = ATOL


@dataclass(frozen=True, slots=True)
class Capture(Row):
    """`percent` of the requests that are answered are written to files, which are kept for `days`.

    `redact` names tensors and parameters whose values are left out.
    """

    percent: float
    days: int
    what: str = BOTH
    redact: tuple[str, ...] = ()

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        return cls(**(known(cls, row) | {"redact": tuple(row["redact"])}))


@dataclass(frozen=True, slots=True)
class Samples:
    """What an alias samples. One draw from 0 to 100 decides on both: below `percent`, one of them is due."""

    shadow: Shadow | None = None
    capture: Capture | None = None

    @property
    def percent(self) -> float:
        return max(self.shadow.percent if self.shadow else 0, self.capture.percent if self.capture else 0)

    def due(self, drawn: float) -> Self:
        """Those whose percentage is above what was drawn."""
        shadow = self.shadow if self.shadow and drawn < self.shadow.percent else None
        return type(self)(shadow, self.capture if self.capture and drawn < self.capture.percent else None)
