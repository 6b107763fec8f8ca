"""The line of Markdown that shows the coverage badge in a client's README."""

from __future__ import annotations

from mlops_ci import badge
from mlops_ci.adoption import workflow
from mlops_ci.adoption.place import Place


def of(place: Place, repository: str | None, *, branch: str) -> str:
    """The line.

    Args:
        repository: ``owner/name`` on GitHub; None: links are relative to the client's folder, as GitHub resolves them
            in a file on a branch.
    """
    root = f"https://github.com/{repository}" if repository else "/".join([".."] * (2 + len(place.folder.parts)))
    picture = "/".join(["raw", branch, *place.folder.parts, badge.NAME])
    file = workflow.find(place)
    name = (file.there or str(file.file)).rpartition("/")[2]
    return f"[![coverage]({root}/{picture})]({root}/actions/workflows/{name})"
