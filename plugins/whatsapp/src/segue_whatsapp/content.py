"""From a message to the body of a call of ``messages``.

https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages and
https://developers.facebook.com/docs/whatsapp/cloud-api/guides/send-message-templates
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from segue.api import Message
from segue.api.sms import parse_number
from segue_whatsapp.config import LANGUAGE

LONGEST_TEXT: Final = 4_096
"""Characters of a text message."""
BODY_PARAMETERS: Final = tuple(f"body_{n}" for n in range(1, 13))
BUTTONS: Final = tuple(f"button_{n}" for n in range(1, 4))
MEDIA: Final = ("header_image", "header_video", "header_document")

_TEMPLATE: Final = re.compile(r"[a-z0-9_]{1,512}")


class ContentError(ValueError):
    """This content cannot go; the text says why."""


def body_of(message: Message, language: str | None) -> bytes:
    """The JSON to post. Raises ContentError, and NumberError of `segue.api.sms` for an address that is no number."""
    content = {name: part.strip() for name, part in message.content.items()}
    call: dict[str, Any] = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": parse_number(message.address),
        # Meta says it again in each report, and so a report finds its message also where the answer was lost.
        "biz_opaque_callback_data": message.key,
    }
    if content.get("template"):
        call |= {"type": "template", "template": _template(content, language or _language_of(message.locale))}
    else:
        call |= {"type": "text", "text": {"body": _text(content), "preview_url": False}}
    try:
        return msgspec.json.encode(call)
    except UnicodeEncodeError:
        raise ContentError("the content contains half a character (a lone surrogate)") from None


def _language_of(locale: str) -> str:
    """A language as WhatsApp writes it (``pt_BR``), for one of BCP 47 (``pt-BR``, ``zh-Hans-CN``)."""
    language, *others = re.split(r"[-_]", locale)
    country = next((one for one in others if len(one) == 2 and one.isalpha()), "")
    code = f"{language.lower()}_{country.upper()}" if country else language.lower()
    return code if LANGUAGE.fullmatch(code) is not None else "en"


def _text(content: Mapping[str, str]) -> str:
    text = content.get("text", "")
    if not text:
        raise ContentError("there is neither a template nor a text: name a template in the front matter")
    if len(text) > LONGEST_TEXT:
        raise ContentError(f"the text has {len(text):,} characters, and WhatsApp takes {LONGEST_TEXT:,}: shorten it")
    given = [name for name in (*BODY_PARAMETERS, *BUTTONS, *MEDIA, "header") if name in content]
    if given:
        raise ContentError(f"{given[0]} is for a template, and the message names none")
    return text


def _template(content: Mapping[str, str], language: str) -> dict[str, Any]:
    name = content["template"]
    if _TEMPLATE.fullmatch(name) is None:
        raise ContentError(f"template is {name[:60]!r}: a template's name has small letters, digits and _")
    code = content.get("language") or language
    if LANGUAGE.fullmatch(code) is None:
        raise ContentError(f"language is {code[:20]!r}: write en, en_US, pt_BR as the template was approved")
    components = [*_header(content), *_body(content), *_buttons(content)]
    template: dict[str, Any] = {"name": name, "language": {"code": code, "policy": "deterministic"}}
    return template | ({"components": components} if components else {})


def _header(content: Mapping[str, str]) -> list[dict[str, Any]]:
    parameters: list[dict[str, Any]] = []
    if "header" in content:
        parameters.append({"type": "text", "text": _parameter("header", content)})
    for name in MEDIA:
        if name in content:
            kind = name.removeprefix("header_")
            link = content[name]
            if not link.startswith("https://"):
                raise ContentError(f"{name} is {link[:60]!r}: write an https: address, from which Meta fetches it")
            parameters.append({"type": kind, kind: {"link": link}})
    if len(parameters) > 1:
        raise ContentError("a template has one header: give one of header, header_image, header_video, header_document")
    return [{"type": "header", "parameters": parameters}] if parameters else []


def _body(content: Mapping[str, str]) -> list[dict[str, Any]]:
    given = [name for name in BODY_PARAMETERS if name in content]
    for expected, name in zip(BODY_PARAMETERS, given, strict=False):
        if name != expected:
            raise ContentError(f"{expected} is missing, and {name} is there: a template's parameters have no gaps")
    parameters = [{"type": "text", "text": _parameter(name, content)} for name in given]
    return [{"type": "body", "parameters": parameters}] if parameters else []


def _buttons(content: Mapping[str, str]) -> list[dict[str, Any]]:
    """What is added to the address of a button; buttons are counted from 1 here, and from 0 by Meta."""
    return [
        {
            "type": "button",
            "sub_type": "url",
            "index": str(index),
            "parameters": [{"type": "text", "text": _parameter(name, content)}],
        }
        for index, name in enumerate(BUTTONS)
        if name in content
    ]


def _parameter(name: str, content: Mapping[str, str]) -> str:
    """A value for a template: Meta refuses empty ones, line breaks, tabs and runs of spaces."""
    value = " ".join(content[name].split())
    if not value:
        raise ContentError(f"{name} is empty, and a template takes no empty value: give it a default")
    return value
