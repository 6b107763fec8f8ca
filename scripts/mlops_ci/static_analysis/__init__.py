"""black, isort, flake8 and mypy: which files, whose configuration, how they are run and read. The stages decide."""
