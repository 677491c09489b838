"""JupyterLab is started for this machine only, and asks nobody for news."""

import json

from workbench.lab import SETTINGS, lab_command
from workbench.notebooks import PROJECT


def test_the_server_listens_on_loopback_and_keeps_its_token():
    command = lab_command(port=9000, open_browser=False)
    assert "--ServerApp.ip=127.0.0.1" in command
    assert "--ServerApp.port=9000" in command
    assert f"--ServerApp.root_dir={PROJECT}" in command
    assert "--no-browser" in command
    assert not [word for word in command if "token" in word or "password" in word]


def test_it_opens_the_tour():
    (page,) = (word.partition("=")[2] for word in lab_command() if word.startswith("--LabApp.default_url"))
    assert (PROJECT / page.removeprefix("/lab/tree/")).is_file()


def test_neither_news_nor_updates_are_fetched():
    settings = json.loads((SETTINGS / "overrides.json").read_text())
    notification = settings["@jupyterlab/apputils-extension:notification"]
    assert notification == {"fetchNews": "false", "checkForUpdates": False}
