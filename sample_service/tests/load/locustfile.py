"""Load on the service: single predictions most of all, batches, and the orchestrator's health checks.

Every answer is compared with the one that scikit-learn gave when the model was trained: a service that is fast and
wrong under load fails. Limits are in ``[tool.mlops-ci.load]``, not here.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from locust import FastHttpUser, between, task

SAMPLES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent.parent / "data" / "samples.json").read_text(encoding="utf-8")
)
BATCH = 8


class Taster(FastHttpUser):
    """Somebody with wines to classify."""

    wait_time = between(0.01, 0.05)

    @task(8)
    def predict_one(self) -> None:
        sample = random.choice(SAMPLES)
        with self.client.post("/predict", json=sample["features"], catch_response=True) as response:
            judge(response, lambda body: problem(body["prediction"], sample))

    @task(3)
    def predict_batch(self) -> None:
        chosen = random.sample(SAMPLES, BATCH)
        body = {"instances": [sample["features"] for sample in chosen]}
        with self.client.post("/predict/batch", json=body, catch_response=True) as response:
            judge(response, lambda body: batch_problem(body["predictions"], chosen))

    @task(1)
    def health(self) -> None:
        with self.client.get("/health", catch_response=True) as response:
            judge(response, lambda body: None if body == {"status": "ok"} else f"status is {body['status']!r}")


def judge(response: Any, find_problem: Any) -> None:
    """Fail `response` when its content is wrong. One that is no 200 fails as Locust sees it, with its status."""
    if response.status_code != 200:
        if response.status_code and response.status_code < 400:
            response.failure(f"status {response.status_code}, expected 200")
        return
    try:
        found = find_problem(json.loads(response.text))
    except (KeyError, TypeError, ValueError) as error:
        found = f"unexpected content: {type(error).__name__}: {error}"
    if found:
        response.failure(found)


def problem(prediction: dict[str, Any], sample: dict[str, Any]) -> str | None:
    """What is wrong with `prediction` of `sample`."""
    if prediction["label"] != sample["label"]:
        return f"label {prediction['label']!r}, expected {sample['label']!r}"
    for name, expected in sample["probabilities"].items():
        if abs(prediction["probabilities"][name] - expected) > 1e-3:
            return f"probability of {name} is not that of the model"
    return None


def batch_problem(predictions: list[dict[str, Any]], chosen: list[dict[str, Any]]) -> str | None:
    """What is wrong with `predictions` of the batch `chosen`."""
    if len(predictions) != len(chosen):
        return f"{len(predictions)} predictions for {len(chosen)} wines"
    return next(filter(None, map(problem, predictions, chosen)), None)
