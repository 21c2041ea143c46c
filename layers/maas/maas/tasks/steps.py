"""What all tasks have in common: a signature, and one step on each side of the graph."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from maas.errors import InvalidRequest
from maas.records import MetadataTensor
from maas.serving.datatypes import Array
from maas.tasks.options import Options
from maas.tasks.text_graph import Call

if TYPE_CHECKING:
    from maas.tasks.texts import Texts

TEXT, IMAGE, QUERY = "text", "image", "query"
TOKENS = "tokens"  # an output that no signature shows: the tokens of each row, without padding
TEXT_INPUT = MetadataTensor(TEXT, "BYTES", (-1,))
Arrays = Mapping[str, Array]


class Steps(Protocol):
    """One task on one graph. `labels` are the names of its classes, `texts` its tokenizer, if any."""

    @property
    def inputs(self) -> tuple[MetadataTensor, ...]: ...
    @property
    def outputs(self) -> tuple[MetadataTensor, ...]: ...
    @property
    def labels(self) -> tuple[str, ...] | None: ...
    @property
    def texts(self) -> "Texts | None": ...

    def run(self, inputs: Arrays, options: Options, call: Call) -> dict[str, Array]:
        """All outputs by name, each with one entry a row of the inputs. `call` runs the graph."""
        ...


def column(inputs: Arrays, name: str) -> list[Any]:
    """The values of an input of rank 1. Raises InvalidRequest for none at all."""
    values: list[Any] = inputs[name].tolist()
    if not values:
        raise InvalidRequest(f"{name}: got none, expected at least one", field=name)
    return values
