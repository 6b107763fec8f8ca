"""Renderers of results. They decide nothing; only `github` knows the dialect of Actions."""
