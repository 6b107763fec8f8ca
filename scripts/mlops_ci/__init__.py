"""mlops-ci: lint, types, tests, coverage and load for FastAPI services, with limits that fail the build."""

__version__ = "1.0.0"
