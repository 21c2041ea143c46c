"""What modules of the console make of values, called as pages call them."""

from typing import Any

import pytest
from playwright.sync_api import Page

MODULE = """async ([module, name, given]) => {
    const of = await import(document.querySelector("script[type=module]").src.replace("main.js", module));
    return of[name](...given);
}"""


def call(page: Page, module: str, name: str, *given: Any) -> Any:
    return page.evaluate(MODULE, [module, name, list(given)])


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("percent", 0, "0 %"),
        ("percent", 0.00001, "0.001 %"),
        ("percent", 0.0525, "5.25 %"),
        ("percent", 0.12345, "12.3 %"),
        ("percent", 1, "100 %"),
        ("usd", 0.0145, "$0.015"),
        ("usd", 0.000000123, "$0.00000012"),
        ("usd", 1234567.5, "$1,234,567.50"),
        ("bytes", 999, "999 B"),
        ("bytes", 999_999, "1.00 MB"),
        ("bytes", 1_500_000_000_000_000, "1,500 TB"),
        ("ms", 0.1234, "0.123 ms"),
        ("ms", 99_900, "99.9 s"),
        ("ms", 1_000_000, "17 min"),
        ("ms", 5_000_000_000, "1,388.9 h"),
        ("span", -3, "0 s"),
        ("span", 59.9, "1 min"),
        ("span", 3590, "1 h"),
    ],
)
def test_numbers_are_written_for_people(page: Page, name: str, value: float, text: str) -> None:
    assert call(page, "format.js", name, value) == text


@pytest.mark.parametrize(
    ("typed", "token"),
    [
        ("0.1234567890123456789", "0.1234567890123456789"),
        ("+0.1234567890123456789", "0.1234567890123456789"),
        (".5", "0.5"),
        ("-.5e3", "-0.5e3"),
        ("1.", "1"),
        ("007.50", "7.50"),
        ("+1e400", "1e400"),
        ("-inf", '"-Infinity"'),
    ],
)
def test_typed_fractions_keep_their_digits(page: Page, typed: str, token: str) -> None:
    assert call(page, "pages/try/datatypes.js", "token", "FP64", typed) == token


def test_words_are_no_fractions(page: Page) -> None:
    with pytest.raises(Exception, match="expected a number with a point"):
        call(page, "pages/try/datatypes.js", "token", "FP64", "constructor")


def test_answer_that_is_cut_off_is_told(page: Page) -> None:
    """The connection breaks after the status has come."""
    told = page.evaluate(
        """async (module) => {
            const { call } = await import(document.querySelector("script[type=module]").src.replace("main.js", module));
            const [real, broken] = [window.fetch, { start: (stream) => stream.error(new TypeError("cut off")) }];
            window.fetch = async () => new Response(new ReadableStream(broken));
            const told = await call("list_models").catch((error) => [error.status, error.message]);
            window.fetch = real;
            return told;
        }""",
        "api.js",
    )
    assert told == [0, "The server cannot be reached."]


def test_options_become_python(page: Page) -> None:
    """The command for Python has values as Python writes them, texts as they are."""
    options = {"candidate_labels": ["good:true", 'a "b"'], "truncate": True, "variant": "dynamic-int8"}
    request = {"inputs": [{"name": "text", "datatype": "BYTES", "shape": [1], "tokens": ['"x"']}], "texts": ["x"]}
    text = page.evaluate(
        """async ([request, about]) => {
            const folder = document.querySelector("script[type=module]").src.replace("main.js", "");
            const { html, render } = await import(`${folder}lib.js`);
            const { default: Commands } = await import(`${folder}pages/try/commands.js`);
            const box = document.createElement("div");
            const ready = { headers: {}, path: "/v2", text: "{}" };
            render(html`<${Commands} result=${{ request, ready }} about=${about} />`, box);
            [...box.querySelectorAll("button")].find((one) => one.textContent.trim() === "Python").click();
            await new Promise(requestAnimationFrame);
            return box.querySelector("pre").textContent;
        }""",
        [request | {"task": "zero-shot-classification", "parameters": options}, {"model": "m", "version": "1"}],
    )
    expected = (
        """variant="dynamic-int8", parameters={"candidate_labels": ["good:true", "a \\"b\\""], "truncate": True}"""
    )
    assert expected in text, text
