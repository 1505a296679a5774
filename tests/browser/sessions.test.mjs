// A session that is ended in one browser is dead in another, its open feed too; leaving, and one's data, without JavaScript.

import { test } from "node:test";
import assert from "node:assert/strict";
import { house } from "./support/house.mjs";
import { PASSWORD } from "./support/people.mjs";
import { until } from "./support/wait.mjs";

const home = house();

/** The same account in another browser. */
async function elsewhere(of, at = "/") {
  const other = await home.person("Other");
  const tab = await other.opensTab("/login");
  await tab.page.getByLabel("Email").fill(of.email);
  await tab.page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await tab.page.getByRole("button", { name: "Sign in" }).click();
  await tab.page.waitForURL(at);
  return [other, tab];
}

test("a session ended in one browser is dead in another within five seconds, and its page does not come back", async () => {
  const ann = await home.person("Ann");
  const mine = await ann.registers();
  const answer = home.provider.answers("What is open?");
  await mine.asksInNewChat("What is open?");
  await answer.says("This ");
  await mine.sees("This", mine.answer);
  const chat = new URL(mine.page.url()).pathname;
  const [other, theirs] = await elsewhere(ann);
  await theirs.goes(chat);
  await theirs.sees("This", theirs.answer);
  const feeds = () => other.requests.filter((url) => new URL(url).pathname.endsWith("/feed")).length;
  await until("its feed is open", () => other.requests.some((url) => new URL(url).pathname === `${chat}/feed`));

  await mine.goes("/settings/sessions");
  await mine.page.getByRole("button", { name: /^End: / }).click();
  const began = Date.now();
  await theirs.sees(/Your session has ended/);
  const took = Date.now() - began;
  assert.ok(took < 5000, `${took} ms`);
  const before = feeds();
  await answer.says("was open.");
  await answer.ends();
  await mine.goes(chat);
  await mine.sees("This was open.");
  await new Promise((later) => setTimeout(later, 2500)); // longer than any pause before coming back
  assert.equal(feeds(), before, "it comes back again and again");
  assert.equal(await theirs.page.getByText("was open").count(), 0, "nothing more is shown");
  await theirs.reloads();
  await theirs.page.waitForURL(/\/login/);
  await mine.sees("This was open.");
  await ann.leaves();
  await other.leaves();
});

test("without JavaScript one takes one's data along, leaves, and thinks better of it in another browser", async () => {
  const bea = await home.person("Bea", { javaScriptEnabled: false });
  const { page } = await bea.registers();
  await page.goto("/settings/data");
  await page.getByRole("button", { name: "Make the file" }).click();
  await page.getByRole("link", { name: "Download" }).waitFor(); // the page asks for itself
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Download" }).click()]);
  assert.match(download.suggestedFilename(), /^parlor-\d{4}-\d\d-\d\d\.zip$/);
  await page.goto("/settings/delete");
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByLabel("Your address, to be sure").fill(bea.email);
  await page.getByRole("button", { name: "Delete my account" }).click();
  await page.getByRole("heading", { name: "Your account goes" }).waitFor();
  // signing in leads to the page, not to the front room
  const [other, theirs] = await elsewhere(bea, "/settings/delete");
  await theirs.page.getByRole("button", { name: "Keep my account" }).press("Enter");
  await theirs.page.waitForURL("/");
  await page.goto("/");
  await page.getByRole("heading", { name: /Hello/ }).waitFor();
  await bea.leaves();
  await other.leaves();
});
