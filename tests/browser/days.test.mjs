// Days are those of the reader's clock, wherever the server stands.

import { test } from "node:test";
import assert from "node:assert/strict";
import { house } from "./support/house.mjs";
import { until } from "./support/wait.mjs";

const home = house();

test("a chat from before midnight is yesterday's, fourteen hours ahead of the server", async () => {
  const ana = await home.person("Ana", { timezoneId: "Pacific/Kiritimati" });
  const tab = await ana.registers();
  const { page } = tab;
  await home.ground.sql(`
    with midnight as (select date_trunc('day', now() at time zone 'Pacific/Kiritimati') at time zone 'Pacific/Kiritimati' as at),
    made as (insert into chats (user_id, title, active_at) select u.id, t, at + d from users u, midnight,
      (values ('late', interval '-1 minute'), ('early', least(interval '1 minute', now() - (select at from midnight)))) v (t, d)
      where u.email = '${ana.email}' returning id),
    said as (insert into messages (chat_id, author, text, html) select id, 'person', 'Hello.', '<p>Hello.</p>' from made)
    insert into feed_heads (chat_id) select id from made`);
  await home.ground.sql("update chats set leaf_id = (select id from messages where chat_id = chats.id)");
  await tab.goes("/");
  const part = (day) => page.getByRole("navigation", { name: "Chats" }).locator("section", { has: page.getByRole("heading", { name: day }) });
  assert.equal(await part("Today").getByRole("link", { name: "early" }).count(), 1);
  assert.equal(await part("Yesterday").getByRole("link", { name: "late" }).count(), 1);
  // what comes over the feed says the same
  await home.ground.sql("update chats set title = 'earlier' where title = 'early'");
  await tab.asksInNewChat("Good morning");
  await tab.seesEnd();
  await until("the list is told", async () => (await part("Today").getByRole("link").count()) === 2);
  assert.equal(await part("Yesterday").getByRole("link", { name: "late" }).count(), 1);
  ana.hasNothingToComplainAbout();
});
