"""The locustfile that covers an OpenAPI document: text, to be run, read, owned and edited. Writes no file."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from mlops_ci.openapi.selection import Choice
from mlops_ci.openapi.wire import Place, Request

_WIDTH = 100

_HEAD = '''"""{title}

Written by mlops-ci from the service's OpenAPI document. It is yours to own and edit: copy it to
tests/load/locustfile.py, and mlops-ci runs that one. It runs in plain `locust` too.

Covered, each as often as the others:

{covered}
{left_out}"""

# What is sent is as long as it is.
# flake8: noqa: E501

from __future__ import annotations

import itertools
from typing import Any
from urllib.parse import urlencode

from locust import FastHttpUser, between, task

# Operation: the statuses that the document names for it.
DOCUMENTED: dict[str, tuple[str, ...]] = {documented}

# Operation: the requests to it, one after the other.
REQUESTS: dict[str, list[dict[str, Any]]] = {requests}

TURNS = {{operation: itertools.cycle(requests) for operation, requests in REQUESTS.items()}}


class Client(FastHttpUser):
    """Sends every operation as often as the others, and compares the answers with what is documented."""

    wait_time = between(0.05, 0.15)
{tasks}
    def send(self, operation: str) -> None:
        """Send the next request of `operation`. It fails on a status that is no success, or is not documented."""
        method, _, template = operation.partition(" ")
        request = next(TURNS[operation])
        options: dict[str, Any] = {{"headers": dict(request.get("headers", {{}}))}}
        if "json" in request:
            options["json"] = request["json"]
        elif "form" in request:
            options["data"] = urlencode(request["form"], doseq=True)
            options["headers"]["Content-Type"] = "application/x-www-form-urlencoded"
        elif "text" in request:
            options["data"] = request["text"].encode()
            options["headers"]["Content-Type"] = "text/plain; charset=utf-8"
        with self.client.request(
            method, request["path"], name=template, catch_response=True, allow_redirects=False, **options
        ) as response:
            status = str(response.status_code)
            if status == "0":  # there was no answer: Locust says why
                return
            known = DOCUMENTED[operation]
            if status[0] in "45":
                response.failure(f"{{status}} to a request as documented: {{first_line(response)}}")
            elif known and not {{status, f"{{status[0]}}XX", "default"}} & set(known):
                response.failure(f"{{status}} is not documented ({{', '.join(known)}}): {{first_line(response)}}")
            else:
                response.success()


def first_line(response: Any) -> str:
    """The begin of an answer's body."""
    lines = (response.text or "").strip().splitlines()
    return lines[0][:200] if lines else "no body"
'''

_TASK = """
    @task
    def {name}(self) -> None:
        self.send({operation})
"""


def render(choices: Sequence[Choice], *, title: str) -> str:
    """The locustfile for the covered ones among `choices`, of which there is at least one.

    Args:
        title: The service's name; may be empty.
    """
    covered = [choice for choice in choices if choice.requests]
    left_out = [choice for choice in choices if not choice.requests]
    names = _names(covered)
    tasks = [
        _TASK.format(name=names[choice.operation.name], operation=_text(choice.operation.name)) for choice in covered
    ]
    return _HEAD.format(
        title=f"Load on {_doc(title)}." if title else "Load on the service.",
        covered=_list(covered),
        left_out=f"\nLeft out:\n\n{_list(left_out)}\n" if left_out else "",
        documented=_literal({choice.operation.name: choice.statuses for choice in covered}),
        requests=_literal({choice.operation.name: [_request(one) for one in choice.requests] for choice in covered}),
        tasks="".join(tasks),
    )


def _request(request: Request) -> dict[str, Any]:
    made: dict[str, Any] = {"path": request.path}
    if request.headers:
        made["headers"] = dict(request.headers)
    if request.kind is not None:
        made[{Place.JSON: "json", Place.FORM: "form"}.get(request.kind, "text")] = request.body
    return made


def _literal(value: Any, indent: str = "") -> str:
    """`value`, which is JSON or holds tuples, as Python; in one line where that is short."""
    if isinstance(value, str):
        return _text(value)
    if not isinstance(value, (dict, list, tuple)):
        return repr(value)
    deeper = f"{indent}    "
    if isinstance(value, dict):
        items = [f"{_text(str(key))}: {_literal(item, deeper)}" for key, item in value.items()]
    else:
        items = [_literal(item, deeper) for item in value]
    begin, end = ("{", "}") if isinstance(value, dict) else ("[", "]") if isinstance(value, list) else ("(", ")")
    comma = "," if isinstance(value, tuple) and len(items) == 1 else ""
    line = f"{begin}{', '.join(items)}{comma}{end}"
    if len(indent) + len(line) <= _WIDTH and "\n" not in line:
        return line
    lines = "".join(f"{deeper}{item},\n" for item in items)
    return f"{begin}\n{lines}{indent}{end}"


def _text(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:  # half a surrogate pair, which JSON can escape and no file can hold
        return ascii(text)
    return json.dumps(text, ensure_ascii=False)


def _list(choices: Sequence[Choice]) -> str:
    return "\n".join(f"- {_doc(choice.operation.name)}: {_doc(choice.reason)}" for choice in choices)


def _doc(text: str) -> str:
    """`text` on one line, with nothing in it that could end the docstring."""
    return " ".join(text.split()).replace("\\", "/").replace('"', "'")


def _names(choices: Sequence[Choice]) -> dict[str, str]:
    """A function's name for each operation, no two alike, and none that Locust or Python has given a meaning."""
    names: dict[str, str] = {}
    for choice in choices:
        words = re.findall(r"[a-z0-9]+", choice.operation.name.lower())
        name = "_".join(words) if len(words) > 1 else f"{'_'.join(words)}_root"
        taken, number = name, 1
        while taken in names.values():
            number += 1
            taken = f"{name}_{number}"
        names[choice.operation.name] = taken
    return names
