"""What every suite of the kit asks of a declaration and its configuration."""

from __future__ import annotations

import msgspec

STRANGE = "a_setting_that_nobody_has"


def require_config(config_type: type[msgspec.Struct], config: msgspec.Struct) -> None:
    """The configuration is of the declared type and survives being written down and read again."""
    assert isinstance(config, config_type), (
        f"make() returned a {type(config).__name__} as configuration; the declaration says {config_type.__name__}"
    )
    written = msgspec.to_builtins(config)
    again = msgspec.convert(written, config_type, strict=True)
    assert again == config, (
        f"the configuration changes when it is written down and read again: {config!r}, then {again!r}"
    )


def require_unknown_settings_refused(config_type: type[msgspec.Struct], config: msgspec.Struct) -> None:
    """A typing error in segue.toml must not pass unseen."""
    settings = {**msgspec.to_builtins(config), STRANGE: 1}
    try:
        msgspec.convert(settings, config_type, strict=True)
    except msgspec.ValidationError:
        pass
    else:
        raise AssertionError(f"{config_type.__name__} lets unknown settings pass; add forbid_unknown_fields=True to it")


def texts() -> tuple[str, ...]:
    """Contents that have broken senders before: scripts, emoji, empty, very long, control characters, markup."""
    return (
        "",
        "Hyvää päivää, Åsa! Ostoskorisi odottaa. €",
        "你好,世界 — مرحبا بالعالم — नमस्ते — שלום",
        "👩‍👩‍👧‍👦🏳️‍🌈 " * 50,
        "e\u0301" * 1000 + "\u202eesrever\u202c\u200b\ufeff",
        "x" * 100_000,
        "line\nline\r\nline\rline\u2028line\u0085line",
        "nul\0bell\x07escape\x1b[31m",
        "<script>alert(1)</script> {{ customer.secret }} ${HOME} %s %n '; DROP TABLE x; --",
        "lone surrogate \ud83d",
        ".\r\n.\r\nQUIT\r\n",
    )
