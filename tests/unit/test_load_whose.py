from __future__ import annotations

from pathlib import Path

import pytest
from tests import builders

from mlops_ci import client, environment
from mlops_ci.stages import load


class Environments:
    """Two that differ, with the client's Locust in one of them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "client/lib/python3.9/site-packages/locust-2.2.3.dist-info").mkdir(parents=True)

    def get(self, role: environment.Role, python: str | None = None) -> environment.Environment:
        return environment.Environment(self.root / str(role) / "bin/python", {})


@pytest.mark.parametrize(
    ("declared", "taken", "said"),
    [
        ({}, "load", ""),
        ({"locust": "locust"}, "client", ""),
        ({"locust": "locust"}, "load", "The service's own Locust 2.2.3 cannot be recorded: ours was taken."),
    ],
)
def test_whose__is_said_where_it_is_not_the_clients(
    tmp_path: Path, declared: dict[str, str], taken: str, said: str
) -> None:
    environments = Environments(tmp_path)
    needs = client.Dependencies(declared=declared)
    context = builders.make_context(tmp_path, client={"dependencies": needs}, environments=environments)

    assert load.whose(context, environments.get(environment.Role(taken))) == said
