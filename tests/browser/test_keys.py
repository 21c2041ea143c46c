"""Keys: made, shown once, rotated, revoked; and what one with few scopes may see."""

import re

import pytest
from playwright.sync_api import expect

from maas_client import MaasClient
from maas_client.errors import MaasError
from support.browser.running import Running
from support.browser.seed import Seeded
from support.browser.visitor import Visit, Visitor

CHANGES = re.compile(
    r"^(abort|cancel|copies|create|delete|edit|move|new|pause|purge|restore|resume|retry|revoke|roll|rotate|start|stop)\b",
    re.IGNORECASE,
)
CALLS = re.compile(r"^(try|send|run|predict)\b", re.IGNORECASE)


def test_key_is_created_rotated_and_revoked(admin: Visitor, maas: MaasClient, system: Running) -> None:
    page = admin.show("/keys")
    page.get_by_role("button", name="Create a key").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name", exact=True).fill("made in the console")
    dialog.get_by_label("models:read").check()
    dialog.get_by_role("button", name="Create", exact=True).click()
    secret = page.get_by_role("dialog", name=re.compile("The secret of")).locator("pre").inner_text()
    page.get_by_role("button", name="I have stored it").click()
    assert secret not in page.content()
    with MaasClient(system.url, secret) as made:
        assert made.keys.caller().scopes == ("models:read",)
        row = page.get_by_role("row", name=re.compile("made in the console"))
        row.get_by_role("button", name=re.compile("^Rotate")).click()
        page.get_by_role("dialog").get_by_role("button", name="Rotate", exact=True).click()
        rotated = page.get_by_role("dialog", name=re.compile("The secret of")).locator("pre").inner_text()
        assert rotated not in (secret, "")
        page.get_by_role("button", name="I have stored it").click()
        row.get_by_role("button", name=re.compile("^Revoke")).click()
        page.get_by_role("dialog").get_by_role("button", name="Revoke", exact=True).click()
        expect(row).to_have_count(0)
    page.get_by_label("Show revoked").check()
    expect(row).to_contain_text("revoked")
    with MaasClient(system.url, rotated) as revoked, pytest.raises(MaasError):
        revoked.keys.caller()


def test_reading_key_sees_nothing_that_it_may_not_use(
    visit: Visit, maas: MaasClient, system: Running, seeded: Seeded
) -> None:
    """On no page a button that would be refused, and no call that is."""
    reader, admin = visit(), visit()
    key = maas.keys.create("reader", ["models:read"])
    reader.log_in(key.key)
    admin.log_in(system.api_key)
    menu = reader.page.get_by_role("navigation", name="Main")
    expect(menu.get_by_role("link", name="Models", exact=True)).to_be_visible()
    assert {"Jobs", "Keys"} & set(menu.get_by_role("link").all_inner_texts()) == set()
    seen = {}
    for name, path in seeded.pages.items():
        for visitor in (admin,) if name == "job" else (admin, reader):  # nothing leads the reader to a job
            visitor.show(path)
            seen[name, visitor] = offered(visitor)
    assert {name: found for (name, who), found in seen.items() if who is reader and found} == {}
    assert all(seen[name, admin] for name in ("model", "version", "jobs", "keys")), seen


def offered(visitor: Visitor) -> list[str]:
    """The names of buttons, and links like buttons, that change something or call a model."""
    names = (
        visitor.page.locator("main")
        .locator("button, a.button, input[type=submit]")
        .evaluate_all("found => found.map(one => (one.ariaLabel ?? one.textContent).trim())")
    )
    return [name for name in names if CHANGES.match(name) or CALLS.match(name)]


def test_key_for_one_model_tries_that_one_only(visit: Visit, maas: MaasClient, seeded: Seeded) -> None:
    visitor = visit()
    visitor.log_in(maas.keys.create("caller", ["models:read", "infer:digits"]).key)
    for model, count in (("digits", 1), ("reviews", 0)):
        page = visitor.show(f"/models/{model}")
        expect(page.get_by_role("link", name="Try it")).to_have_count(count)
