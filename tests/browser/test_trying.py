"""A version is asked from its page: drawn, typed, and with what the answer says."""

import base64
import json
import re
from pathlib import Path

from onnx import TensorProto
from playwright.sync_api import Route, expect

from maas_client import MaasClient
from support import onnx_models
from support.browser.drawing import draw_zero
from support.browser.seed import DIGITS, TEXTS, Seeded
from support.browser.visitor import Visitor
from support.exports import small

PASTE = """([name, content]) => {
    const clipboardData = new DataTransfer();
    const bytes = Uint8Array.from(atob(content), (one) => one.charCodeAt(0));
    clipboardData.items.add(new File([bytes], name, { type: "image/png" }));
    document.dispatchEvent(new ClipboardEvent("paste", { clipboardData, cancelable: true }));
}"""
LARGE = 9_007_199_254_740_993  # 2^53 + 1


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


def test_pasted_images_are_added(admin: Visitor, maas: MaasClient, tmp_path: Path) -> None:
    small.written(small.image_export(), tmp_path / "colours")
    maas.push(tmp_path / "colours", "colours")
    page = admin.show("/models/colours/try")
    for colour in ("red", "green", "blue"):
        content = base64.b64encode(small.picture(colour)).decode()
        page.evaluate(PASTE, [f"{colour}.png", content])
        expect(page.locator("main li", has_text=f"{colour}.png").first).to_be_visible()
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.locator("main").get_by_role("table")).to_have_count(3)
    assert [one.strip() for one in page.locator("main h3").all_inner_texts()] == ["red.png", "green.png", "blue.png"]


def test_large_integers_of_a_profile_are_not_rounded(admin: Visitor, maas: MaasClient, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(onnx_models.identities({"x": TensorProto.INT64}, [1]))
    maas.push(path, "large-integers")
    page = admin.page

    def with_example(route: Route) -> None:
        answer = route.fetch()
        document = answer.json()
        document["profile"]["values"] = {document["inputs"][0]["name"]: [LARGE]}
        route.fulfill(response=answer, body=json.dumps(document))

    page.route(re.compile(r"/api/v1/models/large-integers/versions/1"), with_example)
    admin.show("/models/large-integers/try")
    expect(page.locator(".values input")).to_have_value(str(LARGE))
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.locator("main p.mono")).to_have_text(str(LARGE))


def test_choice_of_a_file_is_taken_back(admin: Visitor, seeded: Seeded, tmp_path: Path) -> None:
    page = admin.show(seeded.pages["try"])
    page.get_by_role("button", name="a .npy file").click()
    chosen = page.get_by_label("File of NumPy")
    path = tmp_path / "wrong.npy"
    path.write_bytes(b"wrong")
    chosen.set_input_files(path)
    expect(page.get_by_role("alert")).to_have_text("This is no .npy file.")
    chosen.set_input_files([])
    expect(page.get_by_role("alert")).to_have_count(0)
    page.get_by_text("a whole request in JSON").click()
    chosen = page.get_by_label("or a .json file")
    path.write_text('{"inputs": []}')
    chosen.set_input_files(path)
    expect(page.locator("main textarea")).to_have_value('{"inputs": []}')
    chosen.set_input_files([])
    expect(page.locator("main textarea")).to_have_value('{"inputs": []}')
