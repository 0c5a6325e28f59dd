"""The HTML report in a real browser: clicked, typed into, heard by a screen reader, photographed. Nothing leaves the machine.

Needs Chromium and its driver (on Debian `chromium` and `chromium-driver`). Where they are not installed the tests are skipped,
unless RECONCILER_BROWSER is set: a check that was asked for must not pass by not running.
"""

import base64
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.render.html.html_page import page
from tests.render.reports_html import DRIFT, HOSTILE_TEXTS, PLAN, hostile, huge

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")

pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER) and not os.environ.get("RECONCILER_BROWSER"),
    reason="Chromium or its driver is not installed (Debian: chromium, chromium-driver)",
)

ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
    "--window-size=1280,900",
)


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    assert CHROMIUM and DRIVER, "RECONCILER_BROWSER is set, and Chromium or its driver is not installed"
    options = Options()
    options.binary_location = CHROMIUM
    for argument in (*ARGUMENTS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    # With the driver's path given, selenium looks for none on the network.
    browser = webdriver.Chrome(options=options, service=Service(DRIVER))
    try:
        yield browser
    finally:
        browser.quit()


class Opened:
    """A report in the browser."""

    def __init__(self, browser: Any, folder: Path) -> None:
        self.browser = browser
        self.folder = folder

    def open(self, text: str, *, scheme: str = "light", width: int = 1280) -> "Opened":
        file = self.folder / "report.html"
        file.write_text(text, encoding="utf-8")
        media = [{"name": "prefers-color-scheme", "value": scheme}]
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": media})
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        self.browser.get("about:blank")
        self.browser.get_log("browser"), self.browser.get_log("performance")
        self.browser.get(file.as_uri())
        return self

    def run(self, script: str, *arguments: object) -> Any:
        return self.browser.execute_script(script, *arguments)

    def click(self, selector: str) -> None:
        element = self.browser.find_element("css selector", selector)
        self.run("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", element)
        element.click()

    def type(self, *keys: str) -> None:
        """To whatever has the focus."""
        from selenium.webdriver.common.action_chains import ActionChains

        ActionChains(self.browser).send_keys(*keys).perform()

    @property
    def status(self) -> str:
        return str(self.run("return document.querySelector('#shown').textContent"))

    @property
    def shown(self) -> list[str]:
        """The titles of the findings and changes that can be seen."""
        return list(
            self.run(
                "return [...document.querySelectorAll('.item')].filter(e => e.checkVisibility())"
                ".map(e => e.querySelector('.address').textContent)"
            )
        )

    @property
    def focused(self) -> str:
        return str(self.run("return document.activeElement.querySelector('title')?.textContent ?? ''"))

    def errors(self) -> list[str]:
        return [entry["message"] for entry in self.browser.get_log("browser")]

    def requests(self) -> list[str]:
        """Everything that was asked for, but the page itself and what the browser carries inside."""
        messages = [json.loads(entry["message"])["message"] for entry in self.browser.get_log("performance")]
        asked = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
        inside = ("chrome:", "chrome-untrusted:", "devtools:", "about:", (self.folder / "report.html").as_uri())
        return [url for url in asked if not url.startswith(inside)]

    def photograph(self, name: str) -> bytes:
        """The visible part as a PNG, kept in the test's folder."""
        shot = base64.b64decode(self.browser.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})["data"])
        (self.folder / f"{name}.png").write_bytes(shot)
        return shot


@pytest.fixture
def opened(chromium: Any, tmp_path: Path) -> Opened:
    return Opened(chromium, tmp_path)


def looked_at(browser: Any, *shots: bytes) -> list[tuple[float, int]]:
    """Of each photograph, the mean brightness (0 to 255) and the number of colours. The browser itself reads the PNGs."""
    browser.get("about:blank")
    script = """
        const [shots, done] = arguments;
        Promise.all(shots.map(async (shot) => {
          const picture = new Image();
          picture.src = `data:image/png;base64,${shot}`;
          await picture.decode();
          const canvas = new OffscreenCanvas(picture.width, picture.height).getContext("2d");
          canvas.drawImage(picture, 0, 0);
          const pixels = canvas.getImageData(0, 0, picture.width, picture.height).data;
          const colours = new Set();
          let sum = 0;
          for (let i = 0; i < pixels.length; i += 4) {
            sum += pixels[i] + pixels[i + 1] + pixels[i + 2];
            colours.add((pixels[i] << 16) | (pixels[i + 1] << 8) | pixels[i + 2]);
          }
          return [sum / (pixels.length / 4) / 3, colours.size];
        })).then(done);
    """
    return [tuple(seen) for seen in browser.execute_async_script(script, [base64.b64encode(s).decode() for s in shots])]


def test_the_page_opens_without_an_error_and_asks_for_nothing(opened: Opened) -> None:
    """Whoever opens a report of production on a train, or in a network that logs every request."""
    opened.open(page(DRIFT))

    assert "Drift: Acme" == opened.browser.title
    assert "Showing 7 of 7 findings." == opened.status
    assert [] == opened.errors()
    assert [] == opened.requests()


def test_a_severity_can_be_switched_off_and_on(opened: Opened) -> None:
    """Whoever has to see the two that matter among forty."""
    opened.open(page(DRIFT))
    everything = opened.shown

    opened.click("input[value=high]")
    assert "Showing 5 of 7 findings." == opened.status
    assert 5 == len(opened.shown)

    opened.click("input[value=high]")
    assert everything == opened.shown
    assert [] == opened.errors()


def test_kinds_and_known_findings_can_be_switched_off(opened: Opened) -> None:
    """The daily report: what is new since yesterday, and nothing else."""
    opened.open(page(PLAN))
    opened.click("input[value=drift]")
    opened.click("input[value=change]")
    assert "Showing 1 of 2 findings and 0 of 3 changes." == opened.status
    assert ["ExtlClntAppOauthConfigurablePolicies/order_portal"] == opened.shown

    opened.open(page(DRIFT))
    opened.click("input[value=known]")
    assert "Showing 5 of 7 findings." == opened.status


def test_the_search_finds_every_word_in_any_case(opened: Opened) -> None:
    """Whoever was called because of one app."""
    opened.open(page(DRIFT))
    opened.click("#search")
    opened.type("DANA apexExecutionUser")

    assert ["OauthTokenExchangeHandler/PartnerIdp/enablements/Partner_Portal"] == opened.shown
    assert "Showing 1 of 7 findings." == opened.status

    opened.click("#reset")
    assert 7 == len(opened.shown)


def test_a_node_is_chosen_by_keyboard_alone(opened: Opened) -> None:
    """People who have no mouse, or do not see the pointer."""
    from selenium.webdriver.common.keys import Keys

    opened.open(page(DRIFT))
    for _ in range(12):
        opened.type(Keys.TAB)
        if "order_portal" in opened.focused:
            break
    assert "external client app order_portal high: 2 findings" == opened.focused
    ring = "return getComputedStyle(document.activeElement).outlineStyle"
    assert "none" != opened.run(ring), "nobody sees where the keyboard is"

    opened.type(Keys.ENTER)
    assert "Showing 3 of 7 findings of app order_portal." == opened.status
    assert {"order_portal"} == {title.rpartition("/")[2] for title in opened.shown}
    assert "true" == opened.run("return document.activeElement.getAttribute('aria-pressed')")
    assert opened.run("return document.querySelector('#chosen').checkVisibility()")

    opened.type(Keys.SPACE)
    assert "Showing 7 of 7 findings." == opened.status
    assert "false" == opened.run("return document.activeElement.getAttribute('aria-pressed')")


def test_a_node_is_chosen_by_a_click_and_let_go_by_a_button(opened: Opened) -> None:
    """Whoever clicks on the red box first, as everybody does."""
    opened.open(page(DRIFT))
    handler = opened.run(
        "return [...document.querySelectorAll('a.node')].find(n => n.textContent.includes('handler')).dataset.node"
    )
    opened.click(f"a.node[data-node={handler}] .box")
    assert "Showing 1 of 7 findings of handler PartnerIdp." == opened.status

    opened.click("#unchoose")
    assert "Showing 7 of 7 findings." == opened.status


def spoken(browser: Any) -> list[tuple[str, str]]:
    """Role and name of everything that a screen reader is told of."""
    tree = browser.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    return [(node.get("role", {}).get("value"), node.get("name", {}).get("value")) for node in tree]


def test_a_screen_reader_is_told(opened: Opened) -> None:
    """People who hear the page: nodes are buttons with names, and what the filters did is announced."""
    from selenium.webdriver.support.ui import WebDriverWait

    opened.open(page(DRIFT))
    # The browser makes what a screen reader hears a moment after the page.
    heard = WebDriverWait(opened.browser, 20).until(lambda browser: tree if len(tree := spoken(browser)) > 1 else None)

    assert ("button", "Apex class PartnerIdpTokenHandler critical: 1 finding") in heard
    assert ("checkbox", "critical 2") in heard
    assert ("searchbox", "Text") in heard
    assert "status" in [role for role, _ in heard]
    assert ("heading", "Findings (5)") in heard


def test_without_a_script_everything_is_there(opened: Opened) -> None:
    """A mail program that shows the page and runs nothing."""
    opened.browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        opened.open(page(DRIFT))
        visible = opened.browser.find_element("tag name", "main").text
    finally:
        opened.browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})

    assert "The handler's code now runs with the rights of another user." in visible
    assert "Show only" not in visible


def test_no_text_of_an_org_runs_or_loads_anything(opened: Opened) -> None:
    """Everybody who opens a report of an org in which one administrator is an enemy."""
    opened.open(page(hostile(*HOSTILE_TEXTS)))
    for element in opened.browser.find_elements("css selector", "a.node")[:20]:
        opened.run("arguments[0].dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true}))", element)
        opened.run("arguments[0].dispatchEvent(new MouseEvent('mouseover', {bubbles: true}))", element)

    assert opened.run("return window.hacked === undefined")
    assert (opened.folder / "report.html").as_uri() == opened.browser.current_url
    assert [] == opened.errors()
    assert [] == opened.requests()


def test_the_page_refuses_a_script_that_got_past_the_escaping(opened: Opened) -> None:
    """The second line of defence, should somebody find a hole in the first."""
    hole = "<script>window.hacked=1</script><img src=x onerror=window.hacked=1><b style='color:red'>b</b>"
    opened.open(page(DRIFT).replace("<main", f"{hole}<main"))

    assert opened.run("return window.hacked === undefined")
    assert 4 <= sum("Content Security Policy" in error for error in opened.errors())
    assert "Showing 7 of 7 findings." == opened.status


@pytest.mark.parametrize("width", [1280, 420])
def test_light_and_dark_are_drawn_and_fit(opened: Opened, width: int) -> None:
    """Night shifts, and telephones."""
    shots = []
    for scheme in ("light", "dark"):
        opened.open(page(PLAN), scheme=scheme, width=width)
        shots.append(opened.photograph(f"{scheme}-{width}"))
        assert opened.run("return document.documentElement.scrollWidth <= innerWidth"), "wider than the window"
    (light, colours), (dark, dark_colours) = looked_at(opened.browser, *shots)

    assert light > 180 and dark < 75
    assert colours > 50 and dark_colours > 50, "a blank page"


def test_ten_thousand_findings_open_and_filter(opened: Opened) -> None:
    """An org of 2,000 apps, on the first day."""
    opened.open(page(huge()))
    opened.click("#search")
    opened.type("app_00007")

    assert opened.status.startswith("Showing 1 of 1000 findings")
    assert [] == opened.errors()
