"""What encoding a file really has, and whether it is the agreed one.

Bytes in, text out. German files only: the candidates are those that German registers and offices write.
"""

from __future__ import annotations

import codecs

from orchestration.feeds.finding import Finding, structural

CANDIDATES = ["utf_8", "cp1252", "iso8859_15", "cp850", "utf_16"]
TITLES = {
    "utf_8": "UTF-8",
    "cp1252": "windows-1252",
    "iso8859_15": "ISO 8859-15",
    "cp850": "DOS (Codepage 850)",
    "utf_16": "UTF-16",
}
# Both spell German alike; the difference (€, „ “) does not occur in what is delivered.
ALIKE = {"iso8859_15": "cp1252", "iso8859_1": "cp1252"}
GERMAN_LETTERS = "äöüÄÖÜß"
SAMPLE_BYTES = 16_000


def detect(data: bytes) -> str | None:
    """The encoding's Python name; `ascii` when every encoding reads it alike; None when it is none of them."""
    if data.startswith(codecs.BOM_UTF8):
        return "utf_8" if _decodes(data, "utf_8") else None
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf_16"
    if _is_utf_16_without_bom(data):
        return "utf_16"
    if data.isascii():
        return "ascii"
    if _decodes(data, "utf_8"):
        return "utf_8"
    return _detect_single_byte(data)


def decode(data: bytes, agreed: str) -> tuple[str, list[Finding]]:
    """The text of `data` (without BOM) and, where the encoding is not the agreed one, the finding that says so."""
    actual = detect(data)
    if actual == "ascii":
        return data.decode("ascii"), []
    codec = "utf_8_sig" if agreed == "utf_8" else agreed
    if actual is not None and ALIKE.get(actual, actual) == ALIKE.get(agreed, agreed):
        if _decodes(data, codec):
            return data.decode(codec), []
        actual = None
    title = TITLES.get(agreed, agreed)
    finding = structural(
        "encoding_is_as_agreed",
        f"Die Zeichenkodierung der Datei ist {TITLES[actual]}"
        if actual
        else "Die Zeichenkodierung der Datei ist nicht erkennbar",
        f"Zeichenkodierung {title}",
        f"Bitte die Datei mit der Zeichenkodierung {title} neu ausgeben; Umlaute würden sonst verfälscht",
    )
    return "", [finding]


def _is_utf_16_without_bom(data: bytes) -> bool:
    """Western text in UTF-16 little endian: nearly every second byte is zero, and none of the others."""
    sample = data[:SAMPLE_BYTES]
    return sample[1::2].count(0) * 10 > len(sample[1::2]) * 9 and not sample[::2].count(0)


def _decodes(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _detect_single_byte(data: bytes) -> str | None:
    sample = _lines_with_umlauts(data)
    # German umlauts decide between windows and DOS; only a file without any needs a statistical guess.
    votes = {
        encoding: sum(sample.count(byte) for byte in GERMAN_LETTERS.encode(encoding))
        for encoding in ("cp1252", "cp850")
    }
    if votes["cp1252"] != votes["cp850"]:
        return max(votes, key=lambda encoding: votes[encoding])
    from charset_normalizer import from_bytes

    best = from_bytes(sample, cp_isolation=CANDIDATES).best()
    return best.encoding if best else None


def _lines_with_umlauts(data: bytes) -> bytes:
    lines: list[bytes] = []
    size = 0
    for line in data.splitlines():
        if not line.isascii():
            lines.append(line)
            size += len(line)
            if size > SAMPLE_BYTES:
                break
    return b"\n".join(lines)
