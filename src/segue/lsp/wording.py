"""Names in plain words: what each means, its fields, and who declares it."""

from __future__ import annotations

from pathlib import Path

from segue.language.occurrences import Meaning
from segue.language.vocabulary import EVERY_CHANNEL, EVERY_EVENT
from segue.lsp.draft import Draft

_KINDS = {
    "promotional": "a message that advertises: consent and policies decide whether it goes",
    "transactional": "a message about something the customer did: it passes all policies",
    "informational": "a message that informs without advertising",
}
_REACTIONS = {
    "opened": "the customer opened a message of this journey",
    "clicked": "the customer followed a link in a message of this journey",
    "replied": "the customer answered a message of this journey",
    "delivered": "the provider reports that a message of this journey arrived",
    "undelivered": "the provider reports that a message of this journey cannot arrive",
    "bounced": "the address of a message of this journey does not exist",
}


def describe(draft: Draft, meaning: Meaning, *, where: bool = True) -> tuple[str, str]:
    """A few words about a name, and a sentence or more in Markdown. ``where``: also the places of its declarations,
    for which the book must be read up to the last change."""
    lexicon, _ = draft.known() if where else draft.lately_known()
    name = meaning.name
    match meaning.what:
        case "event":
            sent = [sent for sent in lexicon.sent_names() if lexicon.event_sent_as(sent) == name and sent != name]
            doc = _doc_of_event(draft, name)
            said = f"Sources send it as {_or([f'“{one}”' for one in sorted(sent)])}." if sent else ""
            return "event", _join(doc, said, _by(draft, meaning, where))
        case "field":
            type_ = lexicon.fields(meaning.owner).get(name, "text")
            general = "Every event has it." if name in EVERY_EVENT else ""
            return f"{type_}, field of {meaning.owner}", _join(
                _doc_of_field(draft, meaning), general or _by(draft, meaning, where)
            )
        case "trait":
            return f"{lexicon.trait(name) or 'text'}, trait", _join(
                _doc_of_field(draft, meaning), _by(draft, meaning, where)
            )
        case "channel":
            return "channel", _channel(draft, name)
        case "reaction":
            sentence = _REACTIONS.get(name, "")
            reported = [channel for channel, words in lexicon.channels.items() if name in words.reactions]
            by = "Every channel may report it." if name in EVERY_CHANNEL else ""
            by = by or (f"Reported by {_and(sorted(reported))}." if reported else "No channel here reports it yet.")
            return "reaction", _join(f"{sentence[:1].upper()}{sentence[1:]}." if sentence else "", by)
        case "kind":
            return "kind of message", f"{_KINDS[name][:1].upper()}{_KINDS[name][1:]}." if name in _KINDS else ""
        case "message":
            return "message", _message(draft, name)
        case "segment" | "rule" | "arm":
            return meaning.what, _by(draft, meaning, where)


def fields_table(draft: Draft, event: str) -> str:
    """The fields of an event as a Markdown list."""
    lexicon, _ = draft.known()
    lines = []
    for name, type_ in lexicon.fields(event).items():
        if name not in EVERY_EVENT:
            doc = _doc_of_field(draft, Meaning("field", name, event))
            lines.append(f"- `{name}` {type_}" + (f": {doc}" if doc else ""))
    return "\n".join(lines) if lines else "It has no fields of its own."


def _channel(draft: Draft, name: str) -> str:
    spec, settings = draft.assembly.channels[name]
    by = draft.plugins.offered_by("channel", spec.name)
    served = f"Served by `{spec.name}`" + (f" from the plugin {by}." if by else ".")
    reactions = f"It reports {_and(sorted({*spec.reactions, *EVERY_CHANNEL}))}."
    consent = f"Consent: {settings.consent}." if settings.consent else ""
    return _join(spec.doc, served, reactions, consent)


def _message(draft: Draft, name: str) -> str:
    found: dict[str, list[str]] = {}
    for of, channel, locale in sorted(draft.content.templates, key=lambda key: (key[0], key[1], key[2] or "")):
        if of == name:
            found.setdefault(channel, []).append(locale or "any language")
    if not found:
        return "There is no content for it yet." if draft.whole else ""
    return "Content: " + "; ".join(f"{channel} ({', '.join(locales)})" for channel, locales in found.items()) + "."


def _by(draft: Draft, meaning: Meaning, where: bool) -> str:
    plugins = draft.brought_by(meaning)
    places = [
        f"{_short(draft, path)}:{draft.text(path).count(chr(10), 0, one.start) + 1}"
        for path, one in (draft.everywhere(meaning) if where else ())
        if one.defines
    ]
    return _join(
        f"Comes with the plugin {_and(list(plugins))}." if plugins else "",
        f"Declared in {_and(places)}." if places else "",
    )


def _short(draft: Draft, path: str) -> str:
    place = Path(path)
    return str(place.relative_to(draft.root)) if place.is_relative_to(draft.root) else place.name


def _doc_of_event(draft: Draft, name: str) -> str:
    docs = (event.doc for _, words in draft.plugins.vocabularies for event in words.events if event.name == name)
    return next((doc for doc in docs if doc), "")


def _doc_of_field(draft: Draft, meaning: Meaning) -> str:
    for _, words in draft.plugins.vocabularies:
        owners = [words.traits] if meaning.what == "trait" else []
        owners += [event.fields for event in words.events if meaning.what == "field" and event.name == meaning.owner]
        for fields in owners:
            for field in fields:
                if field.name == meaning.name and field.doc:
                    return field.doc
    return ""


def _join(*sentences: str) -> str:
    parts = [sentence.strip() for sentence in sentences if sentence.strip()]
    return " ".join(part if part.endswith((".", "!", "?")) else f"{part}." for part in parts)


def _and(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


def _or(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}" if words else ""
