"""The media type that the name of a file tells, by a table of our own: the same answer on each machine.

The names are IANA's (https://www.iana.org/assignments/media-types) where there is one. ``mimetypes`` of the standard
library would read the machine's tables, of which some take the ``.ts`` of a video for Qt's translations.
"""

from __future__ import annotations

import json
from pathlib import PurePath

_SUFFIXES = {
    # pages
    "text/html": "html htm",
    "application/xhtml+xml": "xhtml xht",
    "text/css": "css",
    "text/javascript": "js mjs cjs",
    "application/wasm": "wasm",
    "application/manifest+json": "webmanifest",
    "text/cache-manifest": "appcache",
    # data
    "application/json": "json map",
    "application/ld+json": "jsonld",
    "application/geo+json": "geojson",
    "application/x-ndjson": "ndjson jsonl",
    "application/xml": "xml xsd xsl rng wsdl",
    "application/rdf+xml": "rdf",
    "application/rss+xml": "rss",
    "application/atom+xml": "atom",
    "application/xslt+xml": "xslt",
    "application/yaml": "yaml yml",
    "application/toml": "toml",
    "application/sql": "sql",
    "application/cbor": "cbor",
    "application/vnd.sqlite3": "sqlite sqlite3",
    "text/csv": "csv",
    "text/tab-separated-values": "tsv",
    "text/turtle": "ttl",
    "text/calendar": "ics",
    "text/vcard": "vcf vcard",
    "application/gpx+xml": "gpx",
    "application/vnd.google-earth.kml+xml": "kml",
    # text
    "text/plain": "txt text log conf cfg ini env diff patch srt c h cc cpp hpp cs java kt go rs rb pl lua sh bat ps1 "
    "mts cts tsx jsx vue scss sass less",
    "text/markdown": "md markdown",
    "text/x-python": "py pyi",
    "text/x-rst": "rst",
    "application/rtf": "rtf",
    "message/rfc822": "eml mht mhtml",
    # pictures
    "image/png": "png",
    "image/apng": "apng",
    "image/jpeg": "jpg jpeg jpe jfif",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/avif": "avif",
    "image/svg+xml": "svg",
    "image/x-icon": "ico cur",
    "image/bmp": "bmp dib",
    "image/tiff": "tif tiff",
    "image/heic": "heic",
    "image/heif": "heif",
    "image/jxl": "jxl",
    "image/jp2": "jp2",
    "image/vnd.adobe.photoshop": "psd",
    "image/x-portable-anymap": "pnm",
    "image/x-portable-bitmap": "pbm",
    "image/x-portable-graymap": "pgm",
    "image/x-portable-pixmap": "ppm",
    # sound and video
    "audio/mpeg": "mp3 mp2 mpga",
    "audio/mp4": "m4a m4b",
    "audio/aac": "aac adts",
    "audio/ogg": "oga ogg spx",
    "audio/opus": "opus",
    "audio/flac": "flac",
    "audio/x-wav": "wav",
    "audio/x-aiff": "aif aiff aifc",
    "audio/basic": "au snd",
    "audio/midi": "mid midi",
    "audio/webm": "weba",
    "video/mp4": "mp4 m4v m4s",
    "video/mpeg": "mpg mpeg mpe m1v m2v",
    "video/mp2t": "ts m2t m2ts",
    "video/webm": "webm",
    "video/ogg": "ogv",
    "video/quicktime": "mov qt",
    "video/x-msvideo": "avi",
    "video/x-matroska": "mkv",
    "video/x-flv": "flv",
    "video/3gpp": "3gp 3gpp",
    "video/3gpp2": "3g2 3gpp2",
    "application/ogg": "ogx",
    "application/vnd.apple.mpegurl": "m3u8 m3u",
    "application/dash+xml": "mpd",
    "text/vtt": "vtt",
    # fonts and models
    "font/woff": "woff",
    "font/woff2": "woff2",
    "font/ttf": "ttf",
    "font/otf": "otf",
    "font/collection": "ttc",
    "application/vnd.ms-fontobject": "eot",
    "model/gltf+json": "gltf",
    "model/gltf-binary": "glb",
    "model/obj": "obj",
    "model/mtl": "mtl",
    "model/stl": "stl",
    # documents
    "application/pdf": "pdf",
    "application/postscript": "ps eps ai",
    "application/epub+zip": "epub",
    "application/msword": "doc dot",
    "application/vnd.ms-excel": "xls xlt",
    "application/vnd.ms-powerpoint": "ppt pps pot",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    "application/vnd.oasis.opendocument.text": "odt",
    "application/vnd.oasis.opendocument.spreadsheet": "ods",
    "application/vnd.oasis.opendocument.presentation": "odp",
    # archives and programs
    "application/zip": "zip",
    "application/gzip": "gz tgz svgz",
    "application/x-bzip2": "bz2 tbz2",
    "application/x-xz": "xz txz",
    "application/zstd": "zst",
    "application/x-tar": "tar",
    "application/x-7z-compressed": "7z",
    "application/vnd.rar": "rar",
    "application/java-archive": "jar",
    "application/vnd.android.package-archive": "apk",
    "application/vnd.debian.binary-package": "deb",
    "application/x-rpm": "rpm",
    "application/vnd.tcpdump.pcap": "pcap cap",
    "application/x-pem-file": "pem",
    "application/pkix-cert": "cer",
    "application/x-x509-ca-cert": "crt der",
    "application/pkix-crl": "crl",
    "application/x-pkcs12": "p12 pfx",
}

_TYPES = {suffix: kind for kind, suffixes in _SUFFIXES.items() for suffix in suffixes.split()}


def suffix_of(kind: str) -> str:
    """The usual suffix of files of a media type, with its dot; empty for an unknown type."""
    suffixes = _SUFFIXES.get(kind, "").split()
    return f".{suffixes[0]}" if suffixes else ""


def type_of(name: str) -> str:
    """The media type of the file ``name``, as Content-Type has it: text is taken for UTF-8.

    Of ``a.css.gz`` it is that of the archive. ``.ts`` is video in MPEG's transport stream, which players of ``.m3u8``
    fetch, not TypeScript, which no browser runs.
    """
    kind = _TYPES.get(PurePath(name).suffix[1:].lower(), "application/octet-stream")
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind


def of_text(text: str) -> str:
    """The media type of a body that somebody typed: JSON, or plain text."""
    if text.lstrip()[:1] in ("{", "["):
        try:
            json.loads(text)
        except (ValueError, RecursionError):
            pass
        else:
            return "application/json"
    return "text/plain; charset=utf-8"
