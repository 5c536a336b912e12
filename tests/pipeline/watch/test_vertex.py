"""Jobs of Vertex AI as a server gets them that stands for it."""

import io
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from ready_dataset import commit_version
from recording_server import RecordingServer, recording_server

from pipeline.watch.targets import Ready, TargetError
from pipeline.watch.turns import Turn
from pipeline.watch.vertex import VertexTarget, accelerator_of, access_token
from schemas.errors import ConfigurationError
from schemas.manifest import read_manifest

DATASET = "gs://voices/readings"
JOBS = "/v1/projects/my-project/locations/europe-west4/customJobs"
TURN = Turn(Path("unused"), io.BytesIO())


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[RecordingServer]:
    monkeypatch.setenv("GOOGLE_OAUTH_ACCESS_TOKEN", "ya29.token")
    with recording_server() as found:
        yield found


@pytest.fixture
def ready(tmp_path: Path) -> Ready:
    commit_version(tmp_path, "one")
    return Ready(DATASET, read_manifest(tmp_path), 1)


@pytest.fixture
def target(server: RecordingServer) -> VertexTarget:
    arguments = ("train", "{dataset}", "--out", "/gcs/voices/{version}")
    return VertexTarget(
        "my-project", "europe-west4", "image:1", arguments, "a3-highgpu-8g", "NVIDIA_H100_80GB:8", server.url
    )


def test_a_job_is_made_as_the_interface_documents_it(
    server: RecordingServer, target: VertexTarget, ready: Ready
) -> None:
    server.answers = [(200, {}), (200, {"name": "projects/1/locations/europe-west4/customJobs/7"})]
    assert target.run(ready, TURN) == "made projects/1/locations/europe-west4/customJobs/7"
    looked, made = server.asked
    assert (looked.method, looked.path, made.method, made.path) == ("GET", JOBS, "POST", JOBS)
    assert {asked.headers["authorization"] for asked in server.asked} == {"Bearer ya29.token"}
    labels = made.document["labels"]
    assert looked.query == {"filter": [f"labels.realtalk_key={labels['realtalk_key']}"]}
    assert made.document == {
        "displayName": f"realtalk-train-readings-{ready.version}",
        "labels": {"realtalk_key": labels["realtalk_key"], "realtalk_version": f"v{ready.version}"},
        "jobSpec": {
            "workerPoolSpecs": [
                {
                    "machineSpec": {
                        "machineType": "a3-highgpu-8g",
                        "acceleratorType": "NVIDIA_H100_80GB",
                        "acceleratorCount": 8,
                    },
                    "replicaCount": "1",
                    "containerSpec": {
                        "imageUri": "image:1",
                        "args": ["train", DATASET, "--out", f"/gcs/voices/{ready.version}"],
                        "env": [
                            {"name": "REALTALK_DATASET", "value": DATASET},
                            {"name": "REALTALK_VERSION", "value": ready.version},
                        ],
                    },
                }
            ]
        },
    }


def test_the_real_interface_is_asked_where_nothing_else_is_said(target: VertexTarget) -> None:
    real = replace(target, endpoint="")
    assert real.jobs_url == f"https://europe-west4-aiplatform.googleapis.com{JOBS}"


def test_a_job_that_is_there_is_not_made_again_unless_it_failed(
    server: RecordingServer, target: VertexTarget, ready: Ready
) -> None:
    server.answers = [(200, {"customJobs": [{"name": "a/7", "state": "JOB_STATE_RUNNING"}]})]
    assert target.run(ready, TURN) == "is there already: a/7"
    assert [asked.method for asked in server.asked] == ["GET"]
    server.answers = [(200, {"customJobs": [{"name": "a/7", "state": "JOB_STATE_FAILED"}]}), (200, {"name": "a/8"})]
    assert target.run(ready, TURN) == "made a/8"


def test_another_version_task_or_dataset_has_another_key(target: VertexTarget, ready: Ready) -> None:
    jobs = [target.job(ready), replace(target, task="b").job(ready), target.job(replace(ready, dataset="gs://b/c"))]
    assert len({job["labels"]["realtalk_key"] for job in jobs}) == 3


def test_a_machine_without_accelerators_asks_for_none(target: VertexTarget, ready: Ready) -> None:
    (pool,) = replace(target, machine="n1-standard-8", accelerator="").job(ready)["jobSpec"]["workerPoolSpecs"]
    assert pool["machineSpec"] == {"machineType": "n1-standard-8"}
    assert accelerator_of("NVIDIA_L4") == ("NVIDIA_L4", 1)


def test_a_refusal_says_why(server: RecordingServer, target: VertexTarget, ready: Ready) -> None:
    server.answers = [(403, {"error": {"code": 403, "message": "Permission denied on\nresource"}})]
    with pytest.raises(TargetError, match="answered 403 Permission denied on resource"):
        target.run(ready, TURN)


def test_a_token_comes_from_gcloud_where_the_environment_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GOOGLE_OAUTH_ACCESS_TOKEN", raising=False)
    gcloud = tmp_path / "gcloud"
    gcloud.write_text('#!/bin/sh\n[ "$*" = "auth print-access-token" ] && echo ya29.other\n')
    gcloud.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert access_token() == "ya29.other"
    gcloud.write_text("#!/bin/sh\necho 'not signed in' >&2; exit 1\n")
    with pytest.raises(ConfigurationError, match=r"gives no token \(not signed in\); run gcloud auth login"):
        access_token()
    with pytest.raises(ConfigurationError, match="nobody is signed in"):
        access_token(("no-such-gcloud",))


def test_a_dataset_of_this_machine_can_not_be_read_by_a_job(target: VertexTarget) -> None:
    with pytest.raises(ConfigurationError, match="build to gs://BUCKET/PATH"):
        target.check("/data/readings")
    target.check(DATASET)
