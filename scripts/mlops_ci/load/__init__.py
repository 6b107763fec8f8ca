"""The service under test, the recorder that runs inside Locust, and what its recording says.

`inside`, `recorder` and `tape` run in Locust's environment, where the rest of the package is not.
"""
