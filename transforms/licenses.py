"""The licence that a feed names, in the words of the SPDX list where it is a Creative Commons one."""

import re

from transforms.feed_xml import Node

_URL = re.compile(
    r"creativecommons\.org/(?:licenses/(?P<kind>by(?:-nc)?(?:-nd|-sa)?)/(?P<version>[0-9]\.[0-9])"
    r"|publicdomain/(?P<domain>zero|mark)/1\.0)",
    re.IGNORECASE,
)
_SHORT = re.compile(r"\bcc[ -](?P<kind>by(?:-nc)?(?:-nd|-sa)?)\b(?:[ -]?(?P<version>[0-9]\.[0-9]))?", re.IGNORECASE)
_ZERO = re.compile(r"\bcc-?0\b", re.IGNORECASE)
_LONG = re.compile(
    r"creative commons attribution(?P<nc>[- ]non-?commercial)?"
    r"(?:(?P<sa>[- ]share-?alike)|(?P<nd>[- ]no-?deriv\w*))?[^0-9]{0,20}(?P<version>[0-9]\.[0-9])?",
    re.IGNORECASE,
)
_STATEMENTS = (
    "creativecommons:license",
    "cc:license",
    "media:license",
    "dcterms:license",
    "dc:rights",
    "dcterms:rights",
    "copyright",
    "atom:rights",
    "rights",
)


def stated_license(level: Node) -> str | None:
    """The podcast:license of an item or a channel: the identifier, and the address of its text where it is not CC's."""
    for node in level.all("podcast:license"):
        address = node.get("url")
        known = creative_commons(node.text) or creative_commons(address)
        if known:
            return known
        name = " ".join(node.text.split())
        if name or address:
            return f"{name} {address}".strip()
    return None


def implied_license(level: Node) -> tuple[str, str] | None:
    """(licence, element that names it) from the older ways to say it.

    A statement of rights ("(c) 2024 Somebody") is no licence: it counts only where it names a Creative Commons one.
    """
    for name in _STATEMENTS:
        for node in level.all(name):
            for text in (node.text, node.get("href"), node.get("rdf:resource")):
                found = creative_commons(text)
                if found:
                    return found, name
    for node in level.all("atom:link"):
        found = creative_commons(node.get("href")) if node.get("rel") == "license" else None
        if found:
            return found, "atom:link"
    return None


def creative_commons(text: str) -> str | None:
    """ "cc-by-sa-4.0" from an address, an abbreviation or the name of a Creative Commons licence; None from others."""
    if found := _URL.search(text):
        if found["domain"]:
            return "cc0-1.0" if found["domain"].lower() == "zero" else "public-domain"
        return f"cc-{found['kind']}-{found['version']}".lower()
    if found := _SHORT.search(text):
        return _named(found["kind"].lower(), found["version"])
    if _ZERO.search(text):
        return "cc0-1.0"
    if found := _LONG.search(text):
        kind = "by" + ("-nc" if found["nc"] else "") + ("-sa" if found["sa"] else "-nd" if found["nd"] else "")
        return _named(kind, found["version"])
    return None


def _named(kind: str, version: str | None) -> str:
    return f"cc-{kind}-{version}" if version else f"cc-{kind}"
