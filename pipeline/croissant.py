"""croissant.json: the dataset in MLCommons' Croissant 1.1, with provenance (PROV-O) and conditions of use (ODRL)."""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pyarrow as pa

from pipeline.description import INTENDED, NO_LICENSE, PROHIBITED, Description
from schemas.clip import clip_schema
from schemas.consent import SCOPES, TTS_TRAINING

CROISSANT_NAME = "croissant.json"
_OWN_WORDS = (
    "annotation arrayShape citeAs column containedIn equivalentProperty excludes extract field fileObject fileProperty "
    "fileSet format includes isArray isLiveDataset jsonPath key md5 parentField readLines recordSet references regex "
    "repeated replace samplingRate sdVersion separator source subField transform unArchive value"
)
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "prov": "http://www.w3.org/ns/prov#",
    "odrl": "http://www.w3.org/ns/odrl/2/",
    "conformsTo": "dct:conformsTo",
    "name": {"@container": "@language"},
    "description": {"@container": "@language"},
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **{word: f"cr:{word}" for word in _OWN_WORDS.split()},
}
_CREATIVE_COMMONS = re.compile(r"cc0-1\.0|cc-by(-nc)?(-sa|-nd)?-[0-9]\.[0-9]")
_IN_URN = "/:@!$&'()*+,;=-._~"
_PARQUET = "application/x-parquet"
_SHARDS, _CLIPS = "shards", "clips"


def croissant(about: Description) -> str:
    """The file's text."""
    manifest = about.manifest
    document = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "name": manifest.name,
        "description": (
            f"{manifest.totals.clips} clips of speech of {about.speaker} from podcasts, with text and word times."
        ),
        # A name for what has no address yet; who publishes it puts the address here.
        "url": f"urn:realtalk:{manifest.version}",
        "version": f"1.0.0+{manifest.version}",
        "creator": {"@type": "sc:Person", "name": about.speaker},
        "license": [_license(share.license) for share in about.licenses] or [NO_LICENSE],
        # A dataset knows no day of its own: the same input gives the same bytes. Its newest episode has one.
        **({"datePublished": about.newest} if about.newest else {}),
        **({"inLanguage": [about.language]} if about.language else {}),
        "keywords": ["speech", "text-to-speech", "podcast"],
        **_provenance(about),
        "usageInfo": _usage(about),
        "rai:dataUseCases": list(INTENDED),
        "rai:dataLimitations": [f"Prohibited: {use}" for use in PROHIBITED],
        "rai:personalSensitiveInformation": ["The voice and the words of a person who can be recognised by them."],
        "distribution": list(_files(about)),
        "recordSet": [_records(about)] if manifest.shards else [],
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _license(name: str) -> str:
    known = _CREATIVE_COMMONS.fullmatch(name.lower())
    return f"https://spdx.org/licenses/{name.upper()}.html" if known else name


def _provenance(about: Description) -> dict[str, Any]:
    feeds = [
        # A feed's guid is any text, and an IRI holds few letters (RFC 3986, section 2).
        {"@type": "prov:Entity", "@id": f"urn:feed:{quote(guid, safe=_IN_URN)}", "prov:label": title or guid}
        for title, guid in about.feeds
        if guid
    ]
    models = [
        {"@type": "prov:SoftwareAgent", "prov:label": f"{task}: {model}"}
        for task, model in sorted(about.manifest.models.items())
    ]
    return {
        **({"prov:wasDerivedFrom": feeds} if feeds else {}),
        "prov:wasGeneratedBy": {
            "@type": "prov:Activity",
            "prov:label": f"realtalk build, configuration {about.manifest.config_hash}",
            "prov:wasAssociatedWith": [{"@type": "prov:SoftwareAgent", "prov:label": "realtalk"}, *models],
        },
        "prov:wasAttributedTo": {"@type": "prov:Person", "prov:label": about.speaker},
    }


def _usage(about: Description) -> dict[str, Any]:
    """The offer: training by consent, or none."""
    training = {"@id": f"urn:realtalk:use:{TTS_TRAINING}", "name": SCOPES[TTS_TRAINING]}
    if about.is_consented:
        consent = {
            "@type": "odrl:Constraint",
            "name": "by the consent on record",
            "odrl:leftOperand": {"@id": "urn:realtalk:consent"},
            "odrl:operator": {"@id": "odrl:eq"},
            "odrl:rightOperand": about.manifest.consent_id,
        }
        rule = {
            "odrl:permission": {
                "@type": "odrl:Permission",
                "odrl:action": training,
                "odrl:constraint": [consent],
            }
        }
    else:
        rule = {"odrl:prohibition": {"@type": "odrl:Prohibition", "odrl:action": training}}
    name = f"consented {about.manifest.consent_id}" if about.is_consented else about.manifest.consent
    return {"@type": ["CreativeWork", "odrl:Offer"], "name": name, **rule}


def _files(about: Description) -> Iterator[dict[str, Any]]:
    for shard in about.manifest.shards:
        yield {
            "@type": "cr:FileObject",
            "@id": shard.name,
            "name": shard.name,
            "contentUrl": shard.name,
            "contentSize": f"{shard.bytes} B",
            "encodingFormat": _PARQUET,
            "sha256": shard.sha256,
        }
    if about.manifest.shards:
        yield {
            "@type": "cr:FileSet",
            "@id": _SHARDS,
            "name": _SHARDS,
            "encodingFormat": _PARQUET,
            "includes": "data/*.parquet",
        }


def _records(about: Description) -> dict[str, Any]:
    schema = clip_schema(about.manifest.sampling_rate)
    return {
        "@type": "cr:RecordSet",
        "@id": _CLIPS,
        "name": _CLIPS,
        "key": {"@id": f"{_CLIPS}/id"},
        "field": [field for column in schema if (field := _field(column)) is not None],
    }


def _field(column: pa.Field) -> dict[str, Any] | None:
    """A column; None for words and phones, lists that the card tells of."""
    extract: dict[str, Any] = {"extract": {"column": column.name}}
    if column.name == "audio":
        kind, extract = "sc:AudioObject", {**extract, "transform": {"jsonPath": "bytes"}}
    elif pa.types.is_string(column.type):
        kind = "sc:Text"
    elif pa.types.is_boolean(column.type):
        kind = "sc:Boolean"
    elif pa.types.is_integer(column.type):
        kind = "sc:Integer"
    elif pa.types.is_floating(column.type):
        kind = "sc:Float"
    else:
        return None
    return {
        "@type": "cr:Field",
        "@id": f"{_CLIPS}/{column.name}",
        "name": column.name,
        "dataType": kind,
        "source": {"fileSet": {"@id": _SHARDS}, **extract},
    }
