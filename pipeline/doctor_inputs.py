"""What a configuration needs besides the machine: its files, its feeds, and room for what it makes."""

import datetime
import os
from collections.abc import Iterator
from pathlib import Path

from pipeline.config import Config, is_uri
from pipeline.doctor import CONFIGURATION, Check, Status, check_output
from pipeline.doctor_models import check_models
from pipeline.plan import Forecast, PlannedEpisode, file_seconds, forecast
from pipeline.settings import consent_of
from schemas.errors import ConfigurationError

# A GE2E embedding of less speech than this wavers; 10 s and more are steady.
_ENOUGH_ENROLMENT_SECONDS = 10.0
_LEAST_ENROLMENT_SECONDS = 1.5


def check_inputs(config: Config) -> Iterator[Check]:
    """Look at everything that the configuration names. Asks every feed once; downloads no episode."""
    yield Check(CONFIGURATION, Status.OK, f"{config.name}, {config.hash}")
    yield from check_models(config)
    yield from check_clip_lengths(config)
    yield from check_enrolment(config)
    yield check_consent(config, datetime.datetime.now(datetime.UTC).date())
    plan = forecast(config, lambda _: (), cores=1)
    yield from check_sources(plan)
    yield from check_enrolment_episodes(config, plan)
    if not config.download.contact and any(source.kind in ("feed", "opml") for source in plan.sources):
        mend = "download: {contact: you@example.org} in the configuration"
        yield Check("contact", Status.WARNING, "operators of feeds can't reach you", mend)
    if is_uri(config.output_location):
        yield Check("output", Status.WARNING, f"{config.output_location} is remote: only a build can tell", "build")
    else:
        yield from check_output(config.output_location, plan.disk_bytes)


def check_clip_lengths(config: Config) -> Iterator[Check]:
    """Clips that are cut only to be rejected for their length."""
    least, most = config.selection.thresholds.duration
    longest, shortest = config.clips.max_seconds, config.clips.min_seconds
    if (most is not None and longest > most) or (least is not None and shortest < least):
        kept = f"{least if least is not None else 0:g} to {most:g} s" if most is not None else f"{least:g} s and more"
        mend = f"select: {{profile: {config.select.profile}, duration: [{shortest:g}, {longest:g}]}}"
        found = f"clips of {shortest:g} to {longest:g} s are cut, {kept} are kept"
        yield Check("clip lengths", Status.WARNING, found, mend)


def check_enrolment(config: Config) -> Iterator[Check]:
    """Recordings that the speaker is known by: there, readable, long enough together."""
    total = 0.0
    for enrolment in config.speaker.enroll or ():
        if enrolment.file is None:
            total += (enrolment.end or 0.0) - (enrolment.start or 0.0)
            continue
        path = config.locate(enrolment.file)
        check, seconds = _enrolment_file(path)
        total += seconds
        yield check
    if config.speaker.enroll and 0 < total < _ENOUGH_ENROLMENT_SECONDS:
        status = Status.MISSING if total < _LEAST_ENROLMENT_SECONDS else Status.WARNING
        mend = f"give {_ENOUGH_ENROLMENT_SECONDS:.0f} s or more of the speaker alone"
        yield Check("enrolment", status, f"{total:.1f} s in all", mend)


def require_enrolment(config: Config) -> None:
    """Raises ConfigurationError where a recording that the speaker is known by is missing, or holds no speech.

    No build can do without, and its episodes would be heard for hours before it is needed.
    """
    faults = [check for check in check_enrolment(config) if check.status is Status.MISSING]
    if faults:
        raise ConfigurationError("\n".join(f"speaker.enroll: {check.found}; {check.mend}" for check in faults))
    from transforms.identity import enrolled_speech
    from transforms.models.webrtc import WebRtcDetector

    for enrolment in config.speaker.enroll or ():
        if enrolment.file is not None and not is_uri(path := config.locate(enrolment.file)):
            enrolled_speech(path, None, None, WebRtcDetector())


def _enrolment_file(path: str) -> tuple[Check, float]:
    if is_uri(path):
        return Check("enrolment", Status.WARNING, f"{path} is remote: only a build can tell", "build"), 0.0
    mend = "put a recording of the speaker alone there, or correct speaker.enroll"
    if not os.path.isfile(path):
        found = "is a folder" if os.path.isdir(path) else "is not there"
        return Check("enrolment", Status.MISSING, f"{path} {found}", mend), 0.0
    seconds = file_seconds(path)
    if seconds is None:
        return Check("enrolment", Status.MISSING, f"{path} can't be read as a recording", mend), 0.0
    return Check("enrolment", Status.OK, f"{Path(path).name}, {seconds:.1f} s"), seconds


def check_enrolment_episodes(config: Config, plan: Forecast) -> Iterator[Check]:
    """Episodes that the speaker is known by: listed, and long enough for the span."""
    named: dict[str, list[PlannedEpisode]] = {}
    for episode in plan.episodes:
        for name in (episode.guid, episode.id):
            named.setdefault(name, []).append(episode)
    for enrolment in config.speaker.enroll or ():
        if enrolment.episode is None:
            continue
        several = named.get(enrolment.episode, [])
        found = several[0] if several else None
        if len(several) > 1:
            said = f"{len(several)} episodes have the guid {enrolment.episode}"
            yield Check(
                "enrolment", Status.MISSING, said, f"give the id of one in speaker.enroll, such as {several[0].id}"
            )
        elif found is None:
            mend = "correct the guid in speaker.enroll, or let the sources' limits hold this episode"
            yield Check("enrolment", Status.MISSING, f"no listed episode has the guid {enrolment.episode}", mend)
        elif found.length_from in ("file", "feed") and (enrolment.end or 0.0) > found.seconds:
            said = f"{enrolment.episode} ends at {found.seconds:.0f} s, before {enrolment.end:g} s"
            yield Check("enrolment", Status.MISSING, said, "correct start and end in speaker.enroll")
        else:
            yield Check("enrolment", Status.OK, f"{enrolment.start:g} to {enrolment.end:g} s of {enrolment.episode}")


def check_consent(config: Config, today: datetime.date) -> Check:
    """The speaker's consent: without one a dataset is built and marked so."""
    try:
        consent = consent_of(config, today)
    except ConfigurationError as error:
        return Check(
            "consent", Status.MISSING, "; ".join(str(error).splitlines()), "correct it, or ask the speaker anew"
        )
    if consent is None:
        mend = (
            "write consent.json as consent.example.json of `realtalk init` shows, and name it under speaker: consent:"
        )
        return Check("consent", Status.WARNING, "none on record: the dataset will be marked so", mend)
    until = f"until {consent.expiry}" if consent.expiry else "until withdrawn"
    return Check("consent", Status.OK, f"{consent.who} to {consent.to_whom}, {until}")


def check_sources(plan: Forecast) -> Iterator[Check]:
    """Every source answers and holds episodes; a build goes on as long as one does."""
    for source in plan.sources:
        name = f"source: {source.kind}"
        if source.episodes:
            status = Status.WARNING if source.problems else Status.OK
            said = f"{source.place}: {source.episodes} episodes"
            said += f"; not taken: {'; '.join(source.problems[:3])}" if source.problems else ""
            yield Check(name, status, said, "see `realtalk plan`" if source.problems else "")
        else:
            said = "; ".join(source.problems[:3]) or "no episode is listed, or none is within the limits"
            mend = "correct the source, its limits, or the network"
            status = Status.WARNING if plan.episodes else Status.MISSING
            yield Check(name, status, f"{source.place}: {said}", mend)
