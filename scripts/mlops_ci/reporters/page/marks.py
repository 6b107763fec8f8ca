"""Little drawings in the cells of tables, for the eye alone: the text beside them says the same.

SVG, and not styles, because a style attribute would need a weaker policy.
"""

from __future__ import annotations

import markupsafe

from mlops_ci.reporters.page import compared

_HEAD = '<svg class="{}" viewBox="0 0 {} {}" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
_WIDTH, _EDGE = 160, 6


def bar(share: float, kind: str = "") -> markupsafe.Markup:
    """`share` per cent of a bar."""
    part = f"{min(max(share, 0.0), 100.0):.1f}"
    drawn = '<rect class="rest" width="100" height="8" rx="1"/><rect class="part" width="{}" height="8" rx="1"/></svg>'
    return markupsafe.Markup(_HEAD + drawn).format(f"bar {kind}", 100, 8, part)


def interval(row: compared.Row, one: float) -> markupsafe.Markup:
    """A ratio and its interval, the place where both sides are equal, and the limit."""
    if row.ratio is None:
        return markupsafe.Markup("")

    def across(place: float) -> float:
        return round(_EDGE + place * (_WIDTH - 2 * _EDGE), 1)

    parts = [markupsafe.Markup('<path class="one" d="M{} 0V16"/>').format(across(one))]
    if row.limit is not None:
        parts.append(markupsafe.Markup('<path class="most" d="M{} 0V16"/>').format(across(row.limit)))
    if row.low is not None and row.high is not None:
        bounds = f"M{across(row.low)} 8H{across(row.high)}"
        parts.append(markupsafe.Markup('<path class="range" d="{}"/>').format(bounds))
    parts.append(markupsafe.Markup('<circle class="ratio" cx="{}" cy="8" r="4"/>').format(across(row.ratio)))
    head = markupsafe.Markup(_HEAD).format(f"interval {row.entry.verdict}", _WIDTH, 16)
    return head + markupsafe.Markup("").join(parts) + markupsafe.Markup("</svg>")
