// Starts `segue lsp` and lets Visual Studio Code speak to it.
const vscode = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

exports.activate = async function () {
  const command = vscode.workspace.getConfiguration("segue").get("command", "segue");
  const files = vscode.workspace.createFileSystemWatcher("**/{*.rules,segue.toml,messages/**}");
  client = new LanguageClient(
    "segue",
    "Segue",
    { command, args: ["lsp"] },
    { documentSelector: [{ language: "segue" }], synchronize: { fileEvents: files } },
  );
  try {
    await client.start();
  } catch (error) {
    vscode.window.showErrorMessage(
      `Segue does not start (${error.message}). Install it, or set segue.command to where it is.`,
    );
  }
};

exports.deactivate = () => client?.stop();
