"""The loaded models of this execution environment, within a budget of bytes."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

from maas.errors import DeadlineExceeded
from maas.records import ModelVersion, Quantized
from maas.serving.served_model import ServedModel

# Model, version, form: a READY version never changes and its number is not used again.
Key = tuple[str, int, str]
Load = Callable[[ModelVersion, Quantized | None], ServedModel]


@dataclass
class _Entry:
    """`loaded` is the result of `runner`, which takes long to ask."""

    runner: "Future[ServedModel]"
    size_bytes: int
    loaded: ServedModel | None = None


class RunnerCache:
    """Keeps at most `budget_bytes` of model files loaded and evicts the least recently used; the newest stays."""

    def __init__(self, load: Load, budget_bytes: int) -> None:
        self._load, self._budget_bytes = load, budget_bytes
        self._lock = threading.Lock()
        self._entries: OrderedDict[Key, _Entry] = OrderedDict()

    def get(
        self, version: ModelVersion, deadline: float | None = None, quantized: Quantized | None = None
    ) -> ServedModel:
        """The runner of the version, or of its `quantized` form. Of concurrent callers one loads, the others wait.

        `deadline` is of time.monotonic; a load continues after it, for the next caller. Raises DeadlineExceeded and,
        for all callers that waited, the error of the load; the next caller tries again.
        """
        key = _key(version, quantized)
        size_bytes = (quantized and quantized.size_bytes) or version.size_bytes
        with self._lock:
            entry = self._entries.get(key)
            loading = entry is None
            if entry is None:
                self._evict(size_bytes)
                entry = self._entries[key] = _Entry(Future(), size_bytes)
            self._entries.move_to_end(key)
        if loading and deadline is None:
            self._fill(key, entry, version, quantized)
        elif loading:  # in a thread: nothing can interrupt a load, and the request must answer in time
            threading.Thread(target=self._fill, args=(key, entry, version, quantized), daemon=True).start()
        try:
            return entry.runner.result(None if deadline is None else max(0, deadline - time.monotonic()))
        except TimeoutError:
            raise DeadlineExceeded("the model was loaded") from None

    def loaded(self, version: ModelVersion, quantized: Quantized | None = None) -> ServedModel | None:
        """The runner if it is loaded; None if `get` has to wait for it."""
        key = _key(version, quantized)
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            self._entries.move_to_end(key)
            return entry.loaded

    def drop(self, model: str) -> None:
        """Forgets the model's versions; requests that use one keep it until they end."""
        with self._lock:
            for key in [key for key in self._entries if key[0] == model]:
                del self._entries[key]

    def _fill(self, key: Key, entry: _Entry, version: ModelVersion, quantized: Quantized | None) -> None:
        try:
            entry.loaded = self._load(version, quantized)
            entry.runner.set_result(entry.loaded)
        except BaseException as error:
            with self._lock:
                if self._entries.get(key) is entry:
                    del self._entries[key]
            entry.runner.set_exception(error)

    def _evict(self, needed_bytes: int) -> None:
        """Evicts before the load: old and new models are not in memory together."""
        held = sum(entry.size_bytes for entry in self._entries.values())
        while self._entries and held + needed_bytes > self._budget_bytes:
            _, oldest = self._entries.popitem(last=False)
            held -= oldest.size_bytes


def _key(version: ModelVersion, quantized: Quantized | None) -> Key:
    return version.model, version.number, quantized.scheme if quantized else ""
