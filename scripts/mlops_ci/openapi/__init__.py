"""The OpenAPI document of a service: what it says, which requests follow from it, which of it got traffic.

Data flows `document` → `schema` → `selection` → `building` → `locustfile`; `coverage` compares a document with a run.
`builder` runs in an environment of its own, where the rest of the package is not.
"""
