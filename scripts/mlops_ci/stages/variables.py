"""The environment variables that the client's configuration sets, for its tests, its commands and its service.

Of least weight is `environment.env-file`, above it whatever is set where the stage runs, then `environment.env`, and
then what is set for one suite or for the service alone. References are put in as `mlops_ci.masking` says.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from mlops_ci import env_file, environment
from mlops_ci.stages import Context

_PATH = "PYTHONPATH"


def of(
    context: Context, where: environment.Environment, own: Mapping[str, str] | None = None, key: str = ""
) -> dict[str, str]:
    """What is set beside the variables of `where`.

    Args:
        own: What is set for one suite or for the service, and `key`, where it stands in the configuration.

    Raises:
        errors.ConfigurationError: The file cannot be read, or a reference leads nowhere.
    """
    settings, secrets = context.config.environment, context.secrets
    told = env_file.read(context.client.root, settings.env_file) if settings.env_file else {}
    found = {name: value for name, value in told.items() if name not in where.variables or name == _PATH}
    for table, place in ((settings.env, "environment.env"), (own or {}, key)):
        found |= {name: secrets.expand(text, f"{place}.{name}") for name, text in table.items()}
    if _PATH in found:
        # Theirs comes beside ours, or the client's own folders would be lost.
        found[_PATH] = os.pathsep.join(filter(None, (where.variables.get(_PATH), found[_PATH])))
    return found
