"""A version's measurements as text."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial, wraps
from typing import Any, ParamSpec, TypeVar

from rich.table import Table

from maas_client.cli.looks import facts, row, size
from maas_client.errors import InvalidResponse
from maas_client.records.inference import ShapeProfile

_Parameters = ParamSpec("_Parameters")
_Shown = TypeVar("_Shown")


def _of_an_answer(show: Callable[_Parameters, _Shown]) -> Callable[_Parameters, _Shown]:
    """Measurements have no dataclass: what is none of them raises InvalidResponse here."""

    @wraps(show)
    def shown(*arguments: _Parameters.args, **named: _Parameters.kwargs) -> _Shown:
        try:
            return show(*arguments, **named)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise InvalidResponse(f"the answer has measurements of another form: {error!s:.80}") from error

    return shown


@_of_an_answer
def profile_table(profile: Mapping[str, Any], variants: Sequence[Mapping[str, Any]]) -> Table:
    """One measurement of the deployment a row, then the prepared forms."""
    table = facts()
    told: list[tuple[str, str, Callable[[Any], str]]] = [
        ("measured with", "shapes", partial(_shapes, origin=profile.get("shapes_from"))),
        ("size", "size_bytes", size),
        ("peak memory", "peak_memory_bytes", size),
        ("load", "load_ms", _ms),
        ("run", "run_ms", _ms),
        ("run, batch 32", "run_ms_batch_32", _ms),
        ("test vectors", "golden_vectors", "{:.0f} answered".format),
        ("memory to give", "recommended_memory_mb", "{:.0f} MB".format),
        ("a million requests", "usd_per_million_requests", "about ${:.2f} at that memory".format),
    ]
    for name, key, shown in told:
        if profile.get(key) is not None:
            row(table, (name, "dim"), shown(profile[key]))
    for one in variants:
        prepared = f"{_ms(one['load_ms'])} to load, {_ms(one['run_ms'])} to run"
        row(table, ("prepared", "dim"), f"{one['key']}: {prepared}, differs by {one['max_difference']:.1g}")
    return table


def _shapes(shapes: Mapping[str, Sequence[int]], origin: str | None) -> str:
    """'x 1 × 3 × 640 × 640 (from the example)'."""
    told = ", ".join(f"{name} {' × '.join(map(str, shape)) or 'scalar'}" for name, shape in shapes.items())
    return f"{told} (from the {origin})" if origin else told


def shape_profile(measured: ShapeProfile) -> Table:
    """What a request of these shapes needs."""
    table = facts()
    told = [
        ("measured with", _shapes(measured.shapes, None)),
        ("run", f"{_ms(measured.run_ms)}, the median of {measured.runs}"),
        ("memory", f"{measured.memory_mb:,} MB, of the inference function"),
        ("a million requests", f"about ${measured.cost_per_million_usd:,.2f} at that memory"),
    ]
    for name, value in told:
        row(table, (name, "dim"), value)
    return table


@_of_an_answer
def quantized_line(form: Mapping[str, Any]) -> str:
    """Whether the quantised form was kept, with its figures."""
    if not form["kept"]:
        return f"{form['scheme']} was not kept: {form['reason']}"
    told = f"{size(form['size_bytes'])}, {_ms(form['load_ms'])} to load, {_ms(form['run_ms'])} to run"
    return f"{form['scheme']}: {told}, differs by {form['difference']:.1%} of the largest value"


def _ms(value: float) -> str:
    return f"{value:.3g} ms"
