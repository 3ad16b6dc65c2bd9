"""The client against a real HTTP server that answers as an API server would."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from feem.cli import main
from feem.cli.cluster import ApiServer, connect
from feem.cli.problem import Denied, Forbidden, NotFound, Problem, Unreachable

ANSWERS: dict[str, tuple[int, Any]] = {}
SEEN: list[tuple[str, str, Any]] = []


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._answer(None)

    def do_POST(self) -> None:
        self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _answer(self, body: Any) -> None:
        parts = urlsplit(self.path)
        query = parse_qs(parts.query)
        SEEN.append((self.command, self.path, body))
        key = parts.path + (f"#{query['continue'][0]}" if "continue" in query else "")
        code, answer = ANSWERS.get(key, (404, {"message": "not found"}))
        data = json.dumps(answer).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def date_time_string(self, timestamp: float | None = None) -> str:
        return str(ANSWERS["Date"][1]) if "Date" in ANSWERS else super().date_time_string(timestamp)

    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Iterator[Path]:
    ANSWERS.clear()
    SEEN.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield write(tmp_path, f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    server.server_close()
    thread.join()


def write(folder: Path, server: str) -> Path:
    file = folder / "kubeconfig"
    file.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "one",
                "clusters": [{"name": "c", "cluster": {"server": server}}],
                "users": [{"name": "u", "user": {"token": "t"}}],
                "contexts": [
                    {"name": "one", "context": {"cluster": "c", "user": "u", "namespace": "lending"}},
                    {"name": "two", "context": {"cluster": "c", "user": "u"}},
                ],
            }
        )
    )
    return file


def server(kubeconfig: Path) -> ApiServer:
    return connect(str(kubeconfig), None, None)


@pytest.mark.parametrize(
    ("context", "namespace", "expected"),
    [(None, None, "lending"), ("two", None, "default"), (None, "cards", "cards"), ("two", "cards", "cards")],
)
def test_namespace_and_context_are_chosen_as_kubectl_does(
    kubeconfig: Path, context: str | None, namespace: str | None, expected: str
) -> None:
    assert connect(str(kubeconfig), context, namespace).namespace == expected


def test_lists_are_read_page_by_page(kubeconfig: Path) -> None:
    path = "/apis/feem.dev/v1alpha1/auditrecords"
    ANSWERS[path] = 200, {"metadata": {"continue": "more"}, "items": [{"n": 1}]}
    ANSWERS[f"{path}#more"] = 200, {"metadata": {}, "items": [{"n": 2}]}
    assert list(server(kubeconfig).list("auditrecords.feem.dev")) == [{"n": 1}, {"n": 2}]


def test_the_person_is_who_the_api_server_says_at_its_own_time(kubeconfig: Path) -> None:
    user = {"username": "risk-officer", "groups": ["risk-officers", "system:authenticated"]}
    ANSWERS["/apis/authentication.k8s.io/v1/selfsubjectreviews"] = 201, {"status": {"userInfo": user}}
    person = server(kubeconfig).whoami()
    assert (person.name, person.groups) == ("risk-officer", ("risk-officers", "system:authenticated"))
    assert abs((person.now - datetime.now(UTC)).total_seconds()) < 5
    ANSWERS["Date"] = 0, "Mon, 02 Mar 2026 09:30:00 GMT"
    assert server(kubeconfig).whoami().now == datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
    ANSWERS["Date"] = 0, "soon"
    assert abs((server(kubeconfig).whoami().now - datetime.now(UTC)).total_seconds()) < 5


def test_an_object_is_created_with_its_type(kubeconfig: Path) -> None:
    ANSWERS["/apis/feem.dev/v1alpha1/namespaces/lending/decisions"] = 201, {"metadata": {"name": "d"}}
    server(kubeconfig).create("decisions.feem.dev", "lending", {"spec": {}})
    assert SEEN[-1][2] == {"apiVersion": "feem.dev/v1alpha1", "kind": "Decision", "spec": {}}


REFUSALS: list[tuple[int, str, type[Problem], str]] = [
    (404, 'releases.feem.dev "x" not found', NotFound, "there is no such object"),
    (404, "the server could not find the requested resource", Problem, "does not know FEEM's kinds"),
    (401, "Unauthorized", Problem, "log in again"),
    (403, 'User "x" cannot get resource "releases"', Problem, "cannot get resource"),
    (422, "spec.by: must be you", Problem, "spec.by: must be you (422)"),
    (503, "etcd is away", Unreachable, "try again in a moment"),
]


@pytest.mark.parametrize(("code", "message", "kind", "text"), REFUSALS)
def test_a_refusal_names_object_reason_and_next_step(
    kubeconfig: Path, code: int, message: str, kind: type[Problem], text: str
) -> None:
    ANSWERS["/apis/feem.dev/v1alpha1/namespaces/lending/releases/x"] = code, {"message": message}
    with pytest.raises(kind) as problem:
        server(kubeconfig).get("releases.feem.dev", "lending", "x")
    assert problem.value.what == "Release lending/x"
    assert text in str(problem.value)


POLICY = "{} is forbidden: ValidatingAdmissionPolicy '{}' with binding 'own' denied request: {}"
DENIALS = [
    (
        403,
        POLICY.format(
            'decisions.feem.dev "d"', "decisions.feem.dev", "spec.by must be your own user name, risk-officer"
        ),
        Denied,
        "spec.by must be your own user name, risk-officer (policy decisions.feem.dev)",
    ),
    (
        422,
        POLICY.format('releases.feem.dev "r"', "governed.feem.dev", "first line\nsecond line"),
        Denied,
        "first line\nsecond line (policy governed.feem.dev)",
    ),
    (
        403,
        'decisions.feem.dev is forbidden: User "risk-officer" cannot create resource "decisions"',
        Forbidden,
        'User "risk-officer" cannot create resource "decisions"',
    ),
    (
        422,
        'Decision.feem.dev "d" is invalid: spec.role: Invalid value: "": give role',
        Problem,
        'spec.role: Invalid value: "": give role (422)',
    ),
]


@pytest.mark.parametrize(("code", "message", "kind", "reason"), DENIALS)
def test_a_denial_is_told_in_the_words_of_who_denied(
    kubeconfig: Path, code: int, message: str, kind: type[Problem], reason: str
) -> None:
    ANSWERS["/apis/feem.dev/v1alpha1/namespaces/lending/decisions"] = code, {"message": message}
    with pytest.raises(Problem) as problem:
        server(kubeconfig).create("decisions.feem.dev", "lending", {"spec": {}})
    assert type(problem.value) is kind
    assert problem.value.reason == reason


def test_a_server_that_is_away_is_told_without_a_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path, "http://127.0.0.1:1")
    monkeypatch.setattr("sys.argv", ["feem", "get", "--kubeconfig", str(file)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("error: API server http://127.0.0.1:1: Failed to establish a new connection")
    assert "next: kubectl cluster-info" in said
    assert "Traceback" not in said


def test_an_unknown_context_is_told_with_the_known_ones(kubeconfig: Path) -> None:
    with pytest.raises(Problem, match="not in the kubeconfig, which has one, two"):
        connect(str(kubeconfig), "three", None)


def test_a_missing_kubeconfig_is_told(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="kubectl config get-contexts; give --kubeconfig"):
        connect(str(tmp_path / "none"), None, None)
