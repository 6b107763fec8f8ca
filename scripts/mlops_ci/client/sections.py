"""What stands in an extra or in a dependency group, with what they name in turn.

Chooses none of them (`mlops_ci.client.dependencies` does).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from mlops_ci import errors
from mlops_ci.client import declarations


def of_extra(declared: declarations.Declarations, extra: str, seen: set[str] | None = None) -> Iterator[str]:
    """The requirements of `extra`, with those of the extras that it names."""
    seen = set() if seen is None else seen
    by_name = {canonicalize_name(key): texts for key, texts in declared.extras.items()}
    name = canonicalize_name(extra)
    if name in seen:
        return
    seen.add(name)
    for text in by_name.get(name, ()):
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        # An extra may be made of others: `dev = ["fraud[test,lint]"]`.
        if canonicalize_name(requirement.name) == declared.name:
            for inner in requirement.extras:
                yield from of_extra(declared, inner, seen)
        else:
            yield text


def of_group(declared: declarations.Declarations, group: str, above: tuple[str, ...] = ()) -> Iterator[str]:
    """The requirements of `group`, with those of the groups that it includes.

    Raises:
        errors.ConfigurationError: There is no such group, or it includes itself.
    """
    by_name = {canonicalize_name(key): items for key, items in declared.groups.items()}
    name = canonicalize_name(group)
    if name not in {*by_name, *map(canonicalize_name, declared.own_groups)} or name in above:
        raise errors.ConfigurationError(
            f"The dependency group `{group}` is {'included in itself' if name in above else 'not there'}.",
            "pyproject.toml names it in `include-group`.",
            "Correct [dependency-groups].",
        )
    yield from own(declared.own_groups, group)
    for item in by_name.get(name, ()):
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict) and isinstance(item.get("include-group"), str):
            yield from of_group(declared, item["include-group"], (*above, name))


def own(tables: Mapping[str, list[str]], name: str) -> list[str]:
    """What `tables` has under `name`, however either is written."""
    return [
        text for key, texts in tables.items() if canonicalize_name(key) == canonicalize_name(name) for text in texts
    ]
