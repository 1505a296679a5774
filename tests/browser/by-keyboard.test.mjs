// What is done with messages, a chat and one's own settings, by keyboard alone: every step is Tab, Enter, Space, arrows or
// words that are typed. (The list, folders, prompts, the palette and ratings have such stories beside their others.)

import { test } from "node:test";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { house } from "./support/house.mjs";
import { until } from "./support/wait.mjs";

const home = house();

test("an answer is cut and goes on, is edited, and its versions are walked", async () => {
  const kay = await home.person("Kay");
  await kay.context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: kay.origin });
  const tab = await kay.registers();
  const cut = home.provider.answers("How is tea made?");
  await tab.asksInNewChat("How is tea made?");
  await cut.thinks("Water first.");
  await cut.says("With water, ");
  await tab.seesSoFar("With water,");
  await cut.breaks();
  await tab.seesEnd("interrupted");
  const rest = home.provider.continues();
  await tab.tabsTo(tab.answer.getByRole("button", { name: "Continue" }), { back: true });
  await tab.presses("Enter");
  await rest.says("leaves and time.\n\n```sh\nboil water\n```\n");
  await rest.ends();
  await tab.seesEnd();

  await tab.tabsTo(tab.answer.getByRole("button", { name: "Copy code" }), { back: true });
  await tab.presses("Enter");
  await until("the code is copied", async () => (await tab.page.evaluate(() => navigator.clipboard.readText())) === "boil water\n");

  await tab.tabsTo(tab.answer.getByRole("link", { name: "Edit" }));
  await tab.presses("Enter");
  await tab.answer.getByRole("textbox").waitFor();
  await tab.presses("Control+A");
  await tab.page.keyboard.type("With leaves.");
  await tab.tabsTo(tab.answer.getByRole("button", { name: "Save" }));
  await tab.presses("Enter");
  await tab.seesAnswer("With leaves.");
  await until("three versions stand there", async () => (await tab.answer.getByRole("navigation").innerText()).replace(/\s/g, "") === "‹3/3›");
  for (const [way, place] of [["The version before", "2/3"], ["The version before", "1/3"], ["The next version", "2/3"]]) {
    await tab.tabsTo(tab.answer.getByRole("button", { name: way }));
    await tab.presses("Enter");
    await until(`it is version ${place}`, async () => (await tab.answer.getByRole("navigation").innerText()).includes(place));
  }
  kay.hasNothingToComplainAbout();
  await kay.leaves();
});

test("the line, thoughts, and an answer that failed", async () => {
  const kay = await home.person("Kay");
  const tab = await kay.registers();
  const first = home.provider.answers("The first?");
  await tab.asksInNewChat("The first?");
  await first.thinks("Let me see.");
  await first.says("It is");
  await tab.seesSoFar("It is");
  await tab.tabsTo(tab.page.locator(".thinking > summary"), { back: true });
  await tab.presses("Enter");
  await tab.sees("Let me see.");
  await tab.tabsTo(tab.composer);
  await tab.says("The second?");
  await tab.sees("In line: sent after");
  await tab.tabsTo(tab.page.getByRole("button", { name: "Remove" }), { back: true });
  await tab.presses("Enter");
  await tab.seesNoLonger("In line: sent after");
  await tab.tabsTo(tab.composer);
  await tab.says("The third?");
  await tab.sees("In line: sent after");
  await first.breaks();
  const third = home.provider.answers("The third?");
  await tab.tabsTo(tab.page.locator("#thread").getByRole("button", { name: "Send now" }), { back: true });
  await tab.presses("Enter");
  await third.fails(400);
  await tab.seesEnd("failed");
  const again = home.provider.answers("The third?");
  await tab.tabsTo(tab.answer.getByRole("button", { name: "Try again" }), { back: true });
  await tab.presses("Enter");
  await again.says("Here it is.");
  await again.ends();
  await tab.seesAnswer("Here it is.");
  await kay.leaves();
});

test("a chat's own way, saving it, and one's own settings", async () => {
  const kay = await home.person("Kay", { acceptDownloads: true });
  const tab = await kay.registers();
  const { page } = tab;
  const answer = home.provider.answers("Hello?");
  await tab.asksInNewChat("Hello?");
  await answer.says("Hello.");
  await answer.ends();
  await tab.seesEnd();
  const chat = new URL(page.url()).pathname;

  const menu = page.getByRole("button", { name: "Menu of this chat" });
  await tab.tabsTo(menu, { back: true });
  await tab.presses("Enter");
  const save = page.getByRole("link", { name: "Save as Markdown" });
  await tab.tabsTo(save);
  const [download] = await Promise.all([page.waitForEvent("download"), tab.presses("Enter")]);
  assert.match(readFileSync(await download.path(), "utf8"), /Hello\./);

  await tab.goes(chat);
  await tab.tabsTo(menu);
  await tab.presses("Enter");
  await tab.tabsTo(page.locator("#chat-menu").getByRole("link", { name: "Settings" }));
  await tab.presses("Enter");
  await page.waitForURL(`${chat}/settings`);
  await tab.tabsTo(page.locator("textarea").first());
  await page.keyboard.type("Answer in verse.");
  await tab.tabsTo(page.getByRole("button", { name: "Save" }));
  await tab.presses("Enter");
  await page.waitForURL((url) => url.pathname === chat);
  await until("it is kept", async () => (await home.ground.sql(`select count(*) from chats where system_prompt = 'Answer in verse.'`)) === "1");

  await tab.goes("/settings");
  await tab.tabsTo(page.getByRole("radio", { name: "System" }).or(page.locator("input[name=theme]:checked")).first());
  await tab.presses("ArrowRight", "ArrowRight");
  const theme = await page.locator("input[name=theme]:checked").getAttribute("value");
  await tab.tabsTo(page.getByRole("button", { name: "Save" }));
  await tab.presses("Enter");
  await page.getByRole("status").first().waitFor();
  assert.notEqual(theme, "system");
  assert.equal(await home.ground.sql(`select theme from users where email = '${kay.email}'`), theme);
  kay.hasNothingToComplainAbout();
  await kay.leaves();
});
