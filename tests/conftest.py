"""What several test files share."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from small_runs import shortest_works

from seqmusic.corpus.chorales import load_chorales
from seqmusic.corpus.dataset import Dataset

# How long an example takes says more about what else the machine does than about the code.
settings.register_profile(
    "seqmusic",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize="CI" in os.environ,
)
settings.load_profile("seqmusic")


@pytest.fixture(scope="session")
def chorales() -> Dataset:
    """The whole corpus; from the cache where it was prepared before, else prepared once."""
    return load_chorales()


@pytest.fixture(scope="session")
def small_dataset(chorales: Dataset) -> Dataset:
    """The shortest chorales: 8 for training, 4 for validation and 2 for the test."""
    return shortest_works(chorales, train=8, valid=4, test=2)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A running Chromium; without one the test is skipped, but in CI it fails."""
    names = ("chromium", "chromium-browser", "google-chrome")
    chromium = next((found for name in names if (found := shutil.which(name))), None)
    if chromium is None:
        stop = pytest.fail if os.environ.get("CI") else pytest.skip
        stop(f"the tests of pages need one of {', '.join(names)} on the path")
    from playwright.sync_api import sync_playwright

    quiet = (
        *("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-quic", "--disable-sync"),
        *("--disable-background-networking", "--disable-component-update"),
    )
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=list(quiet))
        yield started
        started.close()


@pytest.fixture(scope="session")
def studio_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the running studio keeps its work."""
    return tmp_path_factory.mktemp("studio")


@pytest.fixture(scope="session")
def studio_address(studio_folder: Path) -> Iterator[str]:
    """The address of a running studio."""
    import uvicorn

    from seqmusic.studio.app import make_app
    from seqmusic.studio.server import open_listener
    from seqmusic.studio.settings import HOST, StudioSettings

    app = make_app(StudioSettings(port=0, folder=studio_folder))
    app.state.studio.endless.effort = 0
    with open_listener(0) as listener:
        config = uvicorn.Config(app, log_level="error", ws="none", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        yield f"http://{HOST}:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()


@pytest.fixture
def open_studio(browser: Any, studio_address: str) -> Iterator[Any]:
    """Opens the page, where candidates are drawn without effort unless it is chosen.

    In the end it checks that the page had no errors and requested only its server.
    """
    steering = {"name": "seqmusic-studio-steering", "value": '{"effort": "0"}'}
    stored = {"cookies": [], "origins": [{"origin": studio_address, "localStorage": [steering]}]}
    contexts, errors, requests = [], [], []

    def open_(path: str = "/", **settings: Any) -> Any:
        context = browser.new_context(**{"locale": "en-US", "storage_state": stored, **settings})
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(studio_address + path)
        page.wait_for_selector("body[data-ready]")
        contexts.append(context)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert [text for text in errors if "status of 4" not in text] == []
    assert {url.split("/")[2] for url in requests if not url.startswith("blob:")} <= {
        studio_address[7:]
    }
