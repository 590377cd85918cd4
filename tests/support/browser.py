"""A person at a real browser: Debian's Chromium, which trusts the hub's own authority."""

from __future__ import annotations

import errno
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import AF_NETLINK

import pyseccomp as seccomp
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException, TimeoutException, WebDriverException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from tests.support.deployment import OUTPUT
from tests.support.ports import free_ports

PATIENCE_S = 120
"""A server of a full application hub starts in 4 to 8 s; two busy cores take longer."""

_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,900",
)


class Browser:
    """What a person does with it."""

    def __init__(self, url: str, driver: webdriver.Chrome) -> None:
        """A browser that shows nothing yet.

        :param url: the hub's address.
        """
        self.url = url
        self.driver = driver

    def open(self, path: str = "/") -> None:
        """Go to a page of the hub."""
        self.driver.get(self.url + path)

    def sign_in_with_password(self, name: str, password: str) -> None:
        """Fill in the hub's own form."""
        self.open("/hub/login")
        self.find("#username_input").send_keys(name)
        self.find("#password_input").send_keys(password)
        button = self.find("#login_submit")
        button.click()
        # Going elsewhere before the answer is there would be overtaken by where the answer leads.
        self.until(lambda: self._replaced(button), "the form gets no answer")

    def sign_in_with_github(self, login: str) -> None:
        """Press the hub's button, then say on the provider's page who one is."""
        self.open("/hub/login")
        self.find("a[href*=oauth_login]").click()
        self.find("#login").send_keys(login)
        self.find("#authorize").click()
        self.until(self._back_from_provider, "the provider does not lead back")

    def choose(self, application: str, interface: str = "lab") -> None:
        """Pick from the menu and start."""
        self.open("/hub/spawn")
        self.find(f"input[name=application][value={application}]").click()
        self.find(f"input[name=interface][value={interface}]").click()
        self.picture("menu")
        self.find("#spawn_form [type=submit]").click()

    def wait_for_lab(self) -> None:
        """Until JupyterLab shows its launcher or a notebook."""
        self.find(".jp-LauncherCard[data-category=Notebook], .jp-NotebookPanel")

    def wait_for_notebook(self) -> None:
        """Until the classic Notebook shows its files."""
        self.find(".jp-FileBrowser")

    def new_notebook(self) -> None:
        """Open a notebook from JupyterLab's launcher, and wait for its kernel."""
        card = self.find(".jp-LauncherCard[data-category=Notebook]")
        self.driver.execute_script("arguments[0].click()", card)
        self.until(self._kernel_idle, "the kernel does not become idle")

    def run(self, code: str, expect: str) -> None:
        """Type code into the last cell, run it, and wait for what it prints."""
        self.until(self._kernel_idle, "the kernel does not become idle")
        self.until(lambda: self._typed(code), f"{code!r} cannot be typed into the last cell")
        cell = self._cells()[-1]
        begun = time.monotonic()
        while True:
            ActionChains(self.driver).key_down(Keys.SHIFT).send_keys(Keys.ENTER).key_up(Keys.SHIFT).perform()
            try:
                self.until(lambda: expect in self.printed(), f"no {expect}", within_s=10)
            except AssertionError:
                # JupyterLab drops a cell that is run before its kernel's connection is up.
                if time.monotonic() - begun > 60:
                    self.picture("cell-failed")
                    raise AssertionError(
                        f"{code!r} did not print {expect!r} but {self.printed()!r}"
                    ) from None
                cell.click()
            else:
                return

    def printed(self) -> str:
        """All that cells have printed."""
        found = self.driver.find_elements(By.CSS_SELECTOR, ".jp-OutputArea-output pre")
        try:
            return "\n".join(each.text for each in found)
        except StaleElementReferenceException:
            return ""

    def save(self) -> None:
        """Save a new notebook under the name that JupyterLab proposes."""
        ActionChains(self.driver).key_down(Keys.CONTROL).send_keys("s").key_up(Keys.CONTROL).perform()
        self.find(".jp-Dialog .jp-mod-accept").click()
        self.until(lambda: not self.driver.find_elements(By.CSS_SELECTOR, ".jp-Dialog"), "it still asks")

    def sign_out(self) -> None:
        """Press the hub's button."""
        self.open("/hub/home")
        self.find("#logout").click()

    @property
    def text(self) -> str:
        """What the page says."""
        return self.driver.find_element(By.TAG_NAME, "body").text

    def find(self, selector: str, within_s: float = PATIENCE_S) -> WebElement:
        """The first element that matches and can be used."""

        def usable(driver: webdriver.Chrome) -> WebElement | None:
            for each in driver.find_elements(By.CSS_SELECTOR, selector):
                if each.is_displayed() and each.is_enabled():
                    return each
            return None

        wait = WebDriverWait(self.driver, within_s, 0.1, [StaleElementReferenceException])
        try:
            found = wait.until(usable)
        except TimeoutException:
            self.picture("not-found")
            raise AssertionError(
                f"no {selector} on {self.driver.current_url}, which says:\n{self.text[:2000]}"
            ) from None
        assert found is not None
        return found

    def until(self, true: Callable[[], object], message: str, within_s: float = PATIENCE_S) -> float:
        """Wait until something is true; the seconds that took."""
        begun = time.monotonic()
        while True:
            try:
                if true():
                    return time.monotonic() - begun
            except WebDriverException:
                pass  # the page is between two states; asked again
            if time.monotonic() - begun > within_s:
                raise AssertionError(
                    f"{message}, on {self.driver.current_url}, which says:\n{self.text[:1000]}"
                )
            time.sleep(0.1)

    def picture(self, name: str) -> Path:
        """Keep a picture of the page."""
        OUTPUT.mkdir(exist_ok=True)
        file = OUTPUT / f"{name}.png"
        self.driver.save_screenshot(str(file))
        return file

    def _replaced(self, element: WebElement) -> bool:
        """Whether the page of an element is gone, and the one that came instead is whole."""
        try:
            element.is_enabled()
        except StaleElementReferenceException:
            return bool(self.driver.execute_script("return document.readyState") == "complete")
        return False

    def _back_from_provider(self) -> bool:
        """Whether a page of the hub is whole: the menu, a server on its way, or why one is not in."""
        whole = self.driver.execute_script("return document.readyState") == "complete"
        refused = bool(self.driver.find_elements(By.CSS_SELECTOR, ".error"))
        url = self.driver.current_url
        return url.startswith(self.url) and bool(whole) and ("oauth_callback" not in url or refused)

    def _cells(self) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, ".jp-Notebook .jp-CodeCell .cm-content")

    def _typed(self, code: str) -> bool:
        """Type code into the last cell, in place of what is there; whether it is there now.

        An editor that is still being drawn takes neither clicks nor keys.
        """
        cells = self._cells()
        for cell in cells[-1:]:
            cell.click()
            cell.send_keys(Keys.CONTROL, "a", Keys.NULL, code)
            return code in cell.text
        return False

    def _kernel_idle(self) -> bool:
        status = self.driver.execute_script(
            "const i = document.querySelector('.jp-NotebookPanel:not(.lm-mod-hidden) "
            ".jp-Notebook-ExecutionIndicator'); return i ? i.dataset.status : ''"
        )
        return str(status).lower() == "idle"


def _hear_nothing_of_network_interfaces() -> None:
    """Deny this process and its children what Linux tells of them.

    Chromium breaks off what it loads when an interface of its machine comes or goes, as each container's
    does. Told nothing, it takes the network for being there.
    """
    denied = seccomp.SyscallFilter(seccomp.ALLOW)
    denied.add_rule(seccomp.ERRNO(errno.EAFNOSUPPORT), "socket", seccomp.Arg(0, seccomp.EQ, AF_NETLINK))
    denied.load()


@contextmanager
def browser(url: str, authority: Path, folder: Path, ours: str | None = None) -> Iterator[Browser]:
    """A browser with an empty profile, that trusts one authority.

    :param folder: its home.
    :param ours: names that lead to this machine, as a DNS record would tell: `*.example.test`.
    """
    database = folder / ".pki" / "nssdb"
    database.mkdir(parents=True, exist_ok=True)
    store = ["certutil", "-d", f"sql:{database}"]
    subprocess.run([*store, "-N", "--empty-password"], check=True)
    subprocess.run([*store, "-A", "-t", "C,,", "-n", "hub", "-i", str(authority)], check=True)
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    names = [f"--host-resolver-rules=MAP {ours} 127.0.0.1"] if ours else []
    for flag in (*_FLAGS, *names, f"--user-data-dir={folder / 'profile'}"):
        options.add_argument(flag)
    environment = {**os.environ, "HOME": str(folder)}
    (port,) = free_ports(1)
    service = webdriver.ChromeService(
        "/usr/bin/chromedriver",
        port=port,
        env=environment,
        popen_kw={"preexec_fn": _hear_nothing_of_network_interfaces},
    )
    driver = webdriver.Chrome(options=options, service=service)
    try:
        yield Browser(url, driver)
    finally:
        driver.quit()
