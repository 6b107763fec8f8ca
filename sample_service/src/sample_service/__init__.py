"""A service that tells the cultivar of a wine from its chemical analysis."""
