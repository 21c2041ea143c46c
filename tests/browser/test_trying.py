"""A version is asked from its page: drawn, typed, and with what the answer says."""

import json
import re

from playwright.sync_api import expect

from support.browser.drawing import draw_zero
from support.browser.seed import DIGITS, TEXTS, Seeded
from support.browser.visitor import Visitor


def test_drawn_digit_is_recognised(admin: Visitor, seeded: Seeded) -> None:
    page = admin.show(seeded.pages["try"])
    draw_zero(page, page.locator("main canvas").first)
    page.get_by_role("button", name="Ask", exact=True).click()
    answer = page.locator("main").get_by_role("heading", name=re.compile("^Answer"))
    expect(answer).to_contain_text("version 2")
    bars = page.get_by_role("table", name=re.compile("probabilities")).get_by_role("row")
    expect(bars).to_have_count(10)
    shares = {row.get_by_role("rowheader").inner_text(): row.inner_text().split()[-2] for row in bars.all()}
    assert max(shares, key=lambda digit: float(shares[digit])).split()[-1] == "0", shares
    expect(page.locator("main pre", has_text="curl")).to_contain_text(f"/v2/models/{DIGITS}/versions/2/infer")


def test_text_is_classified(admin: Visitor, seeded: Seeded) -> None:
    page = admin.show(seeded.pages["try-text"])
    page.locator("main textarea").first.fill("a good movie")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.locator("main")).to_contain_text(re.compile("positive.*%", re.DOTALL))
    expect(page.locator("main pre", has_text="curl")).to_contain_text(f"/v2/models/{TEXTS}")


def test_wrong_number_is_told_at_its_field(admin: Visitor, seeded: Seeded) -> None:
    page = admin.show(seeded.pages["try"])
    page.get_by_text("a whole request in JSON").click()
    tensor = {"name": "image", "shape": [1, 2], "datatype": "FP32", "data": [1, 2]}
    page.locator("main textarea").first.fill(json.dumps({"inputs": [tensor]}))
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("64")
    admin.expect_fault("status of 400")
