"""What all channels that carry SMS have in common: alphabets, parts, numbers, senders, and words such as STOP.

Pure functions, which checks of messages use as well: ``split_text(text).count`` is what the operator charges for.
"""

from segue.api.sms.alphabet import Alphabet, alphabet_of, decode_gsm, encode_gsm, outside_gsm
from segue.api.sms.keywords import Keyword, read_keyword
from segue.api.sms.numbers import NumberError, country_of, parse_number
from segue.api.sms.parts import Parts, TextError, count_parts, readable_text, split_text
from segue.api.sms.senders import check_sender, check_senders, sender_for
from segue.api.sms.transliteration import Transliteration, transliterate

__all__ = [
    "Alphabet",
    "Keyword",
    "NumberError",
    "Parts",
    "TextError",
    "Transliteration",
    "alphabet_of",
    "check_sender",
    "check_senders",
    "count_parts",
    "country_of",
    "decode_gsm",
    "encode_gsm",
    "outside_gsm",
    "parse_number",
    "read_keyword",
    "readable_text",
    "sender_for",
    "split_text",
    "transliterate",
]
