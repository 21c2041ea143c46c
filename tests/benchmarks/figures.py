"""A figure, what it is held against, and the budget for it."""

from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Figure:
    """`ours` and `reference` in milliseconds, medians; `value` is what the budget is about, in `unit`."""

    name: str
    ours_ms: float
    reference: str
    reference_ms: float
    value: float
    unit: str
    budget: float | None

    @property
    def within_budget(self) -> bool:
        return self.budget is None or self.value <= self.budget

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"within_budget": self.within_budget}


def show(console: Console, figures: list[Figure]) -> None:
    table = Table("what", "ours", "against", "its time", "result", "budget", box=None, header_style="bold")
    for figure in figures:
        colour = "green" if figure.within_budget else "red"
        budget = "" if figure.budget is None else f"≤ {figure.budget:g}{figure.unit}"
        table.add_row(
            figure.name,
            f"{figure.ours_ms:.3g} ms",
            figure.reference,
            f"{figure.reference_ms:.3g} ms",
            f"[{colour}]{figure.value:.2f}{figure.unit}[/]",
            budget,
        )
    console.print(table)
