// The administrators' page of jobs: it brings itself up to date, holds still under a finger, and works without JavaScript.

import { test } from "node:test";
import assert from "node:assert/strict";
import { house } from "./support/house.mjs";

const home = house();

/** Somebody who looks after the house, on the page of jobs. */
async function administrator(name, options) {
  const person = await home.person(name, options);
  const tab = await person.registers();
  await home.ground.sql(`update users set role = 'administrator' where email = '${person.email}'`);
  return tab;
}

/** A question whose answer is given up. */
async function deadLetter(person) {
  const tab = person.tabs[0] ?? await person.registers();
  const answer = home.provider.answers(`${person.name} asks.`);
  await tab.asksInNewChat(answer.question);
  await answer.fails(500);
  await tab.seesEnd("failed");
  return tab;
}

const letters = (tab) => tab.page.locator("#dead tbody tr");

test("it brings itself up to date, and nothing moves under a finger", async () => {
  const root = await administrator("Root");
  const bob = await home.person("Bob");
  await root.page.clock.install();
  await root.goes("/");
  await root.page.getByRole("link", { name: "Administration" }).click();
  await root.page.getByRole("link", { name: "Jobs" }).click();
  await root.sees("All is quiet: every answer that was asked for has ended.");
  const theirs = await deadLetter(bob);
  await root.page.clock.runFor(5100);
  await letters(root).first().waitFor();
  await root.sees(bob.email, letters(root));
  await root.seesNoLonger(/All is quiet/);

  // somebody is about to press: turns pass, and nothing is asked for
  const requeue = letters(root).getByRole("button", { name: `Requeue, ${bob.email}` });
  await requeue.focus();
  const asked = () => root.person.requests.filter((url) => url.endsWith("/admin/jobs")).length;
  const before = asked();
  assert.ok(before >= 2, "the page and at least one turn");
  await root.page.clock.runFor(20_000);
  assert.equal(asked(), before, "it holds still");
  const again = home.provider.answers("Bob asks.");
  await requeue.press("Enter");
  await root.sees(/^Requeued\./);
  await again.says("After all.");
  await again.ends();
  await theirs.reloads();
  await theirs.seesAnswer("After all.");
  assert.equal(await letters(root).count(), 0);

  // the focus is elsewhere: it goes on
  await deadLetter(bob);
  await root.page.clock.runFor(5100);
  await letters(root).first().waitFor();
  root.person.hasNothingToComplainAbout();
});

test("without JavaScript", async () => {
  const root = await administrator("Rut", { javaScriptEnabled: false });
  await home.ground.sql("update generations set dead_at = null");
  await deadLetter(await home.person("Bea"));
  await root.goes("/admin/jobs");
  assert.equal(await letters(root).count(), 1);
  await letters(root).getByRole("button", { name: /^Drop/ }).click();
  await root.sees(/^Dropped\./);
  await root.sees("No answer was given up.");
  root.person.hasNothingToComplainAbout();
});
