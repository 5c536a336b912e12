"""How all that is known of a clip or an episode looks."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pipeline.console import Column, Format, clock, duration, print_facts, print_json, print_table, shortened


def show_inspection(found: Mapping[str, Any], output: Format) -> None:
    """All that is known of a clip or an episode."""
    if output is Format.JSON:
        print_json(found)
    elif found["kind"] == "clip":
        _show_clip(found)
    else:
        _show_episode(found)


_SCORES = (
    "speaker_similarity", "speaker_purity", "overlap", "alignment_score", "text_score", "coverage", "snr_db",
    "dnsmos_ovrl", "dnsmos_sig", "dnsmos_bak", "loudness_lufs", "peak_db", "clipped", "bandwidth_hz", "upsampled",
    "leading_silence", "trailing_silence", "chars_per_second", "f0_median_hz",
)  # fmt: skip
_CLIP_RIGHTS = ("license", "license_source", "consent_id", "config_hash", "models", "fingerprint")


def _show_clip(found: Mapping[str, Any]) -> None:
    clip, episode = found["clip"], found["episode"] or {}
    facts = {
        "text": clip["text"],
        "spoken": clip["spoken"],
        "verdict": clip["verdict"],
        "reasons": "; ".join(clip["reasons"] or ()) or None,
        "duplicate of": clip["duplicate_of"] or None,
        "tier": clip["tier"] or "none",
        "split": clip["split"],
        "duration": f"{clip['duration']:.2f} s at {clip['sampling_rate']} Hz",
        "speaker": clip["speaker"],
        "transcript": clip["transcript_source"],
    }
    source = {
        "episode": f"{clip['episode_id']}  {episode.get('title') or ''}".strip(),
        "guid": clip["episode_guid"],
        "from": f"{clock(clip['start'])} to {clock(clip['end'])}",
        "source": clip["source_url"],
        "recording": clip["recording_sha256"],
    }
    print_facts(facts, f"Clip {clip['id']}")
    print_facts(source, "Source")
    print_facts({name: _figure(clip.get(name)) for name in _SCORES}, "Scores")
    print_facts({name: shortened(clip.get(name) or "none", 100) for name in _CLIP_RIGHTS}, "Rights and making")
    _show_timed(clip["words"], "text", "Words")
    _show_timed(clip["phones"], "symbol", "Phones")
    _show_turns(found["turns"], "Turns that it touches")


_STAGE_SECONDS = (
    ("recording", "seconds"),
    ("speech", "speech_seconds"),
    ("target", "target_seconds"),
    ("overlapped", "overlap_seconds"),
    ("aligned", "aligned_seconds"),
    ("candidates", "candidate_seconds"),
    ("kept", "kept_seconds"),
)


def _show_episode(found: Mapping[str, Any]) -> None:
    episode, clips = found["episode"], found["clips"]
    persons = ", ".join(f"{person['name']} ({person['role']})" for person in episode["persons"] or ())
    print_facts(
        {
            "title": episode["title"],
            "feed": episode["feed_title"],
            "guid": episode["guid"],
            "published": episode["published"],
            "source": episode["source_url"],
            "persons": persons or None,
            "state": episode["state"],
            "failed at": _failure(episode),
            "detail": episode["error_detail"] or None,
            "damage": episode["damage"] or None,
            "transcript": episode["transcript_format"] or "none",
            "transcript shift": _seconds(episode["transcript_shift"]),
            "split": episode["split"],
            "speakers": episode["speakers"],
            "target": f"{episode['target_speaker'] or 'not found'}, similarity {_figure(episode['target_similarity'])}",
            "license": f"{episode['license']} ({episode['license_source']})" if episode["license"] else "none",
            "ai content": episode["ai_content"],
            "recording": episode["recording_sha256"],
        },
        f"Episode {episode['episode_id']}",
    )
    whole = episode["seconds"] or 0.0
    rows = [(label, _long(episode[name]), _share(episode[name], whole)) for label, name in _STAGE_SECONDS]
    print_table(["stage", Column("time", True), Column("of it", True)], rows, "Seconds through every stage")
    print_table(
        ["clip", Column("start", True), Column("seconds", True), "verdict", "first reason", "text"],
        [
            (
                c["id"],
                clock(c["start"]),
                f"{c['duration']:.2f}",
                c["verdict"],
                *_first(c["reasons"]),
                shortened(c["text"]),
            )
            for c in clips
        ],
        f"Clips: {sum(clip['verdict'] == 'kept' for clip in clips)} kept of {len(clips)}",
    )
    _show_turns(found["turns"], "Turns")


def _failure(episode: Mapping[str, Any]) -> str | None:
    return f"{episode['failed_stage']}: {episode['error']}" if episode["failed_stage"] or episode["error"] else None


def _show_timed(items: Iterable[Mapping[str, Any]] | None, name: str, title: str) -> None:
    rows = [(i[name], f"{i['start']:.2f}", f"{i['end']:.2f}", _figure(i.get("score"))) for i in items or ()]
    if rows:
        scored = "score" in next(iter(items or ()))
        columns = [Column(name), Column("start", True), Column("end", True), Column("score", True)]
        shown = columns if scored else columns[:-1]
        print_table(shown, [row[: len(shown)] for row in rows], title)


def _show_turns(turns: Sequence[Mapping[str, Any]], title: str) -> None:
    if not turns:
        return
    rows = [
        (
            clock(turn["start"]),
            clock(turn["end"]),
            turn["speaker"],
            "target" if turn["is_target"] else "",
            _figure(turn["similarity"]),
            _figure(turn["overlap"]),
        )
        for turn in turns
    ]
    figures = Column("similarity", True), Column("overlap", True)
    print_table([Column("start", True), Column("end", True), "speaker", "", *figures], rows, title)


def _figure(value: object) -> str | None:
    if isinstance(value, bool) or value is None:
        return None if value is None else str(value).lower()
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1000 else f"{value:.0f}"
    return str(value)


def _seconds(value: float | None) -> str | None:
    return None if value is None else f"{value:+.2f} s"


def _long(seconds: float | None) -> str | None:
    return None if seconds is None else duration(seconds)


def _share(part: float | None, whole: float) -> str | None:
    return f"{part / whole:.0%}" if part is not None and whole else None


def _first(reasons: Sequence[str] | None) -> tuple[str]:
    return (reasons[0] if reasons else "",)
