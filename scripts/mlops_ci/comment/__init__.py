"""The comment on a pull request: what it is about, how the report gets here, where it goes.

What it looks like is `mlops_ci.reporters.comment`'s business. Nothing of the report is trusted: it may be a fork's.
"""
