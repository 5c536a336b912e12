"""Arrow schemas of the tables beside the clips."""

import pyarrow as pa

EPISODE_SCHEMA = pa.schema(
    [
        ("episode_id", pa.string()),
        ("guid", pa.string()),
        ("feed_guid", pa.string()),
        ("feed_title", pa.string()),
        ("title", pa.string()),
        ("published", pa.string()),
        ("source_url", pa.string()),
        ("recording_sha256", pa.string()),
        ("license", pa.string()),
        ("license_source", pa.string()),
        ("persons", pa.list_(pa.struct([("name", pa.string()), ("role", pa.string())]))),
        ("ai_content", pa.string()),
        ("transcript_format", pa.string()),
        ("transcript_shift", pa.float64()),
        ("split", pa.string()),
        # What became of it: "done", "failed" or "skipped", and the failing stage with its code and its line.
        ("state", pa.string()),
        ("failed_stage", pa.string()),
        ("error", pa.string()),
        ("error_detail", pa.string()),
        ("damage", pa.string()),
        ("source_rate", pa.int32()),
        ("target_speaker", pa.string()),
        ("target_similarity", pa.float64()),
        # Seconds through every stage.
        ("seconds", pa.float64()),
        ("speech_seconds", pa.float64()),
        ("target_seconds", pa.float64()),
        ("overlap_seconds", pa.float64()),
        ("aligned_seconds", pa.float64()),
        ("candidate_seconds", pa.float64()),
        ("kept_seconds", pa.float64()),
        ("speakers", pa.int32()),
        ("candidates", pa.int32()),
        ("kept", pa.int32()),
    ]
)

TURN_SCHEMA = pa.schema(
    [
        ("episode_id", pa.string()),
        ("start", pa.float64()),
        ("end", pa.float64()),
        ("speaker", pa.string()),
        ("is_target", pa.bool_()),
        ("similarity", pa.float64()),
        ("overlap", pa.float64()),
    ]
)
