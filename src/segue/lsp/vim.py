"""Highlighting for Vim and Neovim, from the same table as the others (`segue.lsp.highlighting`).

A word that Vim knows as a keyword goes before any match or region that begins at the same place, hence what begins a
region is no keyword, and what comes after a word is found by looking back.
"""

from __future__ import annotations

from typing import Final

from segue.language.keywords import (
    CONSTANTS,
    HEADER_LINES,
    KEYWORDS,
    LOGICAL,
    OPENERS,
    PHRASES,
    POLICY_WORDS,
    STEPS,
    TOP_LEVEL,
    TYPES,
    WEEKDAYS,
)

_BEGIN_REGIONS: Final = {"policy", "event", "customer"}
_GROUPS: Final = (
    ("Declaration", "Keyword", TOP_LEVEL - _BEGIN_REGIONS),
    ("Step", "Statement", STEPS | OPENERS | {"else", "end", "unless"}),
    ("Constant", "Constant", {*CONSTANTS, *WEEKDAYS}),
    ("Logical", "Operator", set(LOGICAL)),
    ("Header", "PreProc", set(HEADER_LINES)),
)
_LINKS: Final = (
    *((group, link) for group, link, _ in _GROUPS),
    ("Word", "Special"),
    ("Type", "Type"),
    ("Number", "Number"),
    ("String", "String"),
    ("Comment", "Comment"),
    ("Operator", "Operator"),
)
_CLOCK: Final = r"\d\{1,2}:\d\{2}"
_PLACES: Final = {
    "NUMBER": r"\<\d\+",
    "CLOCK": _CLOCK,
    "ZONE": r"\u\a\+\%(\/\a[A-Za-z0-9_+-]*\)\+\|\<UTC\>",
}
_NUMBERS: Final = (
    r"\<\d\+\>",
    r"\<\d\+\.\d\+\>",
    r"\<\%(\d\+\%(mo\|min\|w\|d\|h\|s\)\)\+\>",
    r"\<\d\+\%(\.\d\+\)\?\s*\u\{3}\>",
    r"\<\d\+\%(\.\d\+\)\?%",
    rf"\<{_CLOCK}\>",
    r"\<\d\{4}-\d\{2}-\d\{2}\>",
)


def vim_files() -> dict[str, str]:
    """The files, by their path below a folder of Vim's `runtimepath`."""
    return {
        "ftdetect/segue.vim": (
            "\" The system's own *.rules (udev and the like) stay what they are.\n"
            "autocmd BufNewFile,BufRead *.rules if expand('<afile>:p') !~# '^/\\(etc\\|lib\\|usr\\)/'"
            " | set filetype=segue | endif\n"
        ),
        "ftplugin/segue.vim": (
            "setlocal commentstring=#\\ %s comments=:# expandtab shiftwidth=2 softtabstop=2\n"
            "let b:undo_ftplugin = 'setlocal commentstring< comments< expandtab< shiftwidth< softtabstop<'\n"
        ),
        "syntax/segue.vim": _syntax(),
    }


def _syntax() -> str:
    lines = [
        '" Segue rules. Written by `segue lsp --write-highlighting`; edits are lost.',
        "if exists('b:current_syntax')",
        "  finish",
        "endif",
        "syntax case match",
        "syntax iskeyword @,48-57,_,192-255",
        "",
        r"syntax match segueOperator /!=\|<=\|>=\|[=<>+*\/-]/",
        *(f"syntax match segueNumber /{pattern}/" for pattern in _NUMBERS),
    ]
    said: set[str] = set()
    for group, _, words in _GROUPS:
        lines.append(f"syntax keyword segue{group} {' '.join(sorted(words))}")
        said |= set(words)
    lines.append(f"syntax keyword segueWord {' '.join(sorted(KEYWORDS - said - _BEGIN_REGIONS))}")
    lines += [line for parts in PHRASES for line in _phrase(parts)]
    top = r"\|".join(sorted(TOP_LEVEL))
    ahead = rf"\%(\<\%({top}\)\>\)\@="
    types = r"\|".join(TYPES)
    policy = r"\|".join(POLICY_WORDS)
    lines += [
        rf"syntax match seguePolicyWord /\<\%({policy}\)\>/ contained",
        rf"syntax match segueType /\%(\k\+\s\+\)\@<=\%({types}\)\>/ contained",
        'syntax region segueString start=/"/ end=/"/ oneline',
        "syntax match segueComment /#.*$/ contains=@Spell",
        rf"syntax region seguePolicy matchgroup=segueDeclaration start=/\<policy\>/ end=/{ahead}/ "
        "contains=ALLBUT,segueType",
        rf"syntax region segueEvent matchgroup=segueDeclaration start=/\<event\>/ end=/{ahead}/ "
        "contains=ALLBUT,seguePolicyWord",
        r"syntax match segueDeclaration /\<customer\>/",
        rf"syntax region segueCustomer matchgroup=segueDeclaration start=/^\s*customer\ze\s*\%(#.*\)\?$/ end=/{ahead}/ "
        "contains=ALLBUT,seguePolicyWord",
        "",
        *(f"highlight default link segue{group} {link}" for group, link in _LINKS),
        "highlight default link seguePolicyWord Special",
        "",
        "syntax sync fromstart",
        "let b:current_syntax = 'segue'",
    ]
    return "\n".join(lines) + "\n"


def _phrase(parts: tuple[str, ...]) -> list[str]:
    """A match for each part that is no keyword by itself, by what stands before it, or after it for the first."""
    spelled = [_PLACES.get(part) or r"\<\%(" + part.replace("|", r"\|") + r"\)\>" for part in parts]
    lines = []
    for place, part in enumerate(parts):
        if part in ("NUMBER", "CLOCK") or set(part.split("|")) <= KEYWORDS:
            continue
        group = "segueConstant" if part == "ZONE" else "segueWord"
        if place:
            before = rf"\%({spelled[place - 1]}\s\+\)\@<="
            lines.append(f"syntax match {group} /{before}\\%({spelled[place]}\\)/")
        else:
            lines.append(f"syntax match {group} /{spelled[0]}\\%(\\s\\+{spelled[1]}\\)\\@=/")
    return lines
