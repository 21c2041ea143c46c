"""From the first version to a release and back, through the pages."""

import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from maas_client import MaasClient
from support import onnx_models
from support.browser.visitor import Visitor


@pytest.fixture
def model(request: pytest.FixtureRequest, maas: MaasClient, tmp_path: Path) -> str:
    """A model with two versions that take and give rows of two numbers; production leads to the first."""
    name = re.sub(r"[^a-z]+", "-", request.node.name).strip("-")
    for weight in (1.0, 2.0):
        path = tmp_path / "model.onnx"
        path.write_bytes(onnx_models.linear(weight, features=2))
        maas.push(path, name)
    maas.aliases.set(name, "production", 1)
    return name


def dialog_of(page: Page, button: str) -> None:
    page.get_by_role("button", name=re.compile(f"^{re.escape(button)}")).first.click()
    page.get_by_role("dialog").wait_for()


def confirm(page: Page, action: str) -> None:
    """Press the button of the dialog, and wait until it has done its work."""
    page.get_by_role("dialog").get_by_role("button", name=action, exact=True).click()
    page.get_by_role("dialog").wait_for(state="detached")


def test_pushed_model_is_seen(admin: Visitor, model: str) -> None:
    page = admin.page
    page.get_by_label("Search").fill(model)
    page.reload()
    page.get_by_role("link", name=model, exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(model)
    versions = page.get_by_role("table", name="Versions")
    expect(versions.get_by_role("row")).to_have_count(3)
    expect(versions).to_contain_text("ready")


def test_alias_moves_in_shares_and_rolls_back(admin: Visitor, model: str, maas: MaasClient) -> None:
    page = admin.show(f"/models/{model}")
    live = page.get_by_role("table", name="Aliases").get_by_role("img", name=re.compile("production"))
    expect(live).to_have_accessible_name("production version 1: 100 %")
    dialog_of(page, "Move production")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Add a version").click()
    dialog.get_by_label("Percent for version 2").fill("25")
    expect(dialog).to_contain_text("This will change:")
    confirm(page, "Move")
    expect(live).to_have_accessible_name(re.compile("version 2: 25 %"))
    box, parts = live.bounding_box(), live.locator("span").all()
    assert box and len(parts) == 2
    shares = sorted(part.bounding_box()["width"] / box["width"] for part in parts)  # type: ignore[index]
    assert shares == pytest.approx([0.25, 0.75], abs=0.03)
    dialog_of(page, "Roll production back")
    confirm(page, "Roll back")
    expect(live).to_have_accessible_name("production version 1: 100 %")
    assert maas.aliases.get(model, "production").version == 1


def test_model_is_edited_unless_somebody_was_quicker(admin: Visitor, model: str, maas: MaasClient) -> None:
    page = admin.show(f"/models/{model}")
    dialog_of(page, "Edit")
    maas.models.update(model, tags={"owner": "somebody else"})
    page.get_by_label("Description").fill("Doubles two numbers")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Somebody else changed it meanwhile")
    admin.expect_fault("status of 412")
    confirm(page, "Save")
    expect(page.locator("main")).to_contain_text("Doubles two numbers")
    found = maas.models.get(model)
    assert (found.description, found.tags) == ("Doubles two numbers", {"owner": "somebody else"})


def test_model_is_deleted_and_restored(admin: Visitor, model: str, maas: MaasClient) -> None:
    page = admin.show(f"/models/{model}")
    dialog_of(page, "Delete")
    confirm(page, "Delete")
    expect(page.locator("main")).to_contain_text("It answers no request.")
    admin.show("/")
    expect(page.get_by_role("link", name=model, exact=True)).to_have_count(0)
    page.get_by_label("Show deleted").check()
    page.get_by_role("row", name=re.compile(model)).get_by_role("button", name="Restore").click()
    confirm(page, "Restore")
    page.get_by_label("Show deleted").uncheck()
    expect(page.get_by_role("link", name=model, exact=True)).to_be_visible()
    assert maas.aliases.get(model, "production").version == 1


def test_version_is_deleted_restored_and_purged(admin: Visitor, model: str, maas: MaasClient) -> None:
    page = admin.show(f"/models/{model}/versions/2")
    for button, action, said in (("Delete", "Delete", "deleted"), ("Restore", "Restore", "ready")):
        dialog_of(page, button)
        confirm(page, action)
        expect(page.locator("main .status").first).to_have_text(said)
    dialog_of(page, "Delete")
    confirm(page, "Delete")
    dialog_of(page, "Purge")
    purge = page.get_by_role("dialog").get_by_role("button", name="Purge for good")
    expect(purge).to_be_disabled()
    page.get_by_label(re.compile("to confirm")).fill(model)
    purge.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(model)
    assert [one.version for one in maas.versions.list(model, include_deleted=True)] == [1]


def test_version_is_edited_and_deleted_unless_somebody_was_quicker(
    admin: Visitor, model: str, maas: MaasClient
) -> None:
    page = admin.show(f"/models/{model}/versions/2")
    dialog_of(page, "Edit")
    maas.versions.update(model, 2, description="of somebody else", tags={"owner": "somebody else"})
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Add a tag").click()
    dialog.get_by_label("Tag", exact=True).fill("mine")
    dialog.get_by_label("Value of mine").fill("yes")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("status")).to_contain_text("of somebody else")
    admin.expect_fault("status of 412")
    confirm(page, "Save")
    found = maas.versions.get(model, 2)
    assert (found.description, found.tags) == ("of somebody else", {"owner": "somebody else", "mine": "yes"})
    admin.show(f"/models/{model}")
    dialog_of(page, "Delete version 2")
    expect(dialog).to_contain_text("No alias leads to it.")
    maas.aliases.set(model, "canary", 2)
    dialog.get_by_role("button", name="Delete", exact=True).click()
    expect(dialog).to_contain_text("These aliases lead to it:")
    admin.expect_fault("status of 412")
    confirm(page, "Delete, and change the aliases")
    assert list(maas.models.get(model).aliases) == ["production"]


def test_small_shares_of_copies_are_typed(admin: Visitor, model: str, maas: MaasClient) -> None:
    page = admin.show(f"/models/{model}")
    dialog_of(page, "Copies of production")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Shadow:").check()
    for label, text in (("Percent to the shadow", "0.05"), ("atol", "0")):
        field = dialog.get_by_label(label)
        field.fill("")
        field.press_sequentially(text)
        expect(field).to_have_value(text)
    confirm(page, "Save")
    shadow = maas.aliases.get(model, "production").shadow
    assert shadow and shadow["percent"] == 0.05 and shadow["compare"]["atol"] == 0


def test_job_is_started_and_followed(admin: Visitor, model: str, maas: MaasClient, tmp_path: Path) -> None:
    """Its input is the output of another one, which lies in the bucket."""
    np.save(tmp_path / "rows.npy", np.ones((30, 2), np.float32))
    first = maas.batch(model, tmp_path / "rows.npy", 1, wait=True)
    (part,) = maas.jobs.results(first).results
    page = admin.show("/jobs")
    page.get_by_role("button", name="Start a job").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Model", exact=True).fill(model)
    dialog.get_by_label("Version or alias").fill("production")
    dialog.get_by_label("Input").fill(f"batch/output/{first.id}/{part.name}")
    confirm(page, "Start")
    expect(page.locator("main .status").first).to_have_text("succeeded", timeout=60_000)
    expect(page.locator("main")).to_contain_text("30")
    with page.expect_popup(), page.expect_download() as downloaded:
        page.get_by_role("table", name="Results").get_by_role("link").first.click()
    admin.expect_fault("^popup: ")  # a tab of its own, for the bucket
    assert "batch/output/" in downloaded.value.url and part.name in downloaded.value.url
    assert np.load(downloaded.value.path()).shape == (30, 2)


def test_file_that_the_browser_shows_leaves_the_console_open(admin: Visitor, model: str) -> None:
    """A link to another origin is followed, whatever its attribute `download` says."""
    page = admin.show(f"/models/{model}/versions/1")
    page.context.route("**/source/model.onnx*", lambda route: route.fulfill(content_type="text/plain", body="shown"))
    with page.expect_popup() as opened:
        page.get_by_role("button", name="Download model.onnx").click()
    expect(opened.value.locator("body")).to_have_text("shown")
    admin.expect_fault("^popup: ")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{model}, version 1")
