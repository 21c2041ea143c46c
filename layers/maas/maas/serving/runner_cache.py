"""Loaded models of this environment, bounded by bytes: memory, then /tmp, then S3."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from typing import NamedTuple

from maas.errors import DeadlineExceeded
from maas.records import ModelVersion, Quantized
from maas.serving.runner import Runner

# A READY version never changes and its number is never used again, so with its form this names the bytes.
Key = tuple[str, int, str]
Load = Callable[[ModelVersion, Quantized | None], Runner]


class _Entry(NamedTuple):
    runner: "Future[Runner]"
    size_bytes: int


class RunnerCache:
    """At most `budget_bytes` of model files loaded, least recently used out first; the newest always stays."""

    def __init__(self, load: Load, budget_bytes: int) -> None:
        self._load, self._budget_bytes = load, budget_bytes
        self._lock = threading.Lock()
        self._entries: OrderedDict[Key, _Entry] = OrderedDict()

    def get(self, version: ModelVersion, deadline: float | None = None, quantized: Quantized | None = None) -> Runner:
        """The runner of the version, or of its `quantized` form. However many ask at once, one loads, the others wait.

        `deadline` is of time.monotonic; a load goes on beyond it, for who asks next. Raises DeadlineExceeded, and what
        loading raises, for all who waited; the next to ask tries again.
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
        elif loading:  # beside the request, which can then answer in time; nothing can interrupt a load
            threading.Thread(target=self._fill, args=(key, entry, version, quantized), daemon=True).start()
        if entry.runner.done():
            return entry.runner.result()
        try:
            return entry.runner.result(None if deadline is None else max(0, deadline - time.monotonic()))
        except TimeoutError:
            raise DeadlineExceeded("the model was loaded") from None

    def holds(self, version: ModelVersion, quantized: Quantized | None = None) -> bool:
        """Whether it is loaded: `get` would not wait."""
        entry = self._entries.get(_key(version, quantized))
        return entry is not None and entry.runner.done()

    def drop(self, model: str) -> None:
        """Forget the model's versions; those who run one keep it until they are done."""
        with self._lock:
            for key in [key for key in self._entries if key[0] == model]:
                del self._entries[key]

    def _fill(self, key: Key, entry: _Entry, version: ModelVersion, quantized: Quantized | None) -> None:
        try:
            entry.runner.set_result(self._load(version, quantized))
        except BaseException as error:
            with self._lock:
                if self._entries.get(key) is entry:
                    del self._entries[key]
            entry.runner.set_exception(error)

    def _evict(self, needed_bytes: int) -> None:
        """Before the load, so that old and new are not in memory together."""
        held = sum(entry.size_bytes for entry in self._entries.values())
        while self._entries and held + needed_bytes > self._budget_bytes:
            _, oldest = self._entries.popitem(last=False)
            held -= oldest.size_bytes


def _key(version: ModelVersion, quantized: Quantized | None) -> Key:
    return version.model, version.number, quantized.scheme if quantized else ""
