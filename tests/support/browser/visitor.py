"""Somebody who looks at the console, and what went wrong meanwhile."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from support.browser.chromium import WAIT_MS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


class Visitor:
    """A tab of its own. `faults` says what no visit may have: errors, dialogs of scripts, requests to elsewhere.

    `options` are Playwright's of a browser context, such as `color_scheme` and `viewport`.
    """

    def __init__(self, browser: "Browser", url: str, **options: Any) -> None:
        self.url, self._origin = url, "{0.scheme}://{0.netloc}".format(urlsplit(url))
        self._context = browser.new_context(**options)
        self._context.set_default_timeout(WAIT_MS)
        self._context.set_default_navigation_timeout(4 * WAIT_MS)  # the first one starts functions
        self.page: Page = self._context.new_page()
        self.faults: list[str] = []
        self.urls: list[str] = []
        self._watch()

    def open(self, path: str = "") -> "Page":
        """The console, at a page's path behind the #."""
        self.page.goto(f"{self.url}/console{f'#{path}' if path else ''}")
        return self.page

    def log_in(self, key: str, path: str = "") -> "Page":
        self.open(path)
        self.page.get_by_label("API key").fill(key)
        self.page.get_by_role("button", name="Log in").click()
        self.page.locator("nav.top").wait_for()
        return self.page

    def show(self, path: str) -> "Page":
        """Another page, once what it reads is there."""
        self.page.evaluate("path => { location.hash = path; }", path)
        self.settle()
        return self.page

    def settle(self) -> None:
        """Wait until nothing is being loaded and no bones are shown."""
        self.page.locator("main h1").first.wait_for()
        self.page.wait_for_function("() => !document.querySelector('.bones')")
        self.page.wait_for_load_state("networkidle")

    def expect_fault(self, pattern: str) -> None:
        """Forget the faults of this kind; there has to be one."""
        kept = [fault for fault in self.faults if not re.search(pattern, fault)]
        assert len(kept) < len(self.faults), f"{pattern} is none of {self.faults}"
        self.faults = kept

    def leave(self) -> list[str]:
        self._context.close()
        return self.faults

    def _watch(self) -> None:
        page = self.page
        page.on("console", lambda said: said.type in ("error", "warning") and self._note("console", said.text))
        page.on("pageerror", lambda error: self._note("script", str(error)))
        page.on("dialog", self._dismiss)
        page.on("popup", lambda popup: self._note("popup", popup.url))
        page.on("request", lambda request: self._asked(request.url))
        # A page that is left ends what it was reading.
        page.on("requestfailed", lambda one: one.failure != "net::ERR_ABORTED" and self._note("request", one.url))

    def _asked(self, url: str) -> None:
        self.urls.append(url)
        if not url.startswith((f"{self._origin}/", "data:", f"blob:{self._origin}/")):
            self._note("elsewhere", url)

    def _dismiss(self, dialog: Any) -> None:
        self._note("dialog", dialog.message)
        dialog.dismiss()

    def _note(self, kind: str, text: str) -> None:
        self.faults.append(f"{kind}: {text}")


Visit = Callable[..., Visitor]
