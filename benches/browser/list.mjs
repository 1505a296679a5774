// A list of 10,000 chats beside one of 40.

import { until } from "../../tests/browser/support/wait.mjs";
import { fetched, painted, say } from "./measure.mjs";

async function owner(home, name, count) {
  const person = await home.person(name, { viewport: { width: 1440, height: 900 } });
  const tab = await person.registers();
  await home.ground.sql(`with c as (insert into chats (user_id, title, model, active_at)
      select u.id, 'Talk ' || n || ' of many things', 'openai/quick', now() - make_interval(mins => n * 60)
      from users u, generate_series(1, ${count}) n where u.email = '${person.email}' returning id)
    insert into feed_heads (chat_id) select id from c`);
  return tab;
}

export async function list(home) {
  const [many, few] = [await owner(home, "Mona", 10_000), await owner(home, "Fred", 40)];
  await home.ground.sql("analyze");
  const page = await fetched(many, "/");
  say("the page of a person with 10,000 chats, p50", page.ms, "ms", 15);
  say("the page of a person with 40 chats, p50", (await fetched(few, "/")).ms, "ms");
  say("the page of 10,000 chats, compressed", page.bytes / 1000, "kB", 100);
  const [a, b] = await painted([many, "/"], [few, "/"]);
  say("first contentful paint, 10,000 chats", a, "ms");
  say("first contentful paint, 40 chats", b, "ms");
  say("  their ratio", a / b, "x", 1.15);

  await many.goes("/");
  const { page: window } = many;
  const links = window.locator("#chats a[href^='/chats/']");
  await links.first().hover();
  await window.evaluate(() => {
    window.jumps = 0;
    new PerformanceObserver((entries) => { window.jumps += entries.getEntries().filter(({ hadRecentInput }) => !hadRecentInput).length; }).observe({ type: "layout-shift" });
  });
  let had = 0;
  while ((had = await links.count()) < 1000) {
    await window.mouse.wheel(0, 1e5);
    await until("older chats have come", async () => (await links.count()) > had);
  }
  say(`scrolling down through ${had} chats: layout shifts`, await window.evaluate(() => window.jumps), "", 0);
  await Promise.all([many.person.leaves(), few.person.leaves()]);
}
