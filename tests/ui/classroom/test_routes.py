"""The class by its routes: the lecturer's acts need the key, and no request gets more than a sentence."""

import json

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from ui.classroom.key import COOKIE, Key
from ui.classroom.room import Room
from ui.classroom.routes import ACTS, IDLE, LARGEST, SOON, WORDS, routes

from .test_room import look

ANNA = "a" * 32
KEY = "correct horse"


@pytest.fixture
def room(tmp_path):
    return Room(tmp_path / "class.json", lambda is_halted: None, lambda only: None)


@pytest.fixture
def steered():
    """What runs were told on the lecturer's behalf."""
    return []


@pytest.fixture
def served(room, steered):
    """The class's routes as an application like Gradio's, which asks for no login."""
    app = Starlette(routes=routes(room, Key(KEY), look, steered.append))
    app.auth, app.tokens, app.cookie_id = None, {}, "here"
    return app


@pytest.fixture
def anna(served):
    return TestClient(served)


@pytest.fixture
def lecturer(served):
    """A browser that has opened the lecturer's link."""
    client = TestClient(served)
    client.get("/live/class/enter", params={"key": KEY}, follow_redirects=False)
    return client


def post(client, route, /, **said):
    return client.post(f"/live/class/{route}", json=said)


def news(client, **said):
    return post(client, "news", **{"browser": ANNA, "tab": "train", "version": 0} | said).json()


def test_the_link_becomes_a_cookie_that_no_script_reads_and_leaves_the_address(served):
    client = TestClient(served)
    answer = client.get("/live/class/enter", params={"key": KEY}, follow_redirects=False)
    assert answer.status_code == 303 and answer.headers["location"] == "../../?tab=class"
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie and KEY not in cookie
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert news(client)["is_lecturer"] and not news(TestClient(served))["is_lecturer"]


@pytest.mark.parametrize("key", ["", "wrong", KEY + "x", "é" * 100])
def test_a_wrong_key_is_refused_in_a_sentence(served, key):
    client = TestClient(served)
    answer = client.get("/live/class/enter", params={"key": key}, follow_redirects=False)
    assert answer.status_code == 403 and answer.text.startswith("That is not the lecturer's key")
    assert not client.cookies and not news(client)["is_lecturer"]


SAID = {"is_paused": True, "address": "?tab=draw", "text": "x", "options": ["a", "b"], "right": None, "card": ""}


@pytest.mark.parametrize("what", ACTS)
@pytest.mark.parametrize("cookie", [None, "", KEY, "0" * 64])
def test_every_act_needs_the_key(served, room, what, cookie):
    room.begin()
    room.ask("Before?", ["a", "b"])
    before = json.dumps(room.seen_by(ANNA)), room.version
    client = TestClient(served, cookies={COOKIE: cookie} if cookie is not None else {})
    answer = post(client, "act", what=what, **SAID)
    assert answer.status_code == 403 and answer.json() == {"error": "Only the lecturer can do that."}
    assert (json.dumps(room.seen_by(ANNA)), room.version) == before


def test_no_run_is_steered_without_the_key(anna, lecturer, steered):
    answer = post(anna, "steer", run="x", how="stop")
    assert answer.status_code == 403 and answer.json() == {"error": "Only the lecturer can do that."} and not steered
    post(lecturer, "steer", run="x", how="stop")
    assert steered == [{"run": "x", "how": "stop"}]


def test_a_lesson_by_its_routes(lecturer, anna):
    assert news(anna)["is_open"]
    post(lecturer, "act", what="ask", text="Is it?", options=["Yes.", "No."], right=0)
    told = news(anna)
    number, version = told["question"]["number"], told["version"]
    assert news(anna, version=version) == {"version": version, "wait": SOON}  # nothing new is a small answer
    assert post(anna, "say", what="vote", browser=ANNA, number=number, choice=1).json()["version"] > version
    post(lecturer, "act", what="pause", is_paused=True)
    told = news(anna, version=version)
    assert told["is_paused"] and told["question"]["mine"] == [1] and told["question"]["counts"] == []
    assert news(lecturer, tab="class", browser="f" * 32)["class"]["voted"] == 1
    post(lecturer, "act", what="show")
    assert news(anna)["question"]["counts"] == [[0, 1]]
    post(lecturer, "act", what="close")
    told = news(anna)
    assert not told["is_open"] and told["question"] is None and told["wait"] == IDLE
    assert "class" not in told


@pytest.mark.parametrize("route", ["news", "say", "act"])
@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"3", b"null", b"\xff\xfe", b'"' + b"x" * LARGEST, b"[" * 9000])
def test_what_no_page_says_gets_a_sentence(lecturer, route, content):
    answer = lecturer.post(f"/live/class/{route}", content=content)
    assert answer.status_code < 500 and answer.json()["error"].endswith(".")


@pytest.mark.parametrize("what", [*WORDS, "nothing", None, 3, ["vote"]])
def test_whoever_is_nobody_of_the_class_says_nothing(lecturer, anna, what):
    answer = post(anna, "say", what=what, browser="e" * 32, name="x", follows=True, number=1, choice=0)
    assert answer.json()["error"].endswith(".")


def test_with_a_login_nothing_is_told_without_it(served):
    served.auth = {"anna": "secret"}
    client = TestClient(served)
    assert client.get("/live/class/enter", params={"key": KEY}, follow_redirects=False).status_code == 401
    assert client.get("/live/class/qr.svg", params={"link": "http://x"}).status_code == 401
    assert [post(client, route, browser=ANNA).status_code for route in ("news", "say", "act", "steer")] == [401] * 4


def test_the_link_is_a_picture(anna):
    answer = anna.get("/live/class/qr.svg", params={"link": "http://vae.example/"})
    assert answer.status_code == 200 and answer.text.startswith("<svg") and "script" not in answer.text
    assert anna.get("/live/class/qr.svg", params={"link": "javascript:alert(1)"}).status_code == 400


def test_a_key_outlives_the_server_and_a_short_one_is_refused(tmp_path):
    first = Key.kept_in(tmp_path / "key")
    assert Key.kept_in(tmp_path / "key").text == first.text and len(first.text) >= 20
    assert (tmp_path / "key").stat().st_mode & 0o77 == 0
    with pytest.raises(ValueError, match="it must have at least 8"):
        Key("short")
