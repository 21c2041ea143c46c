"""GET /console: the console's files. They are open: what they show comes from the API, for the visitor's key.

The page is at /console; the others, whose names begin with a digest of them all, may be cached for ever.
"""

import hashlib
import html
import zlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from maas import __version__
from maas.errors import NotFound
from maas.event_kinds import as_mapping
from maas.settings import Settings
from maas.web.compression import accepted
from maas.web.events import answer
from maas.web.requests import Request

ROOT = "/console"
FOLDER = Path(__file__).with_name("console")
NEEDED = FOLDER / "vendor" / "preact.js"
_GZIP = 31
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
# No inline script or style, nothing from elsewhere, and no page that frames this one.
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data: blob:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_SAFE = {
    "content-security-policy": _POLICY,
    "cross-origin-opener-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
_FOR_EVER, _ASK = "public, max-age=31536000, immutable", "no-cache"


def is_console(path: str) -> bool:
    return path == ROOT or path.startswith(f"{ROOT}/")


def console_file(request: Request, settings: Settings) -> dict[str, Any]:
    """The page, or one of its files, packed if the browser takes gzip. Raises NotFound."""
    if request.method != "GET":
        return answer(405, b'{"error": "the console is only read"}', {"allow": "GET, HEAD"})
    # The page's files and calls are relative to the path without a slash at its end.
    if request.path == ROOT and _raw_path(request).endswith("/"):
        return answer(307, b"", _SAFE | {"location": f"../{ROOT.strip('/')}"})
    if not NEEDED.exists():
        return answer(503, b'{"error": "the console\'s libraries are missing: run `make console`, then start again"}')
    name = request.path.removeprefix(ROOT).removeprefix("/")
    digest = _digest()
    if name:
        wanted, _, name = name.partition("/")
        if wanted != digest or name not in _files():
            raise NotFound("console file", f"{wanted}/{name}"[:200])
    content = _files()[name].read_bytes() if name else _page(settings)
    # The page also says how callers authenticate, which can change while the files do not.
    etag = f'"{digest if name else hashlib.sha256(content).hexdigest()[:16]}"'
    headers = _SAFE | {"vary": "accept-encoding", "cache-control": _FOR_EVER if name else _ASK, "etag": etag}
    if request.headers.get("if-none-match") in (etag, f"W/{etag}"):
        return answer(304, b"", headers)
    headers["content-type"] = _TYPES[Path(name or ".html").suffix or ".html"]
    if "gzip" not in accepted(request.headers.get("accept-encoding")):
        return answer(200, content, headers)
    return answer(200, _packed(content), headers | {"content-encoding": "gzip"}, binary=True)


def _raw_path(request: Request) -> str:
    """The path as it was sent; `Request.path` has no slash at its end."""
    path = as_mapping(request.context.get("http")).get("path") or request.context.get("path")
    return path if isinstance(path, str) else request.path


@lru_cache(1)
def _files() -> dict[str, Path]:
    found = (path for path in FOLDER.rglob("*") if path.suffix in _TYPES and path.name != "index.html")
    return {path.relative_to(FOLDER).as_posix(): path for path in sorted(found)}


@lru_cache(1)
def _digest() -> str:
    """Of all files: modules name each other, so one that changes changes all names."""
    found = hashlib.sha256((FOLDER / "index.html").read_bytes())
    for name, path in _files().items():
        found.update(name.encode() + b"\0" + path.read_bytes())
    return found.hexdigest()[:16]


def _page(settings: Settings) -> bytes:
    told = {"DIGEST": _digest(), "AUTH": settings.auth, "VERSION": __version__}
    text = (FOLDER / "index.html").read_text(encoding="utf-8")
    for name, value in told.items():
        text = text.replace(f"[[{name}]]", html.escape(value))
    return text.encode()


@lru_cache(256)
def _packed(content: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, _GZIP)
    return packer.compress(content) + packer.flush()
