"""Texts of others that want to be more than text, for every reporter: findings, names, paths, branches, log lines.

A reporter passes when a reader sees the text, and nothing reads it as anything else: not the runner, not GitHub's
Markdown, not a browser, not a terminal. How that is judged is each reporter's test's business.
"""

from __future__ import annotations

from typing import Any

from mlops_ci import results
from mlops_ci.results import Verdict

TEXTS: dict[str, str] = {
    # The runner's commands.
    "command": "::error::owned",
    "command-with-properties": "::error file=app.py,line=1,title=x::owned",
    "command-that-sets": "::set-output name=verdict::pass",
    "command-that-masks": "::add-mask::e",
    "command-that-stops-commands": "::stop-commands::token",
    "command-after-spaces": "   ::warning::owned",
    "command-on-a-later-line": "one\n::error::two",
    "command-after-a-carriage-return": "one\r::error::two",
    "command-of-the-old-kind": "text ##[error]owned",
    "escaped-line-end": "one%0A::error::two",
    "escaped-carriage-return": "one%0D%0Atwo",
    "escaped-per-cent": "%25 %250A 100% %",
    "escaped-comma": "a%2Cfile=b.py%3A%3Ac",
    "commas": "a,file=b.py,line=1,,",
    "colons": "C:\\a::b:c::",
    "delimiter-of-an-output": "a\nEOF\nverdict=pass\nghadelimiter_0",
    "expression": "${{ secrets.TOKEN }} ${{ toJSON(github) }}",
    "shell": "$(touch owned) `touch owned` ; touch owned && ${IFS}",
    # Markdown, as GitHub reads it.
    "pipes": "a | b || c",
    "pipes-and-backslashes": r"back\slash \| pipe \\| more \\\| and | plain",
    "table-rule": "| --- | --- |",
    "backslash": "\\",
    "pipe": "|",
    "backtick": "`",
    "backslash-at-the-end": "a\\",
    "code": "`code` ``two`` ```three```",
    "fence": "``` \n# heading\n```",
    "fence-of-tildes": "~~~\ntext\n~~~\n# heading",
    "diagram": '```mermaid\nflowchart LR\nclick A "javascript:alert(1)"\n```',
    "emphasis": "**bold** _it_ __b__ ~~struck~~ *i*",
    "lists-and-headings": "- item\n* item\n1. item\n> quote\n# title\n---\n===",
    "links": "[link](https://example.com) ![image](https://example.com/x.png) [ref][1]",
    "links-that-run-code": "[click](javascript:alert(1)) [data](data:text/html,x) <javascript:alert(1)>",
    "link-definition": "[1]: https://example.com 'title'\n[^1]: note",
    "bare-links": "https://example.com www.example.com ftp://example.com mail@example.com",
    "mentions": "@everyone @org/team mail@example.com",
    "references": "#123 org/repo#4 GH-5 closes #1 0123456789abcdef0123456789abcdef01234567",
    "mathematics": "$math$ $$more$$ $`inline`$",
    "emoji-names": ":x: :white_check_mark: :100:",
    "alert": "> [!CAUTION]\n> owned",
    "task": "- [x] done",
    # HTML.
    "script": "<script>alert(1)</script> <img src=x onerror=y> &lt; &amp;",
    "details": "<!-- comment --> </details></summary></td></table> <details>",
    "end-of-a-script": "</script><script>alert(1)</script><!-- <script>",
    "attribute": '" onmouseover="alert(1)" x=\' onfocus=\'alert(1)',
    "picture": "<svg onload=alert(1)><style>*{display:none}</style></svg>",
    "frame": '<iframe srcdoc="&lt;script&gt;"></iframe><base href=//example.com><meta http-equiv=refresh content=0>',
    "entities": "&lt;b&gt; &#64;everyone &#x202e; &nbsp;",
    "cdata": "]]> <![CDATA[ <?xml ?> <!DOCTYPE html>",
    "prototype": '{"__proto__": {"owned": true}} constructor',
    # What cannot be seen, or moves what is seen.
    "line-ends": "line\r\nline\x0bline\x85line\u2028line\u2029line",
    "terminal-colours": "\x1b[31mred\x1b[0m \x00nul \x07bell",
    "terminal-commands": "\x1b]0;title\x07\x1b[2J\x1b[1;1H\x1b]8;;https://example.com\x1b\\link\x1b]8;;\x1b\\ \x9b31m",
    "backspaces": "pass\x08\x08\x08\x08fail\x7f\x7f",
    "terminal-markup": "[bold red]x[/bold red] [/] [link=https://example.com]y[/link] \\[z]",
    "direction": "\u202eright to left\u2066\u200b",
    "direction-of-a-name": "user\u202enimda\u2069\u2066 // \u061c\u200f\ufeff.py",
    "joiners": "zero\u200bwidth\u200c\u200d\u2060 soft\u00adhyphen",
    "combining": "Z\u0334\u0341a\u0335\u0348l\u0336g\u0337o \u0300\u0300\u0300",
    "looks-alike": "p\u0430ss \uff1c\uff53cript\uff1e \U000e0041\U000e0042",
    "outside-the-first-plane": "\U0001f468\u200d\U0001f52c \U00020bb7 \uffff\ufffd",
    # What upsets programs.
    "quotes": '\'"`\u201c\u2019 \\" \\n \\u0000',
    "nothing-to-see": " \t ",
    "long": "x" * 5000,
    "path": "../../etc/passwd /dev/null C:\\CON a//b/./c",
    "format": "%s %(x)s {0} {x!r} {{}} {%raw%} %n",
}
"""Name of what is wanted to the text; names are for the ids of tests."""


def stages(text: str) -> list[results.StageResult]:
    """A red result of every stage, as a report folder may hold them, with `text` wherever others may say something."""
    finding = results.Finding(path=f"src/{text}", line=3, column=7, code=text, message=text)
    check: dict[str, Any] = {"measured": 1.0, "limit": 2.0, "verdict": Verdict.FAIL, "hint": text}
    figures = {"requests": 10, "failures": 1, "failure-ratio": 0.1, "rps": 5.0, "p50-ms": 1.0, "p95-ms": 2.0}
    red: dict[str, Any] = {"verdict": Verdict.FAIL, "exit_code": 1, "message": f"{text}\n{text}", "duration_s": 1.0}
    return [
        results.StageResult(stage="lint", findings=[finding], metrics={"versions": {"black": text}}, **red),
        results.StageResult(stage="typecheck", findings=[finding], metrics={"versions": {"mypy": text}}, **red),
        results.StageResult(
            stage="tests-unit",
            findings=[finding],
            checks=[results.Check(name="min-tests", scope=text, **check)],
            metrics={
                "tests": 2,
                "passed": 1,
                "failed": 1,
                "skipped": 0,
                "failures": [text],
                "flaky": [text],
                "broken": [text],
                "slowest": [{"name": text, "duration-s": 1.0}],
                "shards": [{"shard": text, "tests": 2, "pytest-s": 1.0}],
            },
            **red,
        ),
        results.StageResult(
            stage="coverage",
            findings=[finding],
            checks=[results.Check(name="min-total", scope=text, unit="%", **check)],
            metrics={
                "total": 1.0,
                "patch": 1.0,
                "drop": 1.0,
                "base": text,
                "lost": [{"path": text, "before": 2.0, "after": 1.0, "missing": 1}],
            },
            **red,
        ),
        results.StageResult(
            stage="load",
            checks=[results.Check(name="min-rps", scope=text, unit="/s", **check)],
            metrics={
                **figures,
                "endpoints": {text: figures},
                "failures-by-message": [{"endpoint": text, "message": text, "count": 1}],
                "percentiles": text,
                "locust": text,
            },
            **red,
        ),
    ]


def run(text: str) -> results.RunResult:
    """The gate's last word on `stages(text)`; its message also holds the name of a branch."""
    collected = stages(text)
    return results.RunResult(
        verdict=Verdict.FAIL,
        exit_code=1,
        stages={result.stage: result.verdict for result in collected},
        metrics={result.stage: result.metrics for result in collected},
        message=f"lint: {text}\ncoverage: compared with where HEAD left {text}\n{text}",
    )
