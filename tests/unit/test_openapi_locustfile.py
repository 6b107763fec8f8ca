"""The locustfile: Python that says what it does. That it runs in Locust is shown in tests/integration."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from mlops_ci.openapi import locustfile, selection
from mlops_ci.openapi.document import Operation
from mlops_ci.openapi.wire import Place, Request


def choice(
    name: str, *requests: Request, statuses: tuple[str, ...] = ("200",), reason: str = "from its examples"
) -> selection.Choice:
    method, _, path = name.partition(" ")
    return selection.Choice(Operation(method, path, {}), requests, statuses, reason)


def values(text: str) -> dict[str, Any]:
    """The constants of a locustfile."""
    return {
        node.target.id: ast.literal_eval(node.value)
        for node in ast.parse(text).body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None
    }


BODIES = [
    {"a": 1.5, "b": [True, None, "é\n\"'\\"], "c": {}},
    {"long": ["x" * 60, "y" * 60, {"z": "z" * 90}]},
    "half a pair: \ud83d",
    [],
]


def test_render__says_what_is_sent() -> None:
    requests = [Request("/p", {}, Place.JSON, body) for body in BODIES]
    text = locustfile.render(
        [
            choice("POST /p", *requests, statuses=("201", "4XX")),
            choice("GET /q", Request("/q?a=1", {"X-A": "b"})),
            choice("POST /f", Request("/f", {}, Place.FORM, {"a": ["1", "2"]}), Request("/f", {}, Place.TEXT, "t")),
        ],
        title="Wines",
    )
    found = values(text)
    assert found["REQUESTS"] == {
        "POST /p": [{"path": "/p", "json": body} for body in BODIES],
        "GET /q": [{"path": "/q?a=1", "headers": {"X-A": "b"}}],
        "POST /f": [{"path": "/f", "form": {"a": ["1", "2"]}}, {"path": "/f", "text": "t"}],
    }
    assert found["DOCUMENTED"] == {"POST /p": ("201", "4XX"), "GET /q": ("200",), "POST /f": ("200",)}
    assert text.isascii() or text.encode()  # can be written
    assert max(map(len, text.splitlines())) < 130
    assert text.startswith('"""Load on Wines.\n')


def test_render__says_what_is_left_out_and_why() -> None:
    text = locustfile.render(
        [choice("GET /a", Request("/a", {})), choice("DELETE /a", reason='it """removes\\ what is\n there')], title=""
    )
    docstring = ast.get_docstring(ast.parse(text)) or ""
    assert "- GET /a: from its examples" in docstring
    assert "Left out:\n\n- DELETE /a: it '''removes/ what is there" in docstring
    assert docstring.startswith("Load on the service.")
    assert "DELETE" not in text.replace(docstring, "").split('"""', 2)[2]


def test_render__nothing_left_out() -> None:
    assert "Left out" not in locustfile.render([choice("GET /a", Request("/a", {}))], title="")


def test_render__a_task_for_each_operation() -> None:
    names = ["GET /", "GET /a-b", "GET /a/b", "POST /items/{item_id}", "GET /é"]
    text = locustfile.render([choice(name, Request("/x", {})) for name in names], title="")
    client = next(node for node in ast.parse(text).body if isinstance(node, ast.ClassDef))
    tasks = [node.name for node in client.body if isinstance(node, ast.FunctionDef) and node.decorator_list]
    assert tasks == ["get_root", "get_a_b", "get_a_b_2", "post_items_item_id", "get_root_2"]


@pytest.mark.parametrize("title", ['The "best"', "Two\nlines", "back\\slash", 'ends with "'])
def test_render__titles_that_could_end_the_docstring(title: str) -> None:
    ast.parse(locustfile.render([choice("GET /a", Request("/a", {}))], title=title))
