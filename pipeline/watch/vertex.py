"""A custom job of Vertex AI that trains on each version, by its REST interface.

See https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.customJobs. A job is labelled with what
it is for, and looked for by its label first: an answer that was lost makes no second job.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.config import is_uri
from pipeline.watch.command import filled
from pipeline.watch.ledger import TRAINING
from pipeline.watch.targets import Ready, Target, TargetError
from pipeline.watch.turns import Turn
from schemas.errors import ConfigurationError
from schemas.ids import digest

TOKEN_VARIABLE = "GOOGLE_OAUTH_ACCESS_TOKEN"
MACHINE = "n1-standard-8"
_SECONDS = 60.0
_PLACE = re.compile(r"(?P<project>[a-z0-9.:-]+)/(?P<region>[a-z0-9-]+)")
_ACCELERATOR = re.compile(r"(?P<type>[A-Z0-9_]+)(:(?P<count>[1-9][0-9]*))?")
_KEY_LABEL = "realtalk_key"
# Jobs that are no reason not to make another one.
_OVER = ("JOB_STATE_FAILED", "JOB_STATE_CANCELLED", "JOB_STATE_CANCELLING", "JOB_STATE_EXPIRED")
_ENDPOINT = "https://{region}-aiplatform.googleapis.com"


@dataclass(frozen=True)
class VertexTarget(Target):
    """Starts `image` with `arguments` ({dataset} and {version} filled in) on one machine of a project's region.

    `accelerator` is a type with a number: NVIDIA_L4, NVIDIA_H100_80GB:8; "" for none. It is done when the job is made:
    what becomes of it is seen in the console, and the job writes the voice where its arguments say.
    """

    project: str
    region: str
    image: str
    arguments: tuple[str, ...]
    machine: str = MACHINE
    accelerator: str = ""
    endpoint: str = ""
    task: str = TRAINING

    @property
    def name(self) -> str:
        """Where the job is made."""
        return f"Vertex AI job in {self.project}/{self.region}"

    @property
    def jobs_url(self) -> str:
        """Where jobs are listed and made."""
        base = self.endpoint or _ENDPOINT.format(region=self.region)
        return f"{base}/v1/projects/{self.project}/locations/{self.region}/customJobs"

    def check(self, dataset: str) -> None:
        """Raises ConfigurationError where a job could not read the dataset, or nobody is signed in."""
        if not is_uri(dataset):
            raise ConfigurationError(f"{dataset}: a job of Vertex AI can't read it; build to gs://BUCKET/PATH")
        if not self.arguments:
            raise ConfigurationError(
                "--vertex: say what the container runs: -- train {dataset} --out /gcs/BUCKET/voices/{version}"
            )
        access_token()

    def run(self, ready: Ready, turn: Turn) -> str:
        """Make the job, unless it is there; returns its name."""
        found = self._jobs(ready)
        if found:
            return f"is there already: {found[0]}"
        made = self._asked("POST", json=self.job(ready))
        return f"made {made.get('name', 'a job')}"

    def job(self, ready: Ready) -> dict[str, Any]:
        """The body of the request: a CustomJob."""
        environment = {"REALTALK_DATASET": ready.dataset, "REALTALK_VERSION": ready.version}
        machine: dict[str, Any] = {"machineType": self.machine}
        if self.accelerator:
            kind, count = accelerator_of(self.accelerator)
            machine |= {"acceleratorType": kind, "acceleratorCount": count}
        return {
            "displayName": f"realtalk-{self.task}-{ready.manifest.name}-{ready.version}"[:128],
            "labels": self._labels(ready),
            "jobSpec": {
                "workerPoolSpecs": [
                    {
                        "machineSpec": machine,
                        "replicaCount": "1",
                        "containerSpec": {
                            "imageUri": self.image,
                            "args": filled(self.arguments, ready.dataset, ready.version),
                            "env": [{"name": name, "value": value} for name, value in environment.items()],
                        },
                    }
                ]
            },
        }

    def _labels(self, ready: Ready) -> dict[str, str]:
        # The key begins with a letter: the filter takes bare words, and could take digits for a number.
        key = digest("vertex", self.task, ready.dataset, ready.version)
        return {_KEY_LABEL: f"k{key}", "realtalk_version": f"v{ready.version}"}

    def _jobs(self, ready: Ready) -> list[str]:
        """Names of the jobs that were made for this version and have not failed."""
        found = self._asked("GET", params={"filter": f"labels.{_KEY_LABEL}={self._labels(ready)[_KEY_LABEL]}"})
        return [str(job.get("name", "")) for job in found.get("customJobs", ()) if job.get("state") not in _OVER]

    def _asked(self, method: str, **request: Any) -> dict[str, Any]:
        import httpx

        try:
            headers = {"Authorization": f"Bearer {access_token()}"}
            answer = httpx.request(method, self.jobs_url, headers=headers, timeout=_SECONDS, **request)
            content = answer.json() if answer.content else {}
        except ConfigurationError as error:
            raise TargetError(str(error)) from None
        except (httpx.HTTPError, ValueError) as error:
            why = " ".join(str(error).split()) or type(error).__name__
            raise TargetError(f"{self.name}: no usable answer ({why})") from None
        if not answer.is_success:
            message = str(content.get("error", {}).get("message", "")) if isinstance(content, dict) else ""
            raise TargetError(f"{self.name}: answered {answer.status_code} {' '.join(message.split())[:200]}".rstrip())
        return content if isinstance(content, dict) else {}


def vertex_place(text: str) -> tuple[str, str]:
    """Project and region of "PROJECT/REGION"; raises ConfigurationError."""
    found = _PLACE.fullmatch(text)
    if found is None:
        raise ConfigurationError(f"--vertex: expected PROJECT/REGION, such as my-project/europe-west4, got {text!r}")
    return found["project"], found["region"]


def accelerator_of(text: str) -> tuple[str, int]:
    """Type and number of "NVIDIA_L4" or "NVIDIA_H100_80GB:8"; raises ConfigurationError."""
    found = _ACCELERATOR.fullmatch(text)
    if found is None:
        raise ConfigurationError(f"--accelerator: expected a type and a number, such as NVIDIA_L4:1, got {text!r}")
    return found["type"], int(found["count"] or 1)


def access_token(command: Sequence[str] = ("gcloud", "auth", "print-access-token")) -> str:
    """GOOGLE_OAUTH_ACCESS_TOKEN, else what gcloud prints; raises ConfigurationError where neither is to be had."""
    given = os.environ.get(TOKEN_VARIABLE, "").strip()
    if given:
        return given
    if shutil.which(command[0]) is None:
        raise ConfigurationError(f"--vertex: nobody is signed in; install gcloud and sign in, or set {TOKEN_VARIABLE}")
    done = subprocess.run(list(command), capture_output=True, text=True, timeout=_SECONDS)
    token = done.stdout.strip()
    if done.returncode != 0 or not token:
        why = " ".join(done.stderr.split())[:200] or f"code {done.returncode}"
        raise ConfigurationError(f"--vertex: gcloud gives no token ({why}); run gcloud auth login")
    return token
