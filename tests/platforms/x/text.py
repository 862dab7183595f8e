"""How X reads a text: its weighted length, its URLs, its mentions, and how the API gives it back.

The weights are those of twitter-text's published configuration, version 3: 280 in all, a URL 23, an emoji sequence 2,
code points of the four ranges 1, all others 2, counted on NFC.
"""

import hashlib
import unicodedata
from dataclasses import dataclass

import regex

WEIGHT_MAX = 280
URL_WEIGHT = 23
EMOJI_WEIGHT = 2
LIGHT_RANGES = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))

_COUNTRY = (
    "ac|ad|ae|af|ag|ai|al|am|ao|aq|ar|as|at|au|aw|ax|az|ba|bb|bd|be|bf|bg|bh|bi|bj|bm|bn|bo|br|bs|bt|bw|by|bz|ca|cc|cd"
    "|cf|cg|ch|ci|ck|cl|cm|cn|co|cr|cu|cv|cw|cx|cy|cz|de|dj|dk|dm|do|dz|ec|ee|eg|er|es|et|eu|fi|fj|fk|fm|fo|fr|ga|gb|gd"
    "|ge|gf|gg|gh|gi|gl|gm|gn|gp|gq|gr|gs|gt|gu|gw|gy|hk|hm|hn|hr|ht|hu|id|ie|il|im|in|io|iq|ir|is|it|je|jm|jo|jp|ke|kg"
    "|kh|ki|km|kn|kp|kr|kw|ky|kz|la|lb|lc|li|lk|lr|ls|lt|lu|lv|ly|ma|mc|md|me|mg|mh|mk|ml|mm|mn|mo|mp|mq|mr|ms|mt|mu|mv"
    "|mw|mx|my|mz|na|nc|ne|nf|ng|ni|nl|no|np|nr|nu|nz|om|pa|pe|pf|pg|ph|pk|pl|pm|pn|pr|ps|pt|pw|py|qa|re|ro|rs|ru|rw|sa"
    "|sb|sc|sd|se|sg|sh|si|sk|sl|sm|sn|so|sr|ss|st|su|sv|sx|sy|sz|tc|td|tf|tg|th|tj|tk|tl|tm|tn|to|tr|tt|tv|tw|tz|ua|ug"
    "|uk|us|uy|uz|va|vc|ve|vg|vi|vn|vu|wf|ws|ye|yt|za|zm|zw"
)
_GENERIC = (
    "com|net|org|info|biz|edu|gov|int|mil|mobi|name|aero|asia|cat|coop|jobs|museum|post|pro|tel|travel|academy|agency"
    "|app|art|bank|bar|berlin|bio|blog|business|cafe|care|cash|center|chat|city|cloud|club|company|computer|design|dev"
    "|digital|email|energy|events|express|family|finance|fun|games|global|group|guru|health|help|host|hotel|insurance"
    "|kitchen|law|life|link|live|loan|ltd|market|media|money|network|news|ninja|one|online|page|photo|press|radio|rent"
    "|repair|restaurant|review|rocks|sale|school|services|shop|site|social|software|solutions|space|store|studio"
    "|support|systems|team|tech|today|tools|top|tours|training|tube|vip|watch|web|website|wiki|work|world|wtf|xyz|zone"
)
_LABEL = r"[\p{L}\p{N}](?:[\p{L}\p{N}_-]{0,61}[\p{L}\p{N}])?"
_PATH = r"(?:[/?#](?:[^\s<>\"]*[^\s<>\".,;:!?)\]'])?)?"
_URL = regex.compile(
    rf"(?<![\p{{L}}\p{{N}}@$#_.-])(?:https?://(?:{_LABEL}\.)+\p{{L}}{{2,}}(?::\d+)?{_PATH}"
    rf"|(?:{_LABEL}\.)+(?:{_GENERIC}|{_COUNTRY})(?![\p{{L}}\p{{N}}@_-])(?::\d+)?{_PATH})",
    regex.IGNORECASE,
)
_MENTION = regex.compile(r"(?<![A-Za-z0-9_@])@([A-Za-z0-9_]{1,15})(?![A-Za-z0-9_@])")
_EMOJI = regex.compile(
    r"\p{Emoji_Presentation}|\p{Extended_Pictographic}\uFE0F|\p{Extended_Pictographic}.*\u200D|[0-9#*]\uFE0F?\u20E3"
    r"|\p{Regional_Indicator}{2}"
)


@dataclass(frozen=True, slots=True)
class Link:
    """A URL in a text: `start` and `end` are code points."""

    start: int
    end: int
    url: str


def links(text: str) -> list[Link]:
    """The URLs of a text, with or without a scheme."""
    return [Link(m.start(), m.end(), m.group()) for m in _URL.finditer(text)]


def mentioned_names(text: str) -> list[str]:
    """The user names that a text @mentions, in lower case, in order, each once."""
    return list(dict.fromkeys(name.lower() for name in _MENTION.findall(text)))


def mention_spans(text: str) -> list[tuple[int, int, str]]:
    """Start, end and user name of each mention."""
    return [(m.start(), m.end(), m.group(1)) for m in _MENTION.finditer(text)]


def weighted_length(text: str) -> int:
    """X's length of a text; at most `WEIGHT_MAX` may be posted."""
    text = unicodedata.normalize("NFC", text)
    total, at = 0, 0
    for link in links(text):
        total += _weight(text[at : link.start]) + URL_WEIGHT
        at = link.end
    return total + _weight(text[at:])


def _weight(text: str) -> int:
    total = 0
    for cluster in regex.findall(r"\X", text):
        if _EMOJI.match(cluster):
            total += EMOJI_WEIGHT
        else:
            total += sum(1 if any(a <= ord(c) <= b for a, b in LIGHT_RANGES) else 2 for c in cluster)
    return total


def cut(text: str, weight: int) -> str:
    """The longest start of a text, in whole grapheme clusters, of at most this weight."""
    kept = ""
    used = 0
    for cluster in regex.findall(r"\X", text):
        used += _weight(cluster)
        if used > weight:
            break
        kept += cluster
    return kept


def short_url(url: str) -> str:
    """The t.co link that X puts in the place of a URL."""
    digest = int.from_bytes(hashlib.sha256(url.encode()).digest()[:8])
    alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    code = ""
    for _ in range(10):
        digest, letter = divmod(digest, len(alphabet))
        code += alphabet[letter]
    return f"https://t.co/{code}"


def shorten(text: str) -> tuple[str, list[tuple[str, str]]]:
    """The text with every URL as t.co link, and the pairs (short, original)."""
    parts, pairs, at = [], [], 0
    for link in links(text):
        short = link.url if link.url.startswith("https://t.co/") else short_url(link.url)
        parts += [text[at : link.start], short]
        pairs.append((short, link.url))
        at = link.end
    return "".join([*parts, text[at:]]), pairs


def escape(text: str) -> str:
    """The three escapes that X's texts arrive with."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
