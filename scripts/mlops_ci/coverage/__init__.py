"""Coverage: how it is measured, what the reports say, which lines are new, what was published last.

The stage that decides is `mlops_ci.stages.coverage`.
"""
