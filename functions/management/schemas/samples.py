"""What an alias copies of its requests: `shadow` and `capture`."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from maas.records import samples as alias_samples
from schemas.shared import Body, VersionNumber, attributes, like, whole

MAX_REDACTED = 100
_DAYS = ", ".join(map(str, alias_samples.KEPT_DAYS))


def _kept(days: int) -> int:
    if days not in alias_samples.KEPT_DAYS:
        raise ValueError(f"expected one of {_DAYS}")
    return days


Percent = Annotated[float, Field(gt=0, le=100, strict=True)]
Days = Annotated[int, Field(ge=1, le=365, strict=True), BeforeValidator(whole), AfterValidator(_kept)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Tolerances(Body):
    """Allowed differences from the answer: |difference| ≤ atol + rtol * |answered|."""

    rtol: Annotated[float, Field(ge=0, le=1, strict=True)] = alias_samples.RTOL
    atol: Annotated[float, Field(ge=0, le=1e9, strict=True)] = alias_samples.ATOL


class JobShadow(Body):
    """The records that the job's version answers also run on `version`, which is READY and another one.

    Its outputs are compared with those of the job's version, record by record: within tolerances, by the place of the
    largest value (`top1`), or not at all (`none`).
    """

    model_config = like(version=4, compare={"rtol": 1e-3, "atol": 1e-5})

    version: VersionNumber
    compare: Tolerances | Literal["top1", "none"] = Tolerances()

    def record(self) -> alias_samples.Shadow:
        return _record(self.version, 100, self.compare)

    @classmethod
    def of(cls, shadow: alias_samples.Shadow) -> Self:
        return cls.model_validate({"version": shadow.version, "compare": _comparison(shadow)})


class Shadow(Body):
    """A copy of `percent` of the requests also runs on `version`; callers never wait for it.

    Its outputs are compared with those that were answered: within tolerances, by the place of the largest value
    (`top1`), or not at all (`none`).
    """

    model_config = like(version=4, percent=10, compare={"rtol": 1e-3, "atol": 1e-5})

    version: VersionNumber
    percent: Percent
    compare: Tolerances | Literal["top1", "none"] = Tolerances()

    def record(self) -> alias_samples.Shadow:
        return _record(self.version, self.percent, self.compare)

    @classmethod
    def of(cls, shadow: alias_samples.Shadow) -> Self:
        plain = {"version": shadow.version, "percent": shadow.percent, "compare": _comparison(shadow)}
        return cls.model_validate(plain)


class Capture(Body):
    """`percent` of the requests are written to the bucket and kept for `days`: 1, 7, 30, 90 or 365.

    `redact` names tensors and parameters that are left out.
    """

    model_config = like(percent=1, what="both", days=7, redact=["name"])

    percent: Percent
    what: Literal["inputs", "outputs", "both"] = "both"
    days: Days = 7
    redact: Annotated[tuple[Name, ...], Field(max_length=MAX_REDACTED)] = ()

    def record(self) -> alias_samples.Capture:
        return alias_samples.Capture(self.percent, self.days, self.what, self.redact)

    @classmethod
    def of(cls, capture: alias_samples.Capture) -> Self:
        return cls.model_validate(attributes(cls, capture))


def _record(version: int, percent: float, compare: Tolerances | str) -> alias_samples.Shadow:
    if isinstance(compare, str):
        return alias_samples.Shadow(version, percent, compare)
    return alias_samples.Shadow(version, percent, alias_samples.VALUES, compare.rtol, compare.atol)


def _comparison(shadow: alias_samples.Shadow) -> object:
    by_value = shadow.compare == alias_samples.VALUES
    return {"rtol": shadow.rtol, "atol": shadow.atol} if by_value else shadow.compare
