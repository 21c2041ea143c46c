"""Broken requests through the inference handler: 200,000 or a minute of them, whichever is less."""

import time

import fuzzing

from benchmarks.figures import Figure

CASES, SECONDS = 200_000, 60


def measure() -> Figure:
    """How many were sent, and the mean time of one. Raises AssertionError for an answer that is not proper."""
    originals = fuzzing.good_requests()
    with fuzzing.function() as app:
        started = time.perf_counter()
        for sent in originals * 10:
            fuzzing.answered(app, sent)
        good_ms = (time.perf_counter() - started) * 1000 / (10 * len(originals))
    started = time.perf_counter()
    sent_count = fuzzing.run(CASES, seed=2, seconds=SECONDS).total()
    broken_ms = (time.perf_counter() - started) * 1000 / sent_count
    return Figure(
        "broken requests, all refused or answered", broken_ms, "good ones", good_ms, sent_count, " sent", None
    )
