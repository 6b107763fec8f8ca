"""``python -Im mlops_ci``: how the actions start the command line."""

from mlops_ci import cli

if __name__ == "__main__":
    cli.main()
