"""The service under test, the recorder that runs inside Locust, and what its recording says.

`recorder` is the only module here that runs in another environment; it is started by its path.
"""
