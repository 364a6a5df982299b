"""The JavaScript that the browser loads: found below whatever prefix the page has, and nothing else with it."""

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from ui import live

MODULES = ("live/shared/page.js", "live/draw/pad.js", "live/shared/vocabulary.js", "live/library/plotly.min.js")


@pytest.mark.parametrize("root", ["", "/vae"])
@pytest.mark.parametrize("sent", ["", "/vae"])
def test_modules_are_found_whether_or_not_a_proxy_takes_the_prefix_off(root, sent):
    if sent and not root:
        pytest.skip("a prefix that the app does not know")
    client = TestClient(Starlette(routes=live.routes()), root_path=root)
    for module in MODULES:
        answer = client.get(f"{sent}/{module}")
        assert answer.status_code == 200 and "javascript" in answer.headers["Content-Type"]
        assert answer.headers["Cache-Control"] == "no-cache"


def test_a_module_comes_only_if_it_has_changed():
    client = TestClient(Starlette(routes=live.routes()))
    tag = client.get(f"/{MODULES[0]}").headers["ETag"]
    assert client.get(f"/{MODULES[0]}", headers={"If-None-Match": tag}).status_code == 304


@pytest.mark.parametrize(
    "path", ["live/", "live/shared", "live/__init__.py", "live/none.js", "live/%2e%2e/%2e%2e/node_modules/x.js"]
)
def test_nothing_else_is_found(path):
    assert TestClient(Starlette(routes=live.routes())).get(path).status_code == 404
