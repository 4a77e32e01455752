"""The command of the studio: its start, a port in use, and Ctrl-C while a page listens."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from studio_requests import events

from seqmusic.cli import main
from seqmusic.studio.settings import HOST, StudioSettings


def post(address: str, path: str, data: Any) -> Any:
    request = urllib.request.Request(
        address + path, json.dumps(data).encode(), {"content-type": "application/json"}
    )
    return urllib.request.urlopen(request, timeout=60)


def test_ctrl_c_ends_it_at_once_with_a_stream_open(tmp_path: Path) -> None:
    environment = os.environ | {"XDG_DATA_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "seqmusic", "studio", "--port", "0", "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as server:
        assert server.stdout
        found = re.search(r"http://127\.0\.0\.1:\d+", server.stdout.readline())
        assert found
        address = f"{found[0]}/api/v1"
        session = json.load(post(address, "/sessions", {}))
        order = {"task": "continue", "n": 6, "bars": 24, "strict": True}
        stream = post(address, f"/sessions/{session['id']}/compose", order)
        assert stream.readline().startswith(b"event: ")
        server.send_signal(signal.SIGINT)
        server.wait(15)
        assert server.returncode == 130
    assert list((tmp_path / "seqmusic/studio/sessions").glob("*.json"))


def test_a_port_in_use_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server((HOST, 0)) as other:
        port = other.getsockname()[1]
        thread = threading.Thread(target=lambda: other.accept()[0].close())
        thread.start()
        assert main(["studio", "--port", str(port), "--no-browser"]) == 2
        thread.join(5)
    assert f"port {port} is in use by another program" in capsys.readouterr().err


def test_a_second_studio_names_the_first(
    studio_address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    port = studio_address.rpartition(":")[2]
    assert main(["studio", "--port", port, "--no-browser"]) == 2
    assert f"a studio is running already at {studio_address}/" in capsys.readouterr().err


def test_settings_and_models_are_checked(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="--port must be in"):
        StudioSettings(port=70_000)
    assert main(["studio", "--model", "nowhere", "--no-browser", "--port", "0"]) == 2
    assert "nowhere" in capsys.readouterr().err


def test_forever_writes_and_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "stream"
    assert (
        main(["forever", "--seed", "7", "--segments", "2", "--effort", "0", "--out", str(out)]) == 0
    )
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("/s/7/0  ")
    assert lines[-1].startswith("last segments: parallels 0.00%")
    assert sorted(path.name for path in out.iterdir()) == ["000000.musicxml", "000001.musicxml"]


def test_twenty_pages_at_once_are_all_served(studio_address: str) -> None:
    address = f"{studio_address}/api/v1"

    def compose(seed: int) -> tuple[int, int]:
        session = json.load(post(address, "/sessions", {}))
        order = {"task": "continue", "n": 1, "bars": 3, "seed": seed, "effort": 0}
        text = post(address, f"/sessions/{session['id']}/compose", order).read().decode()
        (_, found), (last, _) = events(text)
        view = json.load(post(address, "/view", {"score": found["score"], "width": 600}))
        assert last == "done"
        return len(view["svg"]), found["settings"]["seed"]

    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(compose, range(20))) == [(1, seed) for seed in range(20)]
