"""Logging in and out: where the key lies, and when it is gone."""

from datetime import UTC, datetime, timedelta

from playwright.sync_api import expect

from maas_client import MaasClient
from support.browser.running import Running
from support.browser.visitor import Visit, Visitor

STORES = "() => ({local: {...localStorage}, session: {...sessionStorage}, cookies: document.cookie})"


def test_wrong_key_is_refused(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open()
    page.get_by_label("API key").fill("maas_0000000000000000_wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text("This key is not accepted")
    assert page.evaluate(STORES) == {"local": {}, "session": {}, "cookies": ""}
    visitor.expect_fault("status of 401")


def test_key_that_no_header_can_carry_is_refused(visit: Visit) -> None:
    """Such as a text that was shortened where it was copied."""
    visitor = visit()
    page = visitor.open()
    page.get_by_label("API key").fill("maas_0000…")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text("This key is not accepted")


def test_session_of_another_page_is_none(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open()
    for stored in ("5", "{}", "no JSON"):
        page.evaluate("text => sessionStorage.setItem('maas-session', text)", stored)
        page.reload()
        expect(page.get_by_label("API key")).to_be_visible()


def test_key_lies_in_the_tab_alone_and_is_gone_after_logging_out(admin: Visitor, system: Running) -> None:
    page = admin.page
    stores = page.evaluate(STORES)
    assert system.api_key in stores["session"]["maas-session"]
    assert stores["local"] == {} and stores["cookies"] == ""
    page.reload()
    page.locator("nav.top").wait_for()  # a reload keeps the session
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_label("API key")).to_have_value("")
    assert page.evaluate(STORES) == {"local": {}, "session": {}, "cookies": ""}
    assert system.api_key not in page.content()
    assert not [url for url in admin.urls if system.api_key in url]
    page.reload()
    expect(page.get_by_label("API key")).to_be_visible()


def test_address_survives_logging_in(visit: Visit, system: Running) -> None:
    page = visit().log_in(system.api_key, "/jobs")
    assert page.url.endswith("/console#/jobs")
    expect(page.get_by_role("heading", level=1)).to_have_text("Jobs")


def test_key_that_ends_meanwhile_logs_out(visit: Visit, maas: MaasClient) -> None:
    ends = datetime.now(UTC) + timedelta(seconds=15)
    key = maas.keys.create("short-lived", ["models:read"], expires_at=ends)
    visitor = visit()
    page = visitor.log_in(key.key)
    visitor.settle()
    page.wait_for_timeout((ends - datetime.now(UTC)).total_seconds() * 1000 + 500)
    page.get_by_label("Show deleted").click()  # check() would look at the box again, which is gone by then
    expect(page.locator(".login")).to_contain_text("Your key is not accepted any more: log in again.")
    assert page.evaluate(STORES) == {"local": {}, "session": {}, "cookies": ""}
    visitor.expect_fault("status of 401")
