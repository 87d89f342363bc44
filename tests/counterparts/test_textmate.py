"""The TextMate grammar in the engine of Visual Studio Code: npm vscode-textmate and vscode-oniguruma."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.counterparts.missing import reported_when_missing
from tests.counterparts.process import CounterpartMissing, require
from tests.lsp.lexed import Class, corpus, lexed
from tests.shape.repository import ROOT

PACKAGES = ("vscode-textmate", "vscode-oniguruma")
GRAMMAR = ROOT / "docs/editors/vscode/syntaxes/segue.tmLanguage.json"
NODE = r"""
const fs = require('fs')
const { Registry, parseRawGrammar, INITIAL } = require('vscode-textmate')
const oniguruma = require('vscode-oniguruma')
const [grammarFile, textsFile] = process.argv.slice(2)
async function main() {
  const wasm = fs.readFileSync(require.resolve('vscode-oniguruma/release/onig.wasm'))
  await oniguruma.loadWASM(wasm.buffer.slice(wasm.byteOffset, wasm.byteOffset + wasm.byteLength))
  const onigLib = Promise.resolve({
    createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
    createOnigString: (text) => new oniguruma.OnigString(text),
  })
  const loadGrammar = async () => parseRawGrammar(fs.readFileSync(grammarFile, 'utf8'), grammarFile)
  const grammar = await new Registry({ onigLib, loadGrammar }).loadGrammar('source.segue')
  const found = {}
  for (const [name, text] of Object.entries(JSON.parse(fs.readFileSync(textsFile, 'utf8')))) {
    let stack = INITIAL
    found[name] = text.split('\n').map((line) => {
      const result = grammar.tokenizeLine(line, stack)
      stack = result.ruleStack
      return result.tokens.map((token) => [token.startIndex, token.endIndex, token.scopes[token.scopes.length - 1]])
    })
  }
  process.stdout.write(JSON.stringify(found))
}
main()
"""


@pytest.fixture(scope="module")
def scopes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[list[tuple[int, int, str]]]]:
    """For each text and line, the scopes that the engine gives."""
    folder = tmp_path_factory.mktemp("textmate")
    (folder / "tokens.js").write_text(NODE, "utf-8")
    (folder / "package.json").write_text('{"private": true}', "utf-8")
    (folder / "texts.json").write_text(json.dumps(dict(corpus())), "utf-8")
    with reported_when_missing():
        node = require("node", "nodejs")
        npm = require("npm", "npm")
        command = [npm, "install", "--no-audit", "--no-fund", "--loglevel=error", *PACKAGES]
        installed = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=100, check=False)
        if installed.returncode != 0:
            raise CounterpartMissing(f"npm install {' '.join(PACKAGES)} failed: {installed.stderr[-500:]}")
    asked = [node, "tokens.js", str(GRAMMAR), "texts.json"]
    result = subprocess.run(asked, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr
    found: dict[str, list[list[tuple[int, int, str]]]] = json.loads(result.stdout)
    return found


def class_of(scope: str) -> Class | None:
    for beginning, name in (
        ("comment", "comment"),
        ("string", "string"),
        ("constant.numeric", "number"),
        ("keyword.operator.segue", "operator"),
        # A type is a name that the grammar gives no word of its own.
        ("storage.type", "name"),
        ("variable", "name"),
        ("source.segue", "name"),
        ("keyword", "word"),
        ("constant.language", "word"),
    ):
        if scope.startswith(beginning):
            return name  # type: ignore[return-value]
    return None


def test_the_engine_sees_every_word_as_the_lexer_does(
    scopes: dict[str, list[list[tuple[int, int, str]]]], tmp_path: Path
) -> None:
    wrong = []
    for name, text in corpus():
        classes: list[Class | None] = []
        for line, tokens in zip(text.split("\n"), scopes[name], strict=True):
            of_line: list[Class | None] = [None] * (len(line) + 1)
            for start, end, scope in tokens:
                for place in range(start, min(end, len(line))):
                    of_line[place] = class_of(scope)
            classes += of_line
        for word in lexed(text):
            seen = {
                one for one, char in zip(classes[word.start : word.end], word.text, strict=True) if not char.isspace()
            }
            if seen != {word.kind}:
                wrong.append((name, word.text, word.kind, seen))
    assert wrong == []
