"""Fixtures for every layer. What a test changes is its own: nothing here is shared between tests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from sample_service import config, main

TESTS = Path(__file__).parent


@pytest.fixture
def settings() -> config.Settings:
    """Settings from ``test.env``; the environment wins."""
    return config.Settings(_env_file=TESTS / "test.env")


@pytest.fixture
def app(settings: config.Settings) -> FastAPI:
    """The app with the test settings: a dummy model, small batches."""
    return main.create_app(settings)


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    """A client of `app`, which has started."""
    with TestClient(app) as started:
        yield started


@pytest.fixture
def samples() -> list[dict[str, Any]]:
    """Held-out rows with scikit-learn's answers, as ``scripts/train.py`` wrote them."""
    content: list[dict[str, Any]] = json.loads((TESTS / "data" / "samples.json").read_text(encoding="utf-8"))
    return content


@pytest.fixture
def wine(samples: list[dict[str, Any]]) -> dict[str, float]:
    """The body of a valid request for one wine."""
    features: dict[str, float] = samples[0]["features"]
    return features
