"""A call (POST) to an address that shall know of each version."""

import hashlib
import hmac
import json
import os
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from pipeline.watch.targets import Ready, Target, TargetError
from pipeline.watch.turns import Turn
from schemas.errors import ConfigurationError

SECRET_VARIABLE = "REALTALK_WEBHOOK_SECRET"
SIGNATURE_HEADER = "X-Realtalk-Signature-256"
DELIVERY_HEADER = "Idempotency-Key"
_SECONDS = 30.0


@dataclass(frozen=True)
class WebhookTarget(Target):
    """Sends {dataset, version, name, hours, consent, from_version} as JSON; any answer 2xx means that it was taken.

    With a secret the body is signed: SIGNATURE_HEADER is "sha256=" and the HMAC-SHA256 of the body, in hexadecimal. The
    same version always has the same DELIVERY_HEADER: an answer that is lost makes the call come twice.
    """

    # An address of a chat's hook is a secret itself: it is shown nowhere.
    url: str = field(repr=False)
    secret: str = field(default="", repr=False)
    seconds: float = _SECONDS

    @property
    def name(self) -> str:
        """The host that is called."""
        return f"webhook {urlsplit(self.url).hostname}"

    def check(self, dataset: str) -> None:
        """Raises ConfigurationError for what is no web address."""
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigurationError("--webhook: expected an address such as https://example.org/hook")

    def run(self, ready: Ready, turn: Turn) -> str:
        """Call once; raises TargetError unless the answer is 2xx. Redirects aren't followed."""
        import httpx

        body = body_of(ready)
        try:
            answer = httpx.post(self.url, content=body, headers=self._headers(ready, body), timeout=self.seconds)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            why = " ".join(str(error).split()) or type(error).__name__
            raise TargetError(f"{self.name}: no answer ({why})") from None
        if not answer.is_success:
            raise TargetError(f"{self.name}: answered {answer.status_code} {answer.reason_phrase}".rstrip())
        return f"answered {answer.status_code}"

    def _headers(self, ready: Ready, body: bytes) -> dict[str, str]:
        headers = {"Content-Type": "application/json", DELIVERY_HEADER: ready.version, "User-Agent": "realtalk"}
        return headers | ({SIGNATURE_HEADER: signature(self.secret, body)} if self.secret else {})


def secret_of_environment() -> str:
    """What calls are signed with: REALTALK_WEBHOOK_SECRET, "" for no signature."""
    return os.environ.get(SECRET_VARIABLE, "")


def body_of(ready: Ready) -> bytes:
    """What is sent of a version; `hours` are of the chosen clips."""
    manifest = ready.manifest
    document = {
        "dataset": ready.dataset,
        "version": manifest.version,
        "name": manifest.name,
        "hours": round(manifest.totals.clip_seconds / 3600, 4),
        "consent": manifest.consent,
        "from_version": manifest.from_version,
    }
    return json.dumps(document, ensure_ascii=False).encode("utf-8")


def signature(secret: str, body: bytes) -> str:
    """The value of SIGNATURE_HEADER."""
    return "sha256=" + hmac.new(secret.encode("utf-8"), body, hashlib.sha256).hexdigest()
