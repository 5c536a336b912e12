"""Feeds and outlines as small trees of elements: bounded, without entities, and repaired where they are broken."""

import codecs
import gzip
import html
import io
import itertools
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.sax import SAXException, SAXParseException
from xml.sax.handler import ContentHandler
from xml.sax.xmlreader import AttributesImpl

from defusedxml.common import DefusedXmlException
from defusedxml.expatreader import DefusedExpatParser

from schemas.errors import EpisodeError

MAX_FEED_BYTES = 64 << 20
_MAX_DEPTH = 64
# Elements that are held, and all; the largest real feeds have a third of these.
_MAX_KEPT = 1_000_000
_MAX_ELEMENTS = 4_000_000
_MAX_ATTRIBUTES = 256
_MAX_PREFIXES = 256
_MAX_REFERENCES = 2_000_000
_MAX_TEXT_CHARACTERS = 20_000

# Names of elements are "prefix:name" in lower case, with the prefix that is customary whatever the document's is.
_NAMESPACES = {
    "http://www.itunes.com/dtds/podcast-1.0.dtd": "itunes",
    "https://podcastindex.org/namespace/1.0": "podcast",
    "https://github.com/podcastindex-org/podcast-namespace/blob/main/docs/1.0.md": "podcast",
    "http://www.w3.org/2005/atom": "atom",
    "http://search.yahoo.com/mrss/": "media",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://purl.org/dc/terms/": "dcterms",
    "http://backend.userland.com/creativecommonsrssmodule": "creativecommons",
    "http://cyber.law.harvard.edu/rss/creativecommonsrssmodule.html": "creativecommons",
    "http://web.resource.org/cc/": "cc",
    "http://creativecommons.org/ns": "cc",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns": "rdf",
    "http://www.w3.org/1999/xhtml": "xhtml",
    "http://purl.org/rss/1.0/": "",
    "http://backend.userland.com/rss2": "",
    "http://my.netscape.com/rdf/simple/0.9/": "",
}
_CONTAINERS = {
    *("rss", "rdf:rdf", "channel", "item", "feed", "entry", "atom:feed", "atom:entry", "opml", "head", "body"),
    *(
        "outline",
        "media:group",
        "podcast:alternateenclosure",
        "atom:author",
        "author",
        "redirect",
        "html",
        "xhtml:html",
    ),
}
_LEAVES = {
    *("title", "guid", "pubdate", "enclosure", "language", "copyright", "author", "newlocation", "dc:date"),
    *("dc:creator", "dc:language", "dc:rights", "dcterms:license", "dcterms:rights", "creativecommons:license"),
    *("cc:license", "media:content", "media:license", "atom:title", "atom:id", "atom:published", "atom:updated"),
    *("atom:link", "atom:rights", "atom:name", "name", "id", "published", "updated", "link", "rights"),
    *("itunes:duration", "itunes:author", "itunes:block", "podcast:transcript", "podcast:person", "podcast:license"),
    *("podcast:guid", "podcast:block", "podcast:txt", "podcast:source"),
}
# Everything else (descriptions, whole articles) is passed over and never held.
_KEPT = _CONTAINERS | _LEAVES


@dataclass(slots=True)
class Node:
    """An element: `text` stripped, attributes by lower-case name, the kept elements inside it."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    text: str = ""
    children: list["Node"] = field(default_factory=list)

    def all(self, *names: str) -> Iterator["Node"]:
        """Children of any of the names, in the document's order."""
        return (child for child in self.children if child.name in names)

    def first(self, *names: str) -> str:
        """The first text that is not empty, of the names in the order given; "" if there is none."""
        return next((node.text for name in names for node in self.all(name) if node.text), "")

    def get(self, attribute: str) -> str:
        return self.attributes.get(attribute, "").strip()


@dataclass(frozen=True, slots=True)
class Document:
    """`problem` is "" for XML as it should be, otherwise one line on what is broken; `is_whole`: that cost nothing."""

    root: Node
    problem: str = ""
    is_whole: bool = True


def parse_document(data: bytes, what: str) -> Document:
    """Parse a feed or an outline; `what` names it in errors.

    Broken XML is mended (stray ampersands, HTML's entities, control characters, wrong encodings); where that does not
    do, tags are taken as they come. Raises EpisodeError: "too-large", "xml-bomb", "html-not-feed", "empty-feed",
    "json-not-feed", "broken-feed".
    """
    data = _unpacked(data, what)
    _check_is_xml(data, what)
    try:
        return Document(_parse(_without_doctype(data)))
    except SAXParseException as error:
        where = f"line {error.getLineNumber()}, column {error.getColumnNumber()}: {error.getMessage()}"
        return _repaired(data, what, where)
    except DefusedXmlException:
        raise _bomb(what) from None
    except (_LimitError, SAXException, LookupError, ValueError) as error:
        if isinstance(error, _LimitError):
            raise EpisodeError(f"xml-bomb: {what}: {error}; it is refused") from None
        return _repaired(data, what, " ".join(str(error).split()))


class _LimitError(Exception):
    """The document is deeper or larger than any feed."""


ITEM_NAMES = ("item", "entry", "atom:entry")


class _TreeBuilder(ContentHandler):
    """Builds the tree of kept elements. Prefixes that a feed forgot to declare mean what they usually mean."""

    def __init__(self) -> None:
        super().__init__()
        self.root: Node | None = None
        # One entry for each open element: the node that its text goes to, None where it goes nowhere.
        self._open: list[Node | None] = []
        self._texts: list[list[str]] = []
        self._prefixes: list[dict[str, str]] = [{}]
        self._elements = self._kept = 0

    @property
    def depth(self) -> int:
        return len(self._open)

    def startElement(self, name: str, attrs: AttributesImpl | dict[str, str]) -> None:  # noqa: N802 - SAX's name
        self._elements += 1
        if self.depth >= _MAX_DEPTH:
            raise _LimitError(f"elements lie more than {_MAX_DEPTH} deep in each other")
        if self._elements > _MAX_ELEMENTS or self._kept > _MAX_KEPT:
            raise _LimitError("it has more elements than any feed")
        if len(attrs) > _MAX_ATTRIBUTES or len(self._prefixes[-1]) > _MAX_PREFIXES:
            raise _LimitError("an element has more attributes or namespaces than any feed's")
        attributes = {key.lower(): value for key, value in attrs.items()}
        self._prefixes.append(_declared(self._prefixes[-1], attributes))
        node = Node(self._canonical(name), attributes)
        parent = self._open[-1] if self._open else None
        if not self._open:
            self.root = self.root or node
            self._begin(node)
        elif parent is None:
            self._begin(None)
        elif parent.name not in _CONTAINERS and parent is not self.root:
            # Markup inside a text (Atom's xhtml titles): the words count, the tags do not.
            self._open.append(parent)
            self._texts.append(self._texts[-1])
        elif node.name in _KEPT:
            self._kept += 1
            parent.children.append(node)
            self._begin(node)
        else:
            self._begin(None)

    def characters(self, content: str) -> None:
        if self._open and self._open[-1] is not None and len(self._texts[-1]) < _MAX_TEXT_CHARACTERS:
            self._texts[-1].append(content)

    def endElement(self, name: str) -> None:  # noqa: N802 - SAX's name
        node, pieces = self._open.pop(), self._texts.pop()
        self._prefixes.pop()
        if node is not None and not (self._open and self._open[-1] is node):
            node.text = "".join(pieces).strip()[:_MAX_TEXT_CHARACTERS]

    def drop_unfinished_items(self) -> None:
        """Forget items that are still open: what their missing part would say (a block, a licence) is not known."""
        for outer, inner in itertools.pairwise(self._open):
            if outer is not None and inner is not None and inner.name in ITEM_NAMES and inner is not outer:
                outer.children.remove(inner)

    def _begin(self, node: Node | None) -> None:
        self._open.append(node)
        self._texts.append([])

    def _canonical(self, name: str) -> str:
        prefix, _, local = name.lower().rpartition(":")
        prefix = self._prefixes[-1].get(prefix, prefix)
        return f"{prefix}:{local}" if prefix else local


def _declared(inherited: dict[str, str], attributes: dict[str, str]) -> dict[str, str]:
    found = {
        key[6:]: _NAMESPACES.get(uri.strip().lower().rstrip("#"), key[6:])
        for key, uri in attributes.items()
        if key == "xmlns" or key.startswith("xmlns:")
    }
    return {**inherited, **found} if found else inherited


def _parse(data: bytes) -> Node:
    builder = _TreeBuilder()
    _feed(builder, data)
    if builder.root is None:
        raise SAXException("no element found")
    return builder.root


def _feed(builder: _TreeBuilder, data: bytes) -> None:
    parser: Any = DefusedExpatParser()
    parser.setContentHandler(builder)
    # All at once: expat before 2.6 reads a tag that spans many pieces anew at each of them.
    parser.feed(data)
    parser.close()


def _unpacked(data: bytes, what: str) -> bytes:
    if data[:2] == b"\x1f\x8b":
        try:
            with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
                data = packed.read(MAX_FEED_BYTES + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise EpisodeError(f"broken-feed: {what} is a gzip file that can't be unpacked ({error})") from None
    if len(data) > MAX_FEED_BYTES:
        raise EpisodeError(f"too-large: {what} has more than {MAX_FEED_BYTES >> 20} MiB; no feed is that large")
    return data


def _check_is_xml(data: bytes, what: str) -> None:
    head = _decoded(data[:4096]).lstrip("\ufeff \t\r\n\x00").lower()
    if not head:
        raise EpisodeError(f"empty-feed: {what} is empty; is the address right?")
    without_prolog = re.sub(r"^<\?xml.*?\?>\s*|<!--.*?-->\s*", "", head, flags=re.DOTALL)
    if re.match(r"<!doctype\s+html|<html|<head|<body", without_prolog):
        raise EpisodeError(
            f"html-not-feed: {what} is a web page, not a feed; look there for the link named RSS or feed"
        )
    if head[0] in "{[":
        raise EpisodeError(f"json-not-feed: {what} is JSON; give an RSS or Atom feed")
    if not head.startswith("<"):
        raise EpisodeError(f"broken-feed: {what} is no XML: it begins {head[:40]!r}; give an RSS or Atom feed")


_DOCTYPE = re.compile(rb"<!DOCTYPE[^<>\[\]]*>", re.IGNORECASE)
_ENTITY = re.compile(r"<!ENTITY", re.IGNORECASE)
_REFERENCE = re.compile(r"&(?:(#[0-9]{1,7}|#x[0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{0,31});)?")
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_DECLARATION = re.compile(r"<\?xml\s[^<>]*>", re.IGNORECASE)
_ENCODING = re.compile(rb"""<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")


def _without_doctype(data: bytes) -> bytes:
    """RSS 0.91 names an external DTD, which nobody needs; one with declarations inside is the parser's to refuse."""
    return _DOCTYPE.sub(b"", data[:4096], count=1) + data[4096:]


def _repaired(data: bytes, what: str, where: str) -> Document:
    text = _DECLARATION.sub("", _decoded(data)).lstrip("\ufeff \t\r\n\x00")
    if _ENTITY.search(text[:65536]):
        raise _bomb(what)
    if text.count("&") > _MAX_REFERENCES:
        raise EpisodeError(f"broken-feed: {what} is broken XML ({where}), and too large to be mended")
    # In a CDATA section an ampersand is itself.
    outside, sections = _split(_ILLEGAL.sub("", text), "<![CDATA[", "]]>")
    outside = [_REFERENCE.sub(_escaped, part) for part in outside]
    try:
        try:
            mended = _joined(outside, [f"<![CDATA[{section}]]>" for section in sections])
            root = _parse(_without_doctype(mended.encode("utf-8")))
            return Document(root, f"the XML is broken ({where}) and was mended; all of it was read")
        except DefusedXmlException:
            raise
        except (SAXException, LookupError, ValueError):
            tolerant = _parse_tolerantly(_joined(outside, [html.escape(section) for section in sections]))
    except DefusedXmlException:
        raise _bomb(what) from None
    except _LimitError as error:
        raise EpisodeError(f"xml-bomb: {what}: {error}; it is refused") from None
    if tolerant is None:
        raise EpisodeError(f"broken-feed: {what} is broken XML ({where}); nothing could be read")
    problem = f"the XML is broken ({where}); it was read as far as it can be told, and episodes may be missing"
    return Document(tolerant, problem, is_whole=False)


def _split(text: str, start: str, end: str) -> tuple[list[str], list[str]]:
    """(what lies outside, what lies inside) of all `start`...`end`; one that does not end is none."""
    outside, inside, position = [], [], 0
    while (begin := text.find(start, position)) >= 0 and (close := text.find(end, begin + len(start))) >= 0:
        outside.append(text[position:begin])
        inside.append(text[begin + len(start) : close])
        position = close + len(end)
    return [*outside, text[position:]], inside


def _joined(outside: list[str], inside: list[str]) -> str:
    return "".join(itertools.chain.from_iterable(zip(outside, [*inside, ""], strict=True)))


# Neither a quoted value nor a tag runs over the next "<", and no name is tried again from its middle, so that hostile
# input can't make the search quadratic.
_TAG = re.compile(r"""<(/?)([A-Za-z_][\w:.-]*+)((?:[^<>"']|"[^"<]*"|'[^'<]*')*+)>""")
_ATTRIBUTE = re.compile(r"""(?<![\w:.-])([\w:.-]++)\s*+=\s*(?:"([^"]*)"|'([^']*)')""")
_VOID = {"br", "hr", "img", "input", "meta", "wbr"}


def _parse_tolerantly(text: str) -> Node | None:
    """The tree of a document whose tags do not fit each other: an end tag closes what it names, others are ignored."""
    text = "".join(_split(text, "<!--", "-->")[0])
    builder = _TreeBuilder()
    names: list[str] = []
    position = 0
    for tag in _TAG.finditer(text):
        builder.characters(html.unescape(text[position : tag.start()]))
        position = tag.end()
        closing, name, inside = tag.groups()
        if closing:
            _close(builder, names, name)
            if not names:
                break
            continue
        if name in ITEM_NAMES:
            _close(builder, names, name)
        if builder.depth < _MAX_DEPTH - 1 and (names or builder.root is None):
            values = {key: html.unescape(double or single) for key, double, single in _ATTRIBUTE.findall(inside)}
            builder.startElement(name, values)
            names.append(name)
            if inside.endswith("/") or name.lower() in _VOID:
                _close(builder, names, name)
    builder.drop_unfinished_items()
    while names:
        _close(builder, names, names[-1])
    return builder.root


def _close(builder: _TreeBuilder, names: list[str], name: str) -> None:
    """Close the innermost open element of that name, and what is open inside it."""
    while name in names:
        last = names.pop()
        builder.endElement(last)
        if last == name:
            return


def _escaped(found: re.Match[str]) -> str:
    name = found[1]
    if name is None:
        return "&amp;"
    if name.startswith("#"):
        code = int(name[2:], 16) if name[1] in "xX" else int(name[1:])
        legal = code < 0x110000 and not _ILLEGAL.search(chr(code))
        return found[0] if legal else ""
    if name in ("amp", "lt", "gt", "quot", "apos"):
        return found[0]
    character = html.unescape(found[0])
    return character if character != found[0] else f"&amp;{name};"


def _decoded(data: bytes) -> str:
    """Text of XML bytes: the byte order mark, then UTF-8, then the declared encoding, then Windows-1252."""
    for mark, name in ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if data.startswith(mark):
            return data.decode(name, "replace")
    declared = _ENCODING.search(data[:1024])
    for encoding in ("utf-8", declared[1].decode("ascii") if declared else "cp1252"):
        try:
            return data.decode(encoding)
        except (UnicodeError, LookupError):
            continue
    return data.decode("cp1252", "replace")


def _bomb(what: str) -> EpisodeError:
    return EpisodeError(
        f"xml-bomb: {what} declares XML entities, which can grow without end; it is refused; ask the publisher"
    )
