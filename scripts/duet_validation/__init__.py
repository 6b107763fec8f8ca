"""The validation of the paired load test: `make validate-duet`. See ``docs/paired-load-test.md``."""
