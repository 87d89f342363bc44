"""The language server as an editor meets it: the installed command, over standard input and output."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from segue.lsp.server import RulesServer
from tests.lsp.desk import CARTS, WORDS, project
from tests.lsp.editor import Editor

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def session(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Editor]:
    """One server for all tests of this module, each with a project of its own: it has to bear that too."""
    editor = Editor(project(tmp_path_factory.mktemp("first")))
    await editor.start([editor.root])
    yield editor
    assert await editor.stop() == 0
    assert editor.errors == []


@pytest.fixture
def editor(session: Editor, tmp_path: Path) -> Editor:
    """The editor, in a new project."""
    session.root = project(tmp_path)
    return session


async def labels(editor: Editor, path: Path) -> list[str]:
    found = await editor.client.text_document_completion_async(
        lsp.CompletionParams(editor.document(path), editor.end(path))
    )
    assert isinstance(found, lsp.CompletionList)
    return [item.label for item in found.items]


async def test_mistakes_arrive_while_typing_and_go_again(editor: Editor) -> None:
    path = editor.open("rules/carts.rules")
    assert await editor.codes(path) == []
    editor.type(path, CARTS.replace("unless ordered", "unless orderd"))
    (wrong,) = await editor.diagnostics(path)
    assert wrong.code == "E0301"
    assert wrong.severity == lsp.DiagnosticSeverity.Error
    assert wrong.range.start == lsp.Position(4, 17)
    assert wrong.range.end == lsp.Position(4, 23)
    assert "did you mean `ordered`?" in wrong.message
    assert wrong.code_description is not None
    assert wrong.code_description.href.endswith("E0301.md")
    editor.type(path, CARTS)
    assert await editor.codes(path) == []


async def test_a_change_in_one_file_is_told_in_another(editor: Editor) -> None:
    words = editor.open("rules/words.rules")
    carts = editor.root / "rules/carts.rules"
    await editor.diagnostics(words)
    editor.type(words, WORDS.replace("event returned", "event sent_back").replace("where returned", "where sent_back"))
    assert await editor.codes(carts) == ["E0301"]
    editor._told[carts].clear()
    editor.type(words, WORDS)
    assert await editor.codes(carts) == []


async def test_a_mistake_points_at_what_explains_it(editor: Editor) -> None:
    path = editor.open("rules/more.rules", 'rule cart_recovery\n  when ordered\n  send email "welcome"\n')
    await editor.diagnostics(path)
    told = [one for found in editor.said.values() for one in found if one.code == "E0307"]
    assert len(told) == 1
    assert told[0].related_information is not None
    assert told[0].related_information[0].location.uri.endswith(".rules")


async def test_the_fix_of_a_mistake_gives_a_clean_file(editor: Editor) -> None:
    path = editor.open("rules/carts.rules", CARTS.replace("unless ordered", "unless orderd"))
    (wrong,) = await editor.diagnostics(path)
    actions = await editor.client.text_document_code_action_async(
        lsp.CodeActionParams(editor.document(path), wrong.range, lsp.CodeActionContext([wrong]))
    )
    assert actions
    fix = next(one for one in actions if isinstance(one, lsp.CodeAction) and one.is_preferred)
    assert fix.title == "Write `ordered`"
    assert fix.edit is not None
    assert fix.edit.changes is not None
    editor.type(path, editor.applied(path, list(fix.edit.changes[editor.uri(path)])))
    assert editor.texts[path] == CARTS
    assert await editor.codes(path) == []


async def test_an_unknown_event_can_be_declared(editor: Editor) -> None:
    path = editor.open("rules/carts.rules", CARTS.replace("or returned", "or boiler_serviced"))
    (wrong,) = await editor.diagnostics(path)
    actions = await editor.client.text_document_code_action_async(
        lsp.CodeActionParams(editor.document(path), wrong.range, lsp.CodeActionContext([wrong]))
    )
    declare = next(one for one in actions or () if isinstance(one, lsp.CodeAction) and one.title.startswith("Declare"))
    assert declare.edit is not None
    assert declare.edit.changes is not None
    editor.type(path, editor.applied(path, list(declare.edit.changes[editor.uri(path)])))
    assert await editor.codes(path) == []


async def test_completion_follows_what_is_typed(editor: Editor) -> None:
    path = editor.open("rules/new.rules", "when ordered send ")
    assert await labels(editor, path) == ["email", "sms", "preferred"]
    editor.type(path, "when ordered where customer.ti")
    found = await editor.client.text_document_completion_async(
        lsp.CompletionParams(editor.document(path), editor.end(path))
    )
    assert isinstance(found, lsp.CompletionList)
    tier = next(item for item in found.items if item.label == "tier")
    assert isinstance(tier.text_edit, lsp.TextEdit)
    assert editor.applied(path, [tier.text_edit]) == "when ordered where customer.tier"


async def test_hover_says_what_a_word_means(editor: Editor) -> None:
    path = editor.open("rules/carts.rules")
    found = await editor.client.text_document_hover_async(
        lsp.HoverParams(editor.document(path), editor.position(path, "returned"))
    )
    assert found is not None
    assert isinstance(found.contents, lsp.MarkupContent)
    assert "Return Requested" in found.contents.value


async def test_a_rename_changes_both_files_and_leaves_no_mistake(editor: Editor) -> None:
    carts = editor.open("rules/carts.rules")
    words = editor.root / "rules/words.rules"
    place = editor.position(carts, "returned")
    prepared = await editor.client.text_document_prepare_rename_async(
        lsp.PrepareRenameParams(editor.document(carts), place)
    )
    assert isinstance(prepared, lsp.PrepareRenamePlaceholder)
    assert prepared.placeholder == "returned"
    edit = await editor.client.text_document_rename_async(lsp.RenameParams(editor.document(carts), place, "sent_back"))
    assert edit is not None
    assert edit.changes is not None
    assert set(edit.changes) == {editor.uri(carts), editor.uri(words)}
    await editor.diagnostics(carts)
    editor.open("rules/words.rules", editor.applied(words, list(edit.changes[editor.uri(words)])))
    editor.type(carts, editor.applied(carts, list(edit.changes[editor.uri(carts)])))
    assert await editor.codes(carts) == []
    assert "sent_back" in editor.texts[carts]


async def test_a_rename_that_would_break_something_is_refused_with_the_reason(editor: Editor) -> None:
    path = editor.open("rules/words.rules")
    asked = lsp.RenameParams(editor.document(path), editor.position(path, "returned"), "send")
    with pytest.raises(JsonRpcException, match="word of the language"):
        await editor.client.text_document_rename_async(asked)


async def test_a_message_is_renamed_with_its_folder(editor: Editor) -> None:
    path = editor.open("rules/carts.rules")
    asked = lsp.RenameParams(editor.document(path), editor.position(path, "cart_reminder"), "come_back")
    edit = await editor.client.text_document_rename_async(asked)
    assert edit is not None
    assert edit.document_changes is not None
    moved = [change for change in edit.document_changes if isinstance(change, lsp.RenameFile)]
    assert [change.new_uri for change in moved] == [editor.uri(editor.root / "rules/messages/come_back")]


async def test_formatting_is_the_formatter_s(editor: Editor) -> None:
    path = editor.open("rules/carts.rules", 'when   cart_abandoned wait 1d\n unless ordered send email "welcome"')
    edits = await editor.client.text_document_formatting_async(
        lsp.DocumentFormattingParams(editor.document(path), lsp.FormattingOptions(2, insert_spaces=True))
    )
    assert edits
    once = editor.applied(path, list(edits))
    assert once != editor.texts[path]
    editor.type(path, once)
    again = await editor.client.text_document_formatting_async(
        lsp.DocumentFormattingParams(editor.document(path), lsp.FormattingOptions(2, insert_spaces=True))
    )
    assert not again


async def test_one_can_go_to_a_definition_and_to_all_uses(editor: Editor) -> None:
    path = editor.open("rules/carts.rules")
    place = editor.position(path, "returned")
    found = await editor.client.text_document_definition_async(lsp.DefinitionParams(editor.document(path), place))
    assert isinstance(found, list)
    assert [(one.uri, one.range.start) for one in found if isinstance(one, lsp.Location)] == [
        (editor.uri(editor.root / "rules/words.rules"), lsp.Position(0, 6))
    ]
    uses = await editor.client.text_document_references_async(
        lsp.ReferenceParams(lsp.ReferenceContext(include_declaration=True), editor.document(path), place)
    )
    assert uses is not None
    assert [Path(one.uri).name for one in uses] == ["carts.rules", "words.rules", "words.rules", "words.rules"]


@pytest.mark.parametrize(("word", "target"), [("email", "segue.toml"), ("cart_reminder", "email.txt")])
async def test_channels_and_messages_lead_to_where_they_are_made(editor: Editor, word: str, target: str) -> None:
    path = editor.open("rules/carts.rules")
    found = await editor.client.text_document_definition_async(
        lsp.DefinitionParams(editor.document(path), editor.position(path, word))
    )
    assert isinstance(found, list)
    assert [Path(one.uri).name for one in found if isinstance(one, lsp.Location)] == [target]


async def test_a_file_has_an_outline_folds_and_colours(editor: Editor) -> None:
    path = editor.open("rules/carts.rules")
    document = editor.document(path)
    symbols = await editor.client.text_document_document_symbol_async(lsp.DocumentSymbolParams(document))
    assert symbols
    assert isinstance(symbols[0], lsp.DocumentSymbol)
    assert (symbols[0].name, symbols[0].detail) == ("cart_recovery", "Win back carts")
    assert [child.name for child in symbols[0].children or ()][-1] == 'send email "cart_reminder"'
    folds = await editor.client.text_document_folding_range_async(lsp.FoldingRangeParams(document))
    assert folds
    assert (folds[0].start_line, folds[0].end_line) == (0, 5)
    tokens = await editor.client.text_document_semantic_tokens_full_async(lsp.SemanticTokensParams(document))
    assert tokens is not None
    assert tokens.data
    assert len(tokens.data) % 5 == 0
    found = await editor.client.workspace_symbol_async(lsp.WorkspaceSymbolParams("lapsed"))
    assert {one.name for one in found or ()} == {"lapsed"}


@pytest.mark.parametrize(
    "text",
    [
        'when "',
        "when a (((((",
        "\ufeffwhen ordered send “email”",
        "if " * 500,
        "when ordered\r\n\tsend \u202eemail\r\n",
        "\0",
    ],
)
async def test_no_text_ends_the_session(editor: Editor, text: str) -> None:
    path = editor.open("rules/odd.rules", text)
    await editor.diagnostics(path)
    document, place = editor.document(path), lsp.Position(0, 3)
    await editor.client.text_document_completion_async(lsp.CompletionParams(document, place))
    await editor.client.text_document_hover_async(lsp.HoverParams(document, place))
    await editor.client.text_document_document_symbol_async(lsp.DocumentSymbolParams(document))
    await editor.client.text_document_semantic_tokens_full_async(lsp.SemanticTokensParams(document))
    editor.type(path, CARTS.replace("cart_recovery", "other"))
    assert await editor.codes(path) == []


async def test_a_lone_file_without_settings_or_folder_is_helped_too(session: Editor, tmp_path: Path) -> None:
    session.root = tmp_path.resolve()
    (session.root / "a.rules").write_text("when orderd send email\n")
    path = session.open("a.rules")
    assert await session.codes(path) == ["E0301"]


async def test_a_folder_that_is_no_project_is_not_searched_for_rules(tmp_path: Path) -> None:
    root = tmp_path.resolve()
    (root / "deep").mkdir()
    server = RulesServer()
    server.folders = [root]
    assert not server.draft(str(root / "a.rules")).whole
    (root / "shop/rules").mkdir(parents=True)
    server.folders = [root / "shop"]
    draft = server.draft(str(root / "shop/rules/a.rules"))
    assert draft.whole
    assert server.draft(str(root / "shop/rules/more/b.rules")) is draft
    assert server.draft(str(root / "shop/c.rules")) is not draft


async def test_settings_that_are_wrong_are_told_at_their_line(editor: Editor) -> None:
    settings = editor.root / "segue.toml"
    settings.write_text('currency = "EUR"\nzone = "Nowhere"\n')
    path = editor.open("rules/carts.rules", CARTS.replace("ordered", "orderd"))
    assert "E0301" in await editor.codes(path)
    (wrong,) = await editor.diagnostics(settings)
    assert wrong.range.start.line == 1


async def test_a_file_saved_elsewhere_is_read_again(editor: Editor) -> None:
    path = editor.open("rules/carts.rules")
    assert await editor.codes(path) == []
    editor._told[path].clear()
    (editor.root / "rules/words.rules").write_text("")
    change = lsp.FileEvent(editor.uri(editor.root / "rules/words.rules"), lsp.FileChangeType.Changed)
    editor.client.workspace_did_change_watched_files(lsp.DidChangeWatchedFilesParams([change]))
    assert await editor.codes(path) == ["E0301"]


async def test_a_plugin_that_talks_and_fails_harms_nothing(tmp_path: Path) -> None:
    site = tmp_path / "site"
    (site / "chatty-1.0.dist-info").mkdir(parents=True)
    (site / "chatty-1.0.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: chatty\nVersion: 1.0\n")
    (site / "chatty-1.0.dist-info/entry_points.txt").write_text("[segue]\nchatty = chatty\n")
    (site / "chatty.py").write_text("print('Content-Length: 1')\nraise RuntimeError('no such luck')\n")
    editor = Editor(project(tmp_path))
    await editor.start([editor.root], PYTHONPATH=str(site))
    try:
        path = editor.open("rules/carts.rules", CARTS.replace("unless ordered", "unless orderd"))
        assert await editor.codes(path) == ["E0301"]
    finally:
        assert await editor.stop() == 0
    assert "Content-Length: 1\n" in editor.errors


async def test_it_ends_as_it_is_told_to(tmp_path: Path) -> None:
    editor = Editor(project(tmp_path))
    result = await editor.start([editor.root])
    assert result.server_info is not None
    assert result.server_info.name == "segue"
    assert await editor.stop() == 0


async def test_a_thousand_lines_are_answered_while_one_types(editor: Editor) -> None:
    # Ten times what it takes, for machines that are busy with something else; `segue bench` has the figures.
    rules = "".join(CARTS.replace("cart_recovery", f"carts_{number}") + "\n" for number in range(150))
    assert rules.count("\n") > 1000
    path = editor.open("rules/many.rules", rules)
    await editor.diagnostics(path)
    taken = []
    for number in range(10):
        editor.type(path, rules + "#" * number)
        start = time.perf_counter()
        await editor.client.text_document_completion_async(
            lsp.CompletionParams(editor.document(path), lsp.Position(500, 8))
        )
        taken.append(time.perf_counter() - start)
    assert sorted(taken)[5] < 0.5
