"""A process that is a run, for tests of runs: python recorded_run.py NAME OUT [finish|wait|fail]."""

import sys
import time
from pathlib import Path

from schemas.errors import RealtalkError
from tts.runs import recorded


def main(name: str, out: str, how: str) -> int:
    def tell(line: str) -> None:
        print(line, flush=True)

    try:
        with recorded("train", {"name": name, "preset": "cpu"}, out, tell=tell) as run:
            run.tell(f"running {run.id}")
            samples = Path(out) / "samples"
            samples.mkdir(parents=True, exist_ok=True)
            (samples / f"{name}.wav").write_bytes(b"RIFF")
            run.metric(1, {"mel": 0.5, "nothing": float("nan")})
            run.metric(2, {"mel": 0.25})
            if how == "fail":
                raise RealtalkError("no clip was found")
            while how == "wait":
                time.sleep(0.05)
    except KeyboardInterrupt:
        return 130
    except RealtalkError:
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
