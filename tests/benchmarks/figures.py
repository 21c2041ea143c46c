"""A figure, what it is held against, and the budget or the goal for it."""

from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Figure:
    """`ours` and `reference` in milliseconds, medians; `value` is what budget and goal are about, in `unit`.

    A budget is to be kept: `budget` is the most, `floor` the least that `value` may be. A goal is what we work for:
    missing it is told, and is no failure. `exact`: counted and not timed, so that no noise excuses it.
    """

    name: str
    ours_ms: float
    reference: str
    reference_ms: float
    value: float
    unit: str
    budget: float | None = None
    goal: float | None = None
    note: str = ""
    floor: float | None = None
    exact: bool = False

    @property
    def within_budget(self) -> bool:
        return not self.is_missed(1)

    def is_missed(self, noise: float) -> bool:
        """By more than so many times."""
        noise = 1 if self.exact else noise
        too_much = self.budget is not None and self.value > self.budget * noise
        return too_much or (self.floor is not None and self.value < self.floor / noise)

    @property
    def goal_met(self) -> bool:
        return self.goal is None or self.value <= self.goal

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"within_budget": self.within_budget, "goal_met": self.goal_met}

    @property
    def asked(self) -> str:
        """The budget or the goal, in words."""
        if self.budget is not None:
            return f"≤ {self.budget:g}{self.unit}"
        if self.floor is not None:
            return f"≥ {self.floor:g}{self.unit}"
        if self.goal is not None:
            return f"goal ≤ {self.goal:g}{self.unit}: {'met' if self.goal_met else 'not met'}"
        return ""


def show(console: Console, figures: list[Figure]) -> None:
    table = Table("what", "ours", "against", "its time", "result", "budget", "", box=None, header_style="bold")
    for figure in figures:
        colour = "red" if not figure.within_budget else "green" if figure.goal_met else "yellow"
        table.add_row(
            figure.name,
            f"{figure.ours_ms:.3g} ms",
            figure.reference,
            f"{figure.reference_ms:.3g} ms",
            f"[{colour}]{figure.value:.2f}{figure.unit}[/]",
            figure.asked,
            figure.note,
        )
    console.print(table)
