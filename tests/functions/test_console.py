"""The console: its operations are the API's, its files are whole and safe to serve."""

import base64
import gzip
import json
import re
import sys
from dataclasses import replace
from typing import Any

import pytest

from conftest import LoadFunction
from maas.web.requests import request_of
from support import wire
from support.aws.engine import ROOT

FOLDER = ROOT / "functions" / "management" / "console"
MODULES = [path for path in sorted(FOLDER.rglob("*.js")) if path.parent.name != "vendor"]
MOST_LINES = 150
needs_libraries = pytest.mark.skipif(
    not (FOLDER / "vendor" / "preact.js").exists(), reason="`make console` has not fetched its libraries"
)


def test_operations_are_those_of_the_api(load_function: LoadFunction) -> None:
    text = (FOLDER / "api.js").read_text()
    said = re.findall(r'^  (\w+): \["(\w+)", "([^"]+)"\],$', text, re.MULTILINE)
    assert len(said) == len(re.findall(r"^  \w+: \[", text, re.MULTILINE)) > 30
    document = load_function("ManagementFunction").app.openapi()
    offered = {
        operation["operationId"]: (method.upper(), path)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    for name, method, path in said:
        assert offered[name] == (method, f"/api/v1{path}")
        assert any(f'"{name}"' in path.read_text() for path in MODULES if path.name != "api.js"), f"{name} is not used"
    (tasks,) = re.findall(r"TASKS = \[(.*?)\]", text, re.DOTALL)
    parameters = document["paths"]["/api/v1/models"]["get"]["parameters"]
    (task,) = [one["schema"]["enum"] for one in parameters if one["name"] == "task"]
    assert re.findall(r'"([^"]+)"', tasks) == task


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.relative_to(FOLDER).as_posix())
def test_modules(module: Any) -> None:
    text = module.read_text()
    assert len(text.splitlines()) <= MOST_LINES
    for target in re.findall(r'(?:from|import\()\s*"([^"]+)"', text):
        assert target.startswith(".")
        found = (module.parent / target).resolve()
        assert found.exists() or found.parent.name == "vendor", target
    for name in re.findall(r'\bcall\("(\w+)"', text):
        assert re.search(rf"^  {name}: ", (FOLDER / "api.js").read_text(), re.MULTILINE), name
    for danger in ("innerHTML", "outerHTML", "insertAdjacentHTML", "localStorage", "eval(", "document.write"):
        assert danger not in text


@needs_libraries
def test_page_and_files_are_served_packed(load_function: LoadFunction) -> None:
    handler = load_function("ManagementFunction").lambda_handler

    def get(path: str, **headers: str) -> Any:
        return handler(wire.event(path, b"", headers, "GET"), wire.CONTEXT)

    page = get("/console")
    assert page["headers"]["cache-control"] == "no-cache"
    assert "unsafe" not in page["headers"]["content-security-policy"]
    assert "[[" not in page["body"]
    assert get("/console", **{"if-none-match": page["headers"]["etag"]})["statusCode"] == 304
    names = re.findall(r'(?:href|src)="(console/[^"]+)"', page["body"])
    assert names
    for name in names:
        plain, packed = get(f"/{name}"), get(f"/{name}", **{"accept-encoding": "gzip, br"})
        assert packed["headers"]["content-encoding"] == "gzip"
        assert gzip.decompress(base64.b64decode(packed["body"])) == plain["body"].encode()
        assert "immutable" in plain["headers"]["cache-control"]
        assert plain["headers"]["x-content-type-options"] == "nosniff"
        assert get(f"/{name}", **{"if-none-match": plain["headers"]["etag"]})["statusCode"] == 304
    digest = names[0].split("/")[1]
    for wrong in (f"/console/{digest}/nothing.js", f"/console/{digest}/../app.py", "/console/0/main.js"):
        assert get(wrong)["statusCode"] == 404
    assert handler(wire.event("/console", b"", {}, "POST"), wire.CONTEXT)["statusCode"] == 405


@needs_libraries
def test_head_and_if_none_match(load_function: LoadFunction) -> None:
    """As a load balancer or a function URL asks; weak tags are those of proxies that packed the body themselves."""
    handler = load_function("ManagementFunction").lambda_handler

    def ask(method: str, path: str = "/console", **headers: str) -> Any:
        return handler(wire.event(path, b"", headers, method), wire.CONTEXT)

    whole, head = ask("GET"), ask("HEAD")
    assert (head["statusCode"], head["body"]) == (200, "")
    assert head["headers"]["content-type"] == whole["headers"]["content-type"] == "text/html; charset=utf-8"
    etag = whole["headers"]["etag"]
    for sent in (etag, f"W/{etag}"):
        same = ask("GET", **{"if-none-match": sent})
        assert (same["statusCode"], same["body"]) == (304, "")
        assert same["headers"]["content-security-policy"] == whole["headers"]["content-security-policy"]
    assert ask("GET", **{"if-none-match": '"another"'})["statusCode"] == 200
    assert ask("GET", "/consoles")["statusCode"] != 200


def test_slash_at_the_end_leads_to_the_page(load_function: LoadFunction) -> None:
    """By a relative address, as a stage may come before it. What the page names is relative to /console."""
    handler = load_function("ManagementFunction").lambda_handler
    for method in ("GET", "HEAD"):
        answer = handler(
            wire.event("/stage/console/", b"", {}, method) | {"routeKey": f"{method} /console/{{proxy+}}"}, wire.CONTEXT
        )
        assert (answer["statusCode"], answer["headers"]["location"]) == (307, "../console")


@needs_libraries
def test_slash_behind_a_file_leads_nowhere(load_function: LoadFunction) -> None:
    handler = load_function("ManagementFunction").lambda_handler
    assert handler(wire.event("/console/0/main.js/", b"", {}, "GET"), wire.CONTEXT)["statusCode"] == 404


def test_missing_libraries_are_told(load_function: LoadFunction, monkeypatch: pytest.MonkeyPatch) -> None:
    handler = load_function("ManagementFunction").lambda_handler
    monkeypatch.setattr(sys.modules["console_files"], "NEEDED", FOLDER / "vendor" / "none.js")
    answer = handler(wire.event("/console", b"", {}, "GET"), wire.CONTEXT)
    assert answer["statusCode"] == 503
    assert "`make console`" in json.loads(answer["body"])["error"]


def test_files_need_no_further_library() -> None:
    """What serves the console is loaded with each start of the function: it takes the standard library alone."""
    imported = re.findall(r"^(?:import|from) (\w+)", (FOLDER.parent / "console_files.py").read_text(), re.MULTILINE)
    assert set(imported) - {"maas"} <= sys.stdlib_module_names


@needs_libraries
def test_page_is_another_once_callers_authenticate_otherwise(load_function: LoadFunction) -> None:
    """The files are the same then, but a browser that kept the page has to get the new one."""
    function = load_function("ManagementFunction")
    request = request_of(wire.event("/console", b"", {}, "GET"))
    page = function.console_file(request, replace(function.settings, auth="keys"))
    again = request._replace(headers={"if-none-match": page["headers"]["etag"]})
    assert function.console_file(again, replace(function.settings, auth="keys"))["statusCode"] == 304
    other = function.console_file(again, replace(function.settings, auth="jwt"))
    assert other["statusCode"] == 200 and 'data-auth="jwt"' in other["body"]
