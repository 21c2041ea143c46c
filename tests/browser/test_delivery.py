"""How the console reaches the browser: how much, from where, and what it may run."""

from playwright.sync_api import expect

from maas_client import MaasClient
from support.browser.prefix import under
from support.browser.running import Running
from support.browser.visitor import Visit, Visitor

MOST_BYTES = 60_000
SLOW_MS = 1500


def test_first_paint_is_small(visit: Visit, system: Running) -> None:
    """Bodies as they were sent, of all that the page and the list of models load."""
    visitor = visit()
    answers = []
    visitor.page.on("response", lambda answer: answers.append(answer))
    visitor.log_in(system.api_key)
    visitor.settle()
    files = [answer for answer in answers if "/console" in answer.url]
    assert any(answer.url.endswith("/pages/models.js") for answer in files)
    assert {answer.header_value("content-encoding") for answer in files} == {"gzip"}
    assert sum(answer.request.sizes()["responseBodySize"] for answer in files) < MOST_BYTES


def test_second_visit_asks_for_the_page_only(visit: Visit, system: Running) -> None:
    visitor = visit()
    page = visitor.log_in(system.api_key)
    visitor.settle()
    page.reload()
    visitor.settle()
    kinds = ("navigation", "resource")
    seen = [one for kind in kinds for one in page.evaluate(f"() => performance.getEntriesByType('{kind}')")]
    sent = {one["name"].partition("/console")[2] for one in seen if "/console" in one["name"] and one["transferSize"]}
    assert sent == {""} and len(seen) > 10  # the page itself, which has not changed: 304


def test_scripts_of_others_do_not_run(admin: Visitor) -> None:
    """Nor handlers, links and texts: whoever got markup into the page would have no script."""
    page = admin.page
    ran = page.evaluate(
        """() => new Promise((resolve) => {
            const script = document.createElement("script");
            script.textContent = "window.ran = 'script'";
            document.body.append(script);
            document.body.insertAdjacentHTML("beforeend", `<img src="data:," onerror="window.ran = 'handler'">`);
            document.body.insertAdjacentHTML("beforeend", `<a id="bad" href="javascript:window.ran='link'">bad</a>`);
            document.getElementById("bad").click();
            setTimeout("window.ran = 'text'");
            setTimeout(() => resolve(window.ran ?? "nothing"), 300);
        })"""
    )
    assert ran == "nothing"
    for kind in ("inline script", "inline event handler", "JavaScript URL|javascript:", "string as JavaScript"):
        admin.expect_fault(f"(?i){kind}.*Content Security Policy")


def test_other_origins_are_not_reached(admin: Visitor) -> None:
    failed = admin.page.evaluate("() => fetch('https://example.com/').then(() => 'reached', (error) => error.name)")
    assert failed == "TypeError"
    admin.expect_fault("example.com")


def test_slow_network_shows_bones_first(visit: Visit, maas: MaasClient, system: Running) -> None:
    maas.models.create("waited-for")
    visitor = visit()

    def slowly(route: object) -> None:
        visitor.page.wait_for_timeout(SLOW_MS)
        route.continue_()  # type: ignore[attr-defined]

    visitor.page.route("**/api/v1/models?*", slowly)
    page = visitor.log_in(system.api_key)
    expect(page.get_by_role("status", name="Loading")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("Models")
    expect(page.get_by_role("link", name="waited-for", exact=True)).to_be_visible()
    expect(page.get_by_role("status", name="Loading")).to_have_count(0)


def test_below_a_path(visit: Visit, maas: MaasClient, system: Running) -> None:
    """A stage's name, or a mapping of a domain, comes before each path: files and calls follow."""
    maas.models.create("below-a-path")
    with under("/stage", system.url) as url:
        visitor = visit(url)
        page = visitor.log_in(system.api_key)
        page.get_by_role("link", name="below-a-path", exact=True).wait_for()
        page.reload()
        page.get_by_role("link", name="below-a-path", exact=True).wait_for()
        page.goto(f"{url}/console/#/models/below-a-path")  # as a person types it
        expect(page.get_by_role("heading", level=1)).to_have_text("below-a-path")
        assert page.url == f"{url}/console#/models/below-a-path"
        assert all(one.startswith(f"{url}/") for one in visitor.urls)
        visitor.leave()
