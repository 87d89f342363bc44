"""The syntax file in Vim itself."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.counterparts.missing import reported_when_missing
from tests.counterparts.process import require
from tests.lsp.lexed import Class, corpus, lexed
from tests.shape.repository import ROOT

RUNTIME = ROOT / "docs/editors/vim"
# For each file: a line for each of its lines, with the group of each character's highlighting.
ASK = """\
filetype plugin on
syntax on
for file in glob('*.rules', 0, 1)
  execute 'edit ' . file
  let found = []
  for number in range(1, line('$'))
    let groups = []
    for column in range(1, strlen(getline(number)))
      call add(groups, synIDattr(synID(number, column, 1), 'name'))
    endfor
    call add(found, join(groups, ' '))
  endfor
  call writefile(found, file . '.groups')
endfor
quitall!
"""
CLASSES: dict[str, Class] = {
    "segueComment": "comment",
    "segueString": "string",
    "segueNumber": "number",
    "segueOperator": "operator",
    "segueType": "name",
    "": "name",
    "segueEvent": "name",
    "segueCustomer": "name",
    "seguePolicy": "name",
}


def test_vim_sees_every_word_as_the_lexer_does(tmp_path: Path) -> None:
    # Columns are bytes in Vim: texts in other alphabets are left to the other highlighters.
    texts = {f"{number}.rules": text for number, (_, text) in enumerate(corpus()) if text.isascii()}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "ask.vim").write_text(ASK)
    with reported_when_missing():
        vim = require("vim", "vim")
    # Quiet Vim waits for a key when a script goes wrong: the end of its input ends it.
    subprocess.run(
        [vim, "-Nu", "NONE", "-es", "--cmd", f"set runtimepath^={RUNTIME}", "-S", "ask.vim"],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )
    wrong = []
    for name, text in texts.items():
        classes: list[Class] = []
        for line, groups in zip(text.splitlines(), (tmp_path / f"{name}.groups").read_text().split("\n"), strict=False):
            classes += [CLASSES.get(group, "word") for group in groups.split(" ")][: len(line)] if line else []
            classes.append("name")
        for word in lexed(text):
            shown = zip(classes[word.start : word.end], word.text, strict=True)
            seen = {one for one, char in shown if not char.isspace()}
            if seen != {word.kind}:
                wrong.append((text.splitlines()[text.count("\n", 0, word.start)], word.text, word.kind, seen))
    assert wrong == []
