// One's own way, prompts, and taking a chat away: by pointer, by keyboard, and without JavaScript.

import { test } from "node:test";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { house } from "./support/house.mjs";
import { until } from "./support/wait.mjs";

const home = house();

/** A chat with one answer; returns its tab. */
async function chatOf(tab, question, words = "Hello.") {
  const answer = home.provider.answers(question);
  await tab.asksInNewChat(question);
  await answer.says(words);
  await answer.ends();
  await tab.page.getByText("tokens").first().waitFor();
}

const paper = (page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);

test("answers are set in letters as in a book, for whoever wants them", async () => {
  const eve = await home.person("Eve");
  const tab = await eve.registers();
  await tab.asksInNewChat("Tell me a tale.");
  await tab.seesEnd();
  const chat = tab.page.url();
  const letters = (place) => place.evaluate((element) => getComputedStyle(element).fontFamily);
  const plain = await letters(tab.prose);
  await tab.goes("/settings");
  await tab.page.getByRole("radio", { name: "As in a book" }).check();
  await tab.page.getByRole("button", { name: "Save" }).click();
  await tab.sees("Saved.");
  assert.ok(await tab.page.getByRole("radio", { name: "As in a book" }).isChecked());
  await tab.goes(chat);
  assert.match(await letters(tab.prose), /serif/);
  assert.notEqual(await letters(tab.prose), plain);
  assert.equal(await letters(tab.page.locator(".message--me > .prose").first()), plain, "one's own words stay as they are");
  eve.hasNothingToComplainAbout();
});

test("the theme is there before anything is painted, whatever the system says", async () => {
  for (const javaScriptEnabled of [true, false]) {
    const ann = await home.person("Ann", { colorScheme: "light", javaScriptEnabled });
    const tab = await ann.registers();
    await tab.page.getByRole("link", { name: "Settings" }).click();
    await tab.page.getByLabel("Instructions").fill("Be brief.");
    await tab.page.getByLabel("Temperature").fill("0,5");
    await tab.page.getByLabel("Dark").check();
    await tab.page.getByRole("button", { name: "Save" }).click();
    await tab.sees("Saved.");
    assert.equal(await tab.page.getByLabel("Temperature").inputValue(), "0.5");
    assert.equal(await tab.page.locator("html").getAttribute("data-theme"), "dark");
    if (javaScriptEnabled) {
      const dark = await paper(tab.page);
      await tab.page.emulateMedia({ colorScheme: "dark" });
      assert.equal(await paper(tab.page), dark);
      await tab.page.getByLabel("Light").check();
      await tab.page.getByRole("button", { name: "Save" }).click();
      await tab.page.locator("html[data-theme=light]").waitFor();
      assert.notEqual(await paper(tab.page), dark);
    }
    ann.hasNothingToComplainAbout();
    await ann.leaves();
  }
});

test("words are found in the language of one's chats, which is chosen by keyboard alone", async () => {
  const dora = await home.person("Dora");
  const tab = await dora.registers();
  const { page } = tab;
  await tab.goes("/settings");
  const language = page.getByLabel("Language of your chats");
  assert.equal(await language.evaluate((field) => field.selectedOptions[0].text), "English");
  await language.focus();
  await page.keyboard.type("German");
  await tab.presses("Tab", "Enter");
  await tab.sees("Saved.");
  assert.equal(await language.inputValue(), "german");
  await chatOf(tab, "Wo stehen die alten Häuser?", "Am Wald.");
  await tab.goes("/search?q=Wälder");
  await page.locator("main mark").getByText("Wald").waitFor();
  await tab.goes("/");
  await page.keyboard.press("Control+k");
  await page.keyboard.type("Haus");
  await page.locator("dialog mark").getByText("Häuser").first().waitFor();
  dora.hasNothingToComplainAbout();
});

test("a slash in an empty composer lists the prompts, and one is filled in by keyboard alone", async () => {
  const bob = await home.person("Bob");
  const tab = await bob.registers();
  const { page } = tab;
  await tab.goes("/settings/prompts");
  await page.getByLabel("Name").fill("Translate");
  await page.getByLabel("Text").fill("Say “{{what}}” in {{language}}.");
  await page.getByLabel("Text").press("Tab");
  await page.keyboard.press("Enter");
  await tab.sees("Saved.");
  await tab.goes("/");
  await tab.composer.press("/");
  const dialog = page.locator("dialog#prompts");
  await tab.sees("Translate", dialog);
  await page.keyboard.press("Enter"); // the first has the focus
  await dialog.getByLabel("what").waitFor();
  await page.keyboard.type("tea");
  await page.keyboard.press("Tab");
  await page.keyboard.type("Greek & Latin");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await dialog.waitFor({ state: "hidden" });
  assert.equal(await tab.composer.inputValue(), "Say “tea” in Greek & Latin.");
  assert.ok(await tab.composer.evaluate((field) => field === document.activeElement));
  // whoever meant a slash goes on behind it
  await tab.composer.fill("");
  await tab.composer.press("/");
  await tab.sees("Translate", dialog);
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "hidden" });
  await page.keyboard.type("etc");
  assert.equal(await tab.composer.inputValue(), "/etc");
  bob.hasNothingToComplainAbout();
  await bob.leaves();
});

test("prompts work without JavaScript, in a chat too", async () => {
  const eve = await home.person("Eve", { javaScriptEnabled: false });
  const tab = await eve.registers();
  const { page } = tab;
  await tab.goes("/settings/prompts");
  await page.getByLabel("Name").fill("Ask");
  await page.getByLabel("Text").fill("What is {{thing}}?");
  await page.getByRole("button", { name: "Save" }).click();
  const answer = home.provider.answers("hi");
  await tab.goes("/");
  await tab.composer.fill("hi");
  await tab.sendButton.click();
  await answer.says("Hello.");
  await answer.ends();
  await page.waitForURL(/chats/);
  const chat = new URL(page.url()).pathname;
  const ended = `select count(*) from generations where chat_id = '${chat.split("/").at(-1)}' and state = 'completed'`;
  await until("the answer is over", async () => (await home.ground.sql(ended)) === "1"); // else the page is held open
  await tab.goes(chat);
  await page.getByRole("link", { name: "Prompts" }).click();
  await page.locator(".prompts__link").click();
  await page.getByLabel("thing").fill("a parlor");
  await page.getByRole("button", { name: "Put into the composer" }).click();
  assert.equal(await tab.composer.inputValue(), "What is a parlor?");
  assert.ok((await page.locator("form.composer__form").getAttribute("action")).startsWith(chat));
  await eve.leaves();
});

test("a chat is saved and printed", async () => {
  const ann = await home.person("Ann", { acceptDownloads: true });
  const tab = await ann.registers();
  const { page } = tab;
  await chatOf(tab, "Tell me of the sea.", `${"The sea is wide.\n\n".repeat(150)}The end of it.`);
  await page.getByRole("button", { name: "Menu of this chat" }).click();
  const [markdown] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Save as Markdown" }).click()]);
  assert.equal(markdown.suggestedFilename(), "Tell me of the sea.md");
  assert.match(readFileSync(await markdown.path(), "utf8"), /^# Tell me of the sea\.\n[^]*The end of it\.\n$/);
  const [json] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Save everything (.json)" }).click()]);
  assert.equal(JSON.parse(readFileSync(await json.path(), "utf8")).messages.length, 2);
  // on paper: all of it over several pages, and nothing to press
  const pdf = (await page.pdf()).toString("latin1");
  assert.ok(pdf.match(/\/Type\s*\/Page\b/g).length > 2, "several pages");
  await page.emulateMedia({ media: "print" });
  assert.equal(await page.locator("button:visible, textarea:visible, nav:visible").count(), 0);
  assert.ok(await tab.prose.getByText("The end of it.").isVisible());
  ann.hasNothingToComplainAbout();
  await ann.leaves();
});

test("a saved chat is brought back, with and without JavaScript", async () => {
  for (const javaScriptEnabled of [true, false]) {
    const kim = await home.person("Kim", { javaScriptEnabled });
    const tab = await kim.registers();
    const { page } = tab;
    const answer = home.provider.answers("Keep this.");
    await tab.composer.fill("Keep this.");
    await tab.sendButton.click();
    await answer.says("It is kept.");
    await answer.ends();
    await page.waitForURL(/chats/);
    const chat = page.url().split("?")[0];
    const ended = `select count(*) from generations where chat_id = '${chat.split("/").at(-1)}' and state = 'completed'`;
    await until("the answer is over", async () => (await home.ground.sql(ended)) === "1"); // else the page is held open
    await tab.goes(new URL(chat).pathname);
    await tab.seesAnswer("It is kept.");
    const saved = await (await page.request.get(`${chat}/export?format=json`)).text();
    await tab.goes("/settings");
    await page.getByRole("link", { name: "Import" }).click();
    const many = `[${Array(40).fill(saved).join(",")}]`;
    await page.getByLabel("File").setInputFiles({ name: "many.json", mimeType: "application/json", buffer: Buffer.from(many) });
    await page.getByRole("button", { name: "Import" }).click();
    await tab.sees("40 chats are here."); // by itself
    await page.getByRole("link", { name: "Open the last one" }).click();
    await tab.seesAnswer("It is kept.");
    assert.notEqual(page.url(), chat);
    kim.hasNothingToComplainAbout();
    await kim.leaves();
  }
});
