"""Markup in every text of others stays text, on every page."""

from dataclasses import dataclass
from urllib.parse import quote

import onnx
import pytest
from playwright.sync_api import Locator

from maas_client import MaasClient
from maas_client.errors import MaasError
from support import onnx_models
from support.browser.visitor import Visitor
from support.exports import small

IMAGE = """<img src="data:,hostile" onerror="alert('hostile')">"""
SCRIPT = """"'></textarea></title><script>alert("hostile")</script><svg onload=alert(1)>"""
LINK = """<a href="javascript:alert('hostile')" id="hostile">hostile</a>{{1+1}}${alert(1)}"""
MODEL = "hostile"
MADE = """() => [...document.querySelectorAll(
    '[id=hostile], [src*=hostile], [onerror], [onload], [href^="javascript:"], script:not([type=module]), main style')]
    .map(one => one.outerHTML)"""


@dataclass(frozen=True)
class Hostile:
    """Pages that show what a stranger wrote, and addresses that the API refuses with a message that quotes them."""

    showing: list[str]
    refused: list[str]


def graph() -> bytes:
    """A model whose inputs and outputs have such names."""
    model = onnx.load_from_string(onnx_models.linear())
    for node in (*model.graph.node, *model.graph.input, *model.graph.output):
        for names, name in ((("x",), IMAGE), (("y",), SCRIPT)):
            if isinstance(node, onnx.ValueInfoProto):
                node.name = name if node.name in names else node.name
            else:
                node.input[:] = [name if one in names else one for one in node.input]
                node.output[:] = [name if one in names else one for one in node.output]
    return model.SerializeToString()


@pytest.fixture(scope="module")
def hostile(maas: MaasClient, tmp_path_factory: pytest.TempPathFactory) -> Hostile:
    folder = tmp_path_factory.mktemp("hostile")
    maas.models.create(MODEL, IMAGE + SCRIPT, {"note": IMAGE, "link": LINK})
    (folder / "named").mkdir()
    (folder / "named" / "model.onnx").write_bytes(graph())
    (folder / "named" / "labels.txt").write_text(f"{IMAGE}\n{LINK}\n")
    for description in (SCRIPT, IMAGE):
        maas.push(folder / "named", MODEL, description=description, tags={"note": LINK})
    labelled = small.text_export("text-classification")
    labels = {str(place): text for place, text in enumerate((IMAGE, SCRIPT, LINK))}
    files = small.changed(labelled, config=small.config_of(labelled, id2label=labels))
    small.written(files, folder / "labelled")
    maas.push(folder / "labelled", "hostile-labels", description=IMAGE)
    (folder / "broken.onnx").write_bytes(onnx_models.linear().replace(b"MatMul", b"<s>x  "))
    with pytest.raises(MaasError):
        maas.push(folder / "broken.onnx", MODEL, description=SCRIPT)
    maas.aliases.set(MODEL, "production", 1, sticky="header:x-user")
    rollout = maas.rollouts.start(MODEL, "production", 2)
    maas.rollouts.abort(MODEL, rollout.id, IMAGE + SCRIPT)
    (folder / "rows.csv").write_text(f"{IMAGE.replace(',', '')},b\n1,2\n")
    job = maas.batch(MODEL, folder / "rows.csv", 1, max_errors=0)
    with pytest.raises(MaasError):
        maas.jobs.wait(job)
    maas.keys.create((IMAGE + LINK)[:100], ["models:read"])
    of_model, wrong = f"/models/{MODEL}", quote(IMAGE + SCRIPT, safe="")
    both = (of_model, "/models/hostile-labels")
    showing = ["/", "/jobs", f"/jobs/{job.id}", "/keys", f"{of_model}/versions/3", f"{of_model}/metrics"]
    showing += [f"{one}{rest}" for one in both for rest in ("", "/versions/1", "/try?version=1")]
    showing += [f"{of_model}/compare?a=1&b=2", f"{of_model}/rollouts?rollout={rollout.id}"]
    refused = [f"/models/{wrong}", f"{of_model}/versions/{wrong}", f"/jobs/{wrong}", f"/{wrong}"]
    return Hostile(showing, [*refused, f"{of_model}/compare?a={wrong}&b={wrong}", f"{of_model}/try?version={wrong}"])


# Two frames after a click, what it opens is in the page.
DRAWN = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))"


def test_texts_of_others_stay_text(admin: Visitor, hostile: Hostile) -> None:
    seen = {}
    for path in hostile.showing:
        page = admin.show(path)
        assert page.evaluate(MADE) == [], path
        seen[path] = page.locator("main").inner_text()
        for button in page.locator("main button[aria-label], main summary").all()[:8]:
            open_and_close(admin, button)
        assert page.evaluate(MADE) == [], path
    for path in ("/", f"/models/{MODEL}", f"/models/{MODEL}/versions/1", "/keys", f"/models/{MODEL}/versions/3"):
        assert "<" in seen[path] and "alert(" in seen[path], (path, seen[path])


def test_errors_that_quote_what_was_sent_stay_text(admin: Visitor, hostile: Hostile) -> None:
    for path in hostile.refused:
        page = admin.show(path)
        assert page.evaluate(MADE) == [], path
    admin.expect_fault("status of 4")


def open_and_close(visitor: Visitor, button: Locator) -> None:
    """What a button shows; a dialog is closed again."""
    if not button.is_visible() or not button.is_enabled():
        return
    button.click()
    visitor.page.evaluate(DRAWN)
    dialog = visitor.page.get_by_role("dialog")
    if visitor.page.locator("dialog").count():
        dialog.wait_for()
        visitor.settle()
        assert visitor.page.evaluate(MADE) == []
        visitor.page.keyboard.press("Escape")
        dialog.wait_for(state="detached")
