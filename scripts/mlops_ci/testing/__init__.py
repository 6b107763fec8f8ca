"""What pytest left: read, put together from shards, run again, judged.

The stage that runs pytest is `mlops_ci.stages.tests`.
"""
