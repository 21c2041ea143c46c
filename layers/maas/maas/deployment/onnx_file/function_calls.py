"""How many nodes a model has once its functions are inlined, as onnxruntime does when it loads it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from maas.deployment.onnx_file.walk import Keep, Part
from maas.errors import ModelRejected

MAX_INLINED_NODES = 100_000  # onnxruntime takes 12 s of CPU for as many
MAX_CALL_DEPTH = 64  # onnxruntime's is 100
MAX_FUNCTIONS = 10_000
KEEP: Keep = {  # what of a message these checks need
    "NodeProto": {"domain", "op_type", "overload"},
    "FunctionProto": {"domain", "name", "overload"},
}
Identity = tuple[str, str, str]  # domain, name, overload


@dataclass(slots=True)
class _Body:
    """Nodes of a graph or function with those of its nested graphs, and how often they call each function."""

    nodes: int = 0
    calls: Counter[Identity] = field(default_factory=Counter)


class Functions:
    """Functions of a model: each part of a first walk that is one is declared, then a second walk counts their calls.

    Raises ModelRejected for functions that are too many or declared twice.
    """

    def __init__(self) -> None:
        self._bodies: dict[Identity, _Body] = {}

    def __bool__(self) -> bool:
        return bool(self._bodies)

    def declare(self, function: Part) -> None:
        declared = _identity(function, "name")
        if declared in self._bodies:
            raise ModelRejected(f"function '{_shown(declared)}' is declared twice")
        if len(self._bodies) == MAX_FUNCTIONS:
            raise ModelRejected(f"the model has more than {MAX_FUNCTIONS:,} functions")
        self._bodies[declared] = _Body()

    def check_calls(self, parts: Iterable[Part]) -> None:
        """Raises ModelRejected for calls in a circle, nested too deep, or of too many nodes altogether."""
        main, sizes = self._read(parts), dict[Identity, int]()
        count = sum(times * self._inlined(called, sizes, 1) for called, times in main.calls.items())
        if count > MAX_INLINED_NODES:
            raise ModelRejected(
                f"calls of functions come to {count:,} nodes when inlined, allowed are {MAX_INLINED_NODES:,}"
            )

    def _read(self, parts: Iterable[Part]) -> _Body:
        """The body of the main graph. A node comes before the graph or function that it is in."""
        main = met = _Body()
        for part in parts:
            if part.kind == "NodeProto":
                met.nodes += 1
                if (called := _identity(part, "op_type")) in self._bodies:
                    met.calls[called] += 1
            elif part.depth == 1:
                if part.kind == "FunctionProto":
                    self._bodies[_identity(part, "name")] = met
                elif part.kind == "GraphProto":
                    main = met
                met = _Body()
        return main

    def _inlined(self, function: Identity, sizes: dict[Identity, int], depth: int) -> int:
        if depth > MAX_CALL_DEPTH:
            raise ModelRejected(
                f"functions call each other in a circle or more than {MAX_CALL_DEPTH} deep: '{_shown(function)}'"
            )
        if function not in sizes:
            body = self._bodies[function]
            inner = (times * self._inlined(called, sizes, depth + 1) for called, times in body.calls.items())
            sizes[function] = body.nodes + sum(inner)
        return sizes[function]


def _identity(part: Part, name: str) -> Identity:
    domain = part.text("domain")
    return ("" if domain == "ai.onnx" else domain), part.text(name), part.text("overload")


def _shown(function: Identity) -> str:
    return ".".join(one for one in function if one)[:200]
