"""A preview as one page that needs nothing else: email in a sandboxed frame, SMS as bubbles, push as a card."""

from __future__ import annotations

from html import escape
from importlib.resources import files

from segue.cli.previews.gathering import Preview, Shown
from segue.cli.previews.terminal import facts


def page(preview: Preview) -> str:
    """The page, in HTML."""
    who = "a made-up customer" if preview.sample else str(preview.customer.get("id", ""))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        # Pictures of the message are fetched, and nothing runs.
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src https: http: data:; font-src https:; "
        "frame-src 'self'\">"
        f"<title>{escape(preview.message)}</title><style>{_style()}</style></head><body>"
        f'<h1>{escape(preview.message)}</h1><p class="soft">as {escape(who)} gets it; nothing was sent</p>'
        + "".join(map(_section, preview.shown))
        + "</body></html>\n"
    )


def _style() -> str:
    return files(__package__).joinpath("preview.css").read_text("utf-8")


def _section(one: Shown) -> str:
    got = f'<p class="got">this customer gets it: {escape(one.chosen)}</p>' if one.chosen else ""
    bad = f'<p class="bad">{escape(one.problem)}</p>' if one.problem else ""
    return (
        f"<section><h2>{escape(one.channel)} · {escape(one.locale or 'for everyone')}</h2>"
        f'<p class="soft">{escape(facts(one))}</p>{got}{bad}{_frames(one) if one.parts else ""}</section>'
    )


def _frames(one: Shown) -> str:
    aim = f' dir="{"rtl" if one.right_to_left else "ltr"}" lang="{escape(one.language)}"'
    text = one.parts.get("text", "")
    match one.medium:
        case "email":
            head = (
                f'<div class="head"{aim}><b>{escape(one.parts.get("subject", ""))}</b>'
                f'<span class="soft">{escape(one.parts.get("preview", ""))}</span></div>'
            )
            if "html" not in one.parts:
                body = f'<div class="plain"{aim}>{escape(text)}</div>'
                return f'<div class="frames"><div class="window desktop">{head}{body}</div></div>'
            frame = f'<iframe sandbox title="email" srcdoc="{escape(one.parts["html"])}"></iframe>'
            plain = f'<details><summary>as plain text</summary><div class="plain"{aim}>{escape(text)}</div></details>'
            return (
                f'<div class="frames"><div class="window desktop">{head}{frame}</div>'
                f'<div class="phone">{head}{frame}</div></div>{plain if text else ""}'
            )
        case "sms":
            texts = one.sms.texts if one.sms is not None else (text,)
            bubbles = "".join(f'<p class="bubble">{escape(part)}</p>' for part in texts)
            return f'<div class="frames"><div class="phone"><div class="chat"{aim}>{bubbles}</div></div></div>'
        case "push":
            card = f"<b>{escape(one.parts.get('title', ''))}</b>{escape(text)}"
            link = f'<p class="soft">{escape(one.parts["url"])}</p>' if "url" in one.parts else ""
            screen = f'<div class="screen"><div class="note"{aim}>{card}{link}</div></div>'
            return f'<div class="frames"><div class="phone">{screen}</div></div>'
        case _:
            rest = "".join(
                f'<p class="soft">{escape(name)}: {escape(value)}</p>'
                for name, value in one.parts.items()
                if name not in ("text", "html")
            )
            body = (
                f'<iframe sandbox title="content" srcdoc="{escape(one.parts["html"])}"></iframe>'
                if "html" in one.parts
                else f'<div class="plain"{aim}>{escape(text)}</div>'
            )
            return f'<div class="frames"><div class="window desktop"><div class="head">{rest}</div>{body}</div></div>'
