"""In which encoding a customer file is written, judged by its beginning."""

import codecs
from typing import NamedTuple

from charset_normalizer import from_bytes

from touchstone.errors import UsageError

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_LIKELY = (
    # What exports of customer systems are written in; without a list, short files are taken for the oddest ones.
    "cp1252",
    "cp1250",
    "cp1251",
    "cp1253",
    "cp1254",
    "koi8_r",
    "shift_jis",
    "euc_jp",
    "gb18030",
    "big5",
    "euc_kr",
    "utf_16_le",
    "utf_16_be",
)
_FALLBACK = "cp1252"


class Encoding(NamedTuple):
    """The name of an encoding, and whether it is no more than likely."""

    name: str
    is_guess: bool


def encoding_of(beginning: bytes, stated: str | None) -> Encoding:
    """The stated encoding; else what a byte order mark says, UTF-8 where the beginning reads as such, or the likeliest.

    Raises:
        UsageError: there is no encoding of the stated name.
    """
    if stated is not None:
        return Encoding(_known(stated, beginning), is_guess=False)
    for mark, name in _MARKS:
        if beginning.startswith(mark):
            return Encoding(name, is_guess=False)
    if b"\x00" not in beginning:
        try:
            codecs.getincrementaldecoder("utf-8")().decode(beginning)  # the beginning may end inside a character
        except UnicodeDecodeError:
            pass
        else:
            return Encoding("utf-8", is_guess=False)
    likeliest = from_bytes(beginning, cp_isolation=list(_LIKELY)).best()
    if likeliest is None or _FALLBACK in likeliest.could_be_from_charset:  # of several that give the same text the usual one
        return Encoding(_FALLBACK, is_guess=True)
    return Encoding(likeliest.encoding, is_guess=True)


def _known(name: str, beginning: bytes) -> str:
    try:
        known = codecs.lookup(name).name
        "".encode(known)  # base64 and the like are codecs, too, but no encodings
    except (LookupError, ValueError):
        raise UsageError(f"there is no encoding {name!r}; expected a name such as utf-8, cp1252, iso8859-15, utf-16") from None
    return "utf-8-sig" if known == "utf-8" and beginning.startswith(codecs.BOM_UTF8) else known
