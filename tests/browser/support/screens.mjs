// Every screen there is, one after the other: for the checks and the pictures that go over all of them.

import { RICH } from "./rich.mjs";
import { until } from "./wait.mjs";

/** Goes to each screen and calls `at(name, tab)` there. `home` is a house with a set-up link still to be used. */
export async function everyScreen(home, options, at) {
  const guest = await home.person("Guest", options);
  const tab = await guest.opensTab("/login");
  await at("login", tab);
  await tab.page.getByLabel("Email").fill("nobody@parlor.example");
  await tab.page.getByLabel("Password", { exact: true }).fill("wrong password");
  await tab.page.getByRole("button", { name: "Sign in" }).click();
  await tab.sees(/do not belong together/);
  await at("login-refused", tab);
  await tab.goes("/register");
  await at("register", tab);
  await tab.page.getByLabel("Name").fill("Guest");
  await tab.page.getByLabel("Email").fill("guest@nowhere");
  await tab.page.getByLabel("Password", { exact: true }).fill("password");
  await tab.page.getByRole("button", { name: "Create an account" }).click();
  await tab.page.locator(".field__fault").first().waitFor();
  await at("register-refused", tab);
  const [, setup] = home.parlor.says(/(\/setup\?token=\w+)/);
  await tab.goes(setup);
  await at("setup", tab);
  await tab.goes("/nowhere");
  await at("not-found-guest", tab);
  await guest.leaves();

  const zoe = await home.person("Zoë", options);
  const mine = await zoe.registers();
  const { page } = mine;
  await at("new-chat", mine);
  const says = async (words) => {
    await mine.composer.fill(words);
    await mine.sendButton.click();
  };

  const running = home.provider.answers("What stays when an answer is cut off half-way?");
  await says("What stays when an answer is cut off half-way?");
  await page.waitForURL("/chats/*");
  await running.asked();
  await mine.sees("thinking", mine.answer);
  await at("chat-thinking", mine);
  await running.thinks("Persist before deliver: that is the rule.\n\nSo the text that was seen is a prefix of what is stored. ");
  await mine.answer.locator(".thinking").waitFor();
  await running.says("**Everything that was shown.** Each piece is written down before it is sent, so a page never shows a word that could be lost.\n\n1. The connection breaks, and\n2. the page comes back\n\nand goes ");
  await mine.sees("and goes");
  await at("chat-answering", mine);
  await mine.goes(`${new URL(page.url()).pathname}?live`, "commit");
  await mine.sees(/appears here block by block/);
  await mine.sees("the page comes back");
  await at("live", mine);
  await running.says("on.");
  await running.ends();
  await mine.sees("The answer is complete.");
  await at("live-ended", mine);
  const first = new URL(page.url()).pathname;
  await mine.goes(first);
  await mine.seesEnd();
  await mine.answer.locator(".thinking > summary").click();
  await at("chat-thoughts", mine);

  const failing = home.provider.answers("And this?");
  await says("And this?");
  await failing.fails(400);
  await mine.seesEnd("failed");
  await at("chat-failed", mine);
  const waiting = home.provider.answers("Will you try again?");
  await says("Will you try again?");
  await waiting.fails(500);
  await mine.sees(/Tries again in/);
  await at("chat-waiting", mine);
  await says("This one has to wait for it.");
  await mine.sees(/is still to be tried again/);
  await at("chat-held-waiting", mine);
  await mine.page.getByRole("button", { name: "Cancel" }).first().click();
  await mine.seesEnd();
  const stopped = home.provider.answers("A long one, please. With `code`, and a very-long-word-that-goes-on-and-on-and-on-and-on-and-on-and-on-and-on-and-on.");
  await says(stopped.question);
  await stopped.says("As you wish. It begins ");
  await mine.sees("It begins");
  await mine.stopButton.click();
  await mine.seesEnd("stopped");
  await at("chat-stopped", mine);
  const cut = home.provider.answers("Tell me how the line works.");
  await says(cut.question);
  await cut.says("While an answer is being written you can already send the next message. It waits in line, in sight, and is sent as soon as this ");
  await mine.sees("in sight, and is sent");
  await says("And if I change my mind?");
  await mine.sees("In line: sent after");
  await says("Or if the answer before it never comes, because the connection broke half-way through?");
  await mine.page.locator('#thread footer[data-state="lined"]').nth(1).waitFor();
  await page.locator("#thread > article:not(.message--me)").last().evaluate((element) => element.scrollIntoView({ block: "end" }));
  await at("chat-line", mine);
  await cut.breaks();
  await mine.sees(/because the answer above was cut off/);
  await page.locator("#thread > article:not(.message--me)").last().evaluate((element) => element.scrollIntoView({ block: "end" }));
  await at("chat-line-held", mine);
  await mine.page.getByRole("button", { name: "Remove" }).first().click();
  await mine.sees("Continue", mine.answer);
  await at("chat-interrupted", mine);
  await mine.composer.fill("Several lines\nof text,\nmany of them,\n" + "and a long last one ".repeat(170));
  await mine.sees("/ 4,000");
  await at("chat-composing", mine);
  await mine.composer.fill("");

  await page.getByRole("button", { name: "Menu of this chat" }).click();
  await page.locator("#chat-menu").waitFor();
  await at("chat-menu", mine);
  await page.getByRole("button", { name: "Rename", exact: true }).click();
  await page.locator("#rename").waitFor();
  await at("chat-rename", mine);
  await page.locator("#rename").getByRole("button", { name: "Cancel" }).click();
  await mine.goes(first);
  await page.getByRole("button", { name: "Menu of this chat" }).click();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await page.locator("#delete").waitFor();
  await at("chat-delete", mine);
  await mine.goes(first);
  await page.evaluate(() => document.getElementById("keys").showPopover());
  await at("keys", mine);
  await mine.goes(first);
  await page.evaluate(() => { document.getElementById("connection").dataset.state = "lost"; });
  await at("chat-reconnecting", mine);
  await page.evaluate(() => { document.getElementById("connection").dataset.state = "gone"; });
  await at("chat-gone", mine);

  await mine.goes(`${first}/title`);
  await at("rename", mine);
  await mine.goes(`${first}/delete`);
  await at("delete", mine);
  await mine.goes("/");
  if (page.viewportSize().width < 960) {
    await page.getByRole("button", { name: "Show the list of chats" }).filter({ visible: true }).click();
    await page.locator("#list").waitFor();
    await at("drawer", mine);
  }
  // the rich answer in a chat of its own, since everything about it takes long
  await mine.goes("/");
  const rich = home.provider.answers("Show me all you can do.");
  await says("Show me all you can do.");
  await page.waitForURL("/chats/*");
  await rich.says(RICH);
  await rich.ends({ usage: { prompt_tokens: 31, completion_tokens: 6412, total_tokens: 6443 } });
  await mine.seesEnd();
  await at("chat-rich", mine);
  await page.locator("#thread > article").nth(1).evaluate((element) => element.scrollIntoView({ block: "start" }));
  await at("chat-rich-top", mine);
  await page.locator("#thread table").nth(1).evaluate((element) => element.scrollIntoView({ block: "start" }));
  await at("chat-rich-middle", mine);

  await everyJob(home, mine, at);
  await mine.goes("/chats/01890000-0000-7000-8000-000000000000");
  await at("not-found", mine);
  await zoe.leaves();
}

/** The administrators' page, quiet and with something of every kind; the person is an administrator only meanwhile. */
async function everyJob(home, mine, at) {
  const { page } = mine;
  const made = async (role) => home.ground.sql(`update users set role = '${role}' where email = '${mine.person.email}'`);
  await made("administrator");
  await mine.goes("/admin/jobs");
  await mine.sees(/All is quiet/);
  await at("jobs-quiet", mine);
  const asksAnew = async (words) => {
    await mine.goes("/");
    await mine.composer.fill(words);
    await mine.sendButton.click();
    await page.waitForURL("/chats/*");
  };
  const waiting = home.provider.answers("Will this one wait?");
  await asksAnew(waiting.question);
  await waiting.fails(500);
  await mine.sees(/Tries again in/);
  await mine.composer.fill("And this one behind it?");
  await mine.sendButton.click();
  await mine.sees(/is still to be tried again/);
  const running = home.provider.answers("Take your time.");
  await asksAnew(running.question);
  await running.says("Slowly ");
  await mine.sees("Slowly", mine.answer);
  await home.ground.sql(`update generations set dead_at = now() - interval '3 hours', retries = 2, attempt = 1, reason = coalesce(reason, 'fake has an error of its own.') where state in ('failed', 'interrupted')`);
  await home.ground.sql(`update generations set dead_at = now() - interval '2 days', attempt = 3, model = 'openai/a-model-with-a-very-long-name-of-the-kind-that-providers-like', reason = 'The workers that made it were lost, three times in a row. It may be what ends them, so it is not tried again.' where state = 'stopped'`);
  await mine.goes("/admin/jobs");
  await mine.page.locator("#dead tbody tr").first().waitFor();
  await at("jobs", mine);
  await page.locator("#running").evaluate((element) => element.scrollIntoView({ block: "end" }));
  await at("jobs-lower", mine);
  await page.locator("#dead form[action$=drop]").first().getByRole("button").click();
  await mine.sees(/^Dropped\./);
  await at("jobs-dropped", mine);
  await page.locator("#dead form[action$=drop]").first().evaluate((form) => { form.action = "/admin/jobs/01890000-0000-7000-8000-000000000000/drop"; });
  await page.locator("#dead form[action$=drop]").first().getByRole("button").click();
  await mine.sees(/^This is no dead letter any more/);
  await at("jobs-gone", mine);
  await running.ends();
  await home.ground.sql("update generations set dead_at = null");
  await home.ground.sql("update generations set state = 'stopped', ended_at = now() where state in ('waiting', 'lined')");
  await until("all is quiet again", async () => (await home.ground.sql("select count(*) from generations where ended_at is null")) === "0");
  await made("member");
}
