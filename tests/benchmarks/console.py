"""What a visitor of the console waits for, by Chromium's own timeline, on `maas local`.

Interactive: the first control of the page is there, and no task of more than 50 ms of the main thread comes after it.
"""

import json
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.figures import Figure
from maas_client import MaasClient
from support.browser import chromium
from support.browser.running import maas_local
from support.browser.visitor import Visitor

if TYPE_CHECKING:
    from playwright.sync_api import Browser

VISITS = 5
MOST_KB = 60
# Notes when what is waited for appears, and when the last long task ended.
WATCH = """(() => {
    window.seen = { interactive: 0, busy: 0 };
    new MutationObserver(() => {
        if (!seen.interactive && document.querySelector("#app input")) seen.interactive = performance.now();
    }).observe(document, { childList: true, subtree: true });
    new PerformanceObserver((list) => {
        for (const task of list.getEntries()) seen.busy = Math.max(seen.busy, task.startTime + task.duration);
    }).observe({ type: "longtask", buffered: true });
})()"""
READ = """() => {
    const files = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
        .filter((one) => one.name.includes("/console"));
    return {
        sent: files.reduce((sum, one) => sum + one.transferSize, 0),
        requests: files.filter((one) => one.transferSize).length,
        paint: performance.getEntriesByName("first-contentful-paint")[0].startTime,
        interactive: Math.max(seen.interactive, seen.busy),
    };
}"""


def measure() -> list[Figure]:
    if reason := chromium.why_not():
        return [Figure(f"console: left out, {reason}", 0, "", 0, 0, "")]
    with maas_local() as system, chromium.chromium() as browser:
        with MaasClient(system.url, system.api_key) as maas:
            maas.models.list()  # the function has started
        sessions = {"log-in": None, "list of models": _session(browser, system.url, system.api_key)}
        visits = {page: [_visit(browser, system.url, one) for _ in range(VISITS)] for page, one in sessions.items()}
    return [_figure(page, found) for page, found in visits.items()]


def _session(browser: "Browser", url: str, key: str) -> str:
    """What a tab keeps of a log-in."""
    visitor = Visitor(browser, url)
    kept: str = visitor.log_in(key).evaluate("() => sessionStorage.getItem('maas-session')")
    visitor.leave()
    return kept


def _visit(browser: "Browser", url: str, session: str | None) -> list[dict[str, Any]]:
    """What a new visitor measures, and the same one again."""
    visitor = Visitor(browser, url)
    visitor.page.add_init_script(WATCH)
    if session:
        visitor.page.add_init_script(f"sessionStorage.setItem('maas-session', {json.dumps(session)})")
    found = []
    for _ in ("cold", "warm"):
        visitor.open()
        visitor.page.wait_for_load_state("networkidle")
        found.append(visitor.page.evaluate(READ))
    visitor.leave()
    return found


def _figure(page: str, visits: list[list[dict[str, Any]]]) -> Figure:
    cold, warm = ([visit[place] for visit in visits] for place in (0, 1))

    def of(some: list[dict[str, Any]], name: str) -> float:
        return median(one[name] for one in some)

    note = (
        f"{of(cold, 'requests'):.0f} requests; interactive after {of(cold, 'interactive'):.0f} ms; "
        f"again: {of(warm, 'requests'):.0f} of {of(warm, 'sent') / 1000:.1f} kB, {of(warm, 'interactive'):.0f} ms"
    )
    paint, sent = of(cold, "paint"), of(cold, "sent") / 1000
    return Figure(
        f"console, {page}: first paint",
        paint,
        "again",
        of(warm, "paint"),
        sent,
        " kB",
        budget=MOST_KB,
        exact=True,
        note=note,
    )
