// What the server sends, and what htmx makes of it in a page that has lived, is HTML to the letter: the checker that
// the HTML standard's own validator runs finds no error on any screen.

import { test } from "node:test";
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import vnu from "vnu-jar";
import { house } from "./support/house.mjs";
import { everyScreen } from "./support/screens.mjs";

const home = house({ env: { PARLOR__GENERATION__RETRY: "58" } });

/**
 * htmx's attributes are no part of HTML, and not meant to be. What stands in a `selectedcontent` the browser puts there: a copy
 * of what the chosen option holds.
 */
const NOT_OURS = String.raw`Attribute “hx-[a-z0-9:.-]+” not allowed on element “[a-z]+” at this point\.|.*selectedcontent.*`;

/** The checker's complaints about files, by what they are. Its pattern has letters beyond ASCII, whatever this machine's locale. */
function complaints(files) {
  const run = spawnSync("java", ["-jar", vnu, "--errors-only", "--format", "json", "--filterpattern", NOT_OURS, ...files], { encoding: "utf8", maxBuffer: 1 << 26, env: { ...process.env, LC_ALL: "C.UTF-8" } });
  assert.ok(run.error === undefined && [0, 1].includes(run.status), `the checker runs: ${run.error ?? run.stderr.slice(0, 500)}`);
  const found = new Map();
  for (const { url, message, extract, lastLine } of JSON.parse(run.stderr).messages) {
    const entry = found.get(message) ?? { where: new Set(), extract, lastLine };
    entry.where.add(url.split("/").pop());
    found.set(message, entry);
  }
  return [...found].map(([message, { where, extract, lastLine }]) => `${message}\n    in ${where.size}: ${[...where].slice(0, 6).join(", ")}, line ${lastLine}: ${extract}`);
}

test("the checker sees what is wrong", () => {
  execFileSync("java", ["-version"], { stdio: "ignore" });
  const folder = mkdtempSync(join(tmpdir(), "parlor-html-"));
  const file = join(folder, "wrong.html");
  writeFileSync(file, "<!doctype html><html lang=en><title>Wrong</title><p hx-get=/><ul><p>no item</p></ul>");
  const found = complaints([file]);
  rmSync(folder, { recursive: true });
  assert.equal(found.length, 1);
  assert.match(found[0], /“p” not allowed as child of element “ul”/);
});

test("every screen is valid, as it is sent and as it has become", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "parlor-html-"));
  const files = [];
  const keep = (name, html) => {
    files.push(join(folder, `${name}.html`));
    writeFileSync(files.at(-1), html);
  };
  await everyScreen(home, { reducedMotion: "reduce" }, async (name, tab) => {
    keep(`${name}-lived`, await tab.page.content());
    if (name === "live") return; // it is being sent
    const sent = await tab.page.context().request.get(tab.page.url(), { headers: { accept: "text/html" } });
    keep(`${name}-sent`, await sent.text());
  });
  const found = complaints(files);
  t.diagnostic(`${files.length} documents`);
  rmSync(folder, { recursive: true });
  assert.ok(files.length > 60);
  assert.equal(found.length, 0, `\n${found.join("\n")}`);
});
