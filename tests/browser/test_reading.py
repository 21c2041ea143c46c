"""What pages show of lists, times and answers, in the order in which they come."""

import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, Route, expect

from maas_client import MaasClient
from support import onnx_models
from support.browser.running import Running
from support.browser.seed import Seeded
from support.browser.visitor import Visit, Visitor

TOKYO = "Asia/Tokyo"


@pytest.fixture
def model(request: pytest.FixtureRequest, maas: MaasClient, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A model with one version."""
    name = re.sub(r"[^a-z]+", "-", request.node.originalname).strip("-")[:60]
    path = tmp_path_factory.mktemp("model") / "model.onnx"
    path.write_bytes(onnx_models.linear())
    maas.push(path, name)
    return name


def pages_of(page: Page, path: str, size: int) -> None:
    """The API gives so many items of a list at once."""

    def shorter(route: Route) -> None:
        route.continue_(url=re.sub(r"&limit=\d+", "", route.request.url) + f"&limit={size}")

    page.route(re.compile(rf"/api/v1{path}\?"), shorter)


def in_tokyo(moment: datetime, form: str) -> str:
    return moment.astimezone(ZoneInfo(TOKYO)).strftime(form)


def test_loaded_pages_stay_when_the_model_changes(admin: Visitor, model: str, maas: MaasClient) -> None:
    for count in range(25):
        maas.models.update(model, description=str(count))
    page = admin.show(f"/models/{model}")
    rows = page.get_by_role("table", name="History").locator("tbody tr")
    expect(rows).to_have_count(20)
    page.locator("section", has=rows.first).get_by_role("button", name="Show more").click()
    expect(rows).to_have_count(29)
    page.get_by_role("button", name="Edit", exact=True).click()
    page.get_by_label("Description").fill("changed")
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(rows.first).to_contain_text("changed")
    expect(rows).to_have_count(30)


def test_lists_go_on_after_their_first_page(admin: Visitor, model: str, maas: MaasClient, tmp_path: Path) -> None:
    maas.aliases.set(model, "production", 1)
    page = admin.page
    pages_of(page, f"/models/{model}/rollouts", 2)
    admin.show(f"/models/{model}/rollouts")
    page.get_by_role("button", name="Start a rollout").click()
    dialog = page.get_by_role("dialog", name="Start a rollout")
    expect(dialog).to_contain_text("has no such pair")
    dialog.get_by_role("button", name="Close").click()
    path = tmp_path / "model.onnx"
    path.write_bytes(onnx_models.linear(2.0))
    maas.push(path, model)
    page.get_by_role("button", name="Start a rollout").click()
    dialog.get_by_role("button", name="Start", exact=True).click()
    expect(page.locator("main .status").first).to_have_text("running")
    page.get_by_role("button", name="Abort").click()
    page.get_by_role("dialog").get_by_role("button", name="Abort", exact=True).click()
    expect(page.get_by_role("table", name="Earlier rollouts").locator("tbody tr")).to_have_count(1)
    for _ in range(2):
        maas.rollouts.abort(model, maas.rollouts.start(model, "production", 2).id)
    page.reload()
    rows = page.get_by_role("table", name="Earlier rollouts").locator("tbody tr")
    expect(rows).to_have_count(2)
    page.get_by_role("button", name="Show more").click()
    expect(rows).to_have_count(3)
    expect(page.get_by_role("button", name="Show more")).to_have_count(0)
    rows.last.get_by_role("link").click()
    expect(page.locator("main")).to_contain_text("It ended before the guard looked.")


def test_aliases_that_are_gone_were_live(visit: Visit, system: Running, model: str, maas: MaasClient) -> None:
    """Also of a deleted model, which has no traffic to draw; in the time zone of the browser."""
    maas.aliases.set(model, "early", 1)
    maas.aliases.set(model, "kept", 1)
    time.sleep(1.1)
    moment = datetime.now(UTC)
    time.sleep(1.1)
    maas.aliases.delete(model, "early")
    maas.aliases.set(model, "late", 1)
    maas.aliases.delete(model, "late")
    maas.models.delete(model)
    visitor = visit(timezone_id=TOKYO)
    visitor.log_in(system.api_key)
    page = visitor.show(f"/models/{model}")
    page.get_by_label("What was live at").fill(in_tokyo(moment, "%Y-%m-%dT%H:%M:%S"))
    page.get_by_role("button", name="Show", exact=True).click()
    then = page.get_by_role("table", name=re.compile("^Live at")).locator("tbody tr")
    expect(then).to_have_count(2)
    expect(then.first).to_contain_text("early")
    expect(then.first).to_contain_text("v1")
    expect(then.last).to_contain_text("kept")


def test_own_time_of_metrics_is_the_same_everywhere(visit: Visit, system: Running, model: str) -> None:
    """Typed in the browser's time zone, in the address in UTC."""
    since, until = (datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(hours=hours) for hours in (5, 2))
    visitor = visit(timezone_id=TOKYO)
    visitor.log_in(system.api_key)
    page = visitor.show(f"/models/{model}/metrics")
    page.get_by_label("Time", exact=True).select_option(label="from … to …")
    page.get_by_label("From").fill(in_tokyo(since, "%Y-%m-%dT%H:%M"))
    page.get_by_label("To", exact=True).fill(in_tokyo(until, "%Y-%m-%dT%H:%M"))
    with page.expect_request(re.compile("/metrics")) as asked:
        page.get_by_role("button", name="Show").click()
    for name, moment in (("from", since), ("to", until)):
        assert f"{name}={moment:%Y-%m-%dT%H}%3A{moment:%M}" in asked.value.url
    address = page.url
    assert f"since={since:%Y-%m-%dT%H}%3A{since:%M}%3A00.000Z" in address
    elsewhere = visit(timezone_id="UTC")
    elsewhere.log_in(system.api_key, address.partition("#")[2])
    expect(elsewhere.page.get_by_label("From")).to_have_value(f"{since:%Y-%m-%dT%H:%M}")


def test_page_that_stays_open_says_how_long_ago(visit: Visit, system: Running, model: str) -> None:
    visitor = visit()
    visitor.page.clock.install()
    visitor.log_in(system.api_key)
    row = visitor.page.get_by_role("row", name=re.compile(f"^{model}"))
    expect(row.locator("time")).to_have_text(re.compile("second|now"))
    visitor.page.clock.fast_forward("05:00")
    expect(row.locator("time")).to_have_text(re.compile("minutes ago"))


def test_answer_to_a_closed_dialog_closes_no_other(admin: Visitor, model: str, maas: MaasClient) -> None:
    """And if it is a refusal, it is told."""
    page = admin.show(f"/models/{model}")
    waiting: list[Route] = []
    page.route(re.compile(f"/models/{model}$"), lambda route: waiting.append(route))
    for answer in (200, 409):
        page.get_by_role("button", name="Edit", exact=True).click()
        page.get_by_label("Description").fill(f"for {answer}")
        page.get_by_role("dialog").get_by_role("button", name="Save").click()
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Delete", exact=True).click()
        dialog = page.get_by_role("dialog", name=f"Delete {model}?")
        dialog.wait_for()
        (route,) = waiting
        waiting.clear()
        if answer == 200:
            route.continue_()
            expect(page.locator(".told")).to_contain_text("is saved")
        else:
            route.fulfill(status=answer, json={"error": "the model is busy"})
            expect(page.locator(".told")).to_contain_text("It failed: The model is busy.")
            admin.expect_fault("status of 409")
        expect(dialog).to_be_visible()
        page.keyboard.press("Escape")
    assert maas.models.get(model).description == "for 200"


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (502, "<html>bad gateway</html>", "The server answered with status 502."),
        (500, "null", "The server answered with status 500."),
        (418, '{"error": {"code": 7}}', "The server answered with status 418."),
        (200, "<html>log in to the network</html>", "The answer is no JSON"),
    ],
)
def test_answer_of_something_else_is_told(admin: Visitor, status: int, body: str, told: str) -> None:
    page = admin.page
    page.route("**/api/v1/jobs*", lambda route: route.fulfill(status=status, body=body))
    admin.show("/jobs")
    expect(page.get_by_role("alert")).to_contain_text(told)
    page.unroute("**/api/v1/jobs*")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("alert")).to_have_count(0)
    if status != 200:
        admin.expect_fault(f"status of {status}")


def test_plot_that_is_not_found_is_told(admin: Visitor, seeded: Seeded) -> None:
    page = admin.page
    page.route("**/vendor/uplot.js", lambda route: route.abort())
    admin.show("/models/digits/metrics")
    expect(page.get_by_role("alert").first).to_contain_text("The drawing was not found")
    admin.expect_fault("uplot|ERR_FAILED")


def test_plot_stays_while_its_values_are_read_again(visit: Visit, system: Running, seeded: Seeded) -> None:
    """So does what is pointed at in it."""
    visitor = visit()
    page = visitor.page
    page.clock.install()
    visitor.log_in(system.api_key)
    visitor.show("/models/digits")
    page.get_by_label("Time", exact=True).select_option("24")
    plot = page.get_by_role("img", name=re.compile("^Requests by version and hour"))
    plot.locator(".u-over").hover()
    legend = plot.locator(".u-legend")
    page.evaluate("() => document.querySelector('.plot canvas').setAttribute('data-kept', '')")
    with page.expect_response(re.compile("/models/digits/metrics.*by=version")):
        page.clock.fast_forward(31_000)
    visitor.settle()
    expect(plot.locator("canvas")).to_have_attribute("data-kept", "")
    expect(legend).to_contain_text("v1")


def test_page_is_read_again_when_its_tab_is_shown(admin: Visitor, seeded: Seeded) -> None:
    page = admin.show("/jobs")
    with page.expect_response(re.compile("/api/v1/jobs")):
        page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
