"""Loaded models of this environment, bounded by bytes: memory, then /tmp, then S3."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from typing import NamedTuple

from maas.errors import DeadlineExceeded
from maas.records import ModelVersion
from maas.runner import Runner

Key = tuple[str, int]  # a READY version never changes and its number is never used again, so this names the bytes


class _Entry(NamedTuple):
    runner: "Future[Runner]"
    size_bytes: int


class RunnerCache:
    """At most `budget_bytes` of model files loaded, least recently used out first; the newest always stays."""

    def __init__(self, load: Callable[[ModelVersion], Runner], budget_bytes: int) -> None:
        self._load, self._budget_bytes = load, budget_bytes
        self._lock = threading.Lock()
        self._entries: OrderedDict[Key, _Entry] = OrderedDict()

    def get(self, version: ModelVersion, deadline: float | None = None) -> Runner:
        """The version's runner. However many ask at once, one loads and the others wait for it.

        `deadline` is of time.monotonic; a load goes on beyond it, for who asks next. Raises DeadlineExceeded, and what
        loading raises, for all who waited; the next to ask tries again.
        """
        key = (version.model, version.number)
        with self._lock:
            entry = self._entries.get(key)
            loading = entry is None
            if entry is None:
                self._evict(version.size_bytes)
                entry = self._entries[key] = _Entry(Future(), version.size_bytes)
            self._entries.move_to_end(key)
        if loading and deadline is None:
            self._fill(key, entry, version)
        elif loading:  # beside the request, which can then answer in time; nothing can interrupt a load
            threading.Thread(target=self._fill, args=(key, entry, version), daemon=True).start()
        if entry.runner.done():
            return entry.runner.result()
        try:
            return entry.runner.result(None if deadline is None else max(0, deadline - time.monotonic()))
        except TimeoutError:
            raise DeadlineExceeded("the model was loaded") from None

    def drop(self, model: str) -> None:
        """Forget the model's versions; those who run one keep it until they are done."""
        with self._lock:
            for key in [key for key in self._entries if key[0] == model]:
                del self._entries[key]

    def _fill(self, key: Key, entry: _Entry, version: ModelVersion) -> None:
        try:
            entry.runner.set_result(self._load(version))
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
