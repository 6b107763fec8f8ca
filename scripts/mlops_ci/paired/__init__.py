"""The paired load test: base and head serve side by side on the same cores, and only their ratio is judged.

What both halves of it speak of is in `mlops_ci.paired.model`. Pure are the statistics, the decision, its words and its
pictures; the other modules run the two services and the load.
"""
