// A chat of 10,000 messages, over 60 months, beside one of 40.

import { longChat, scrollsUp } from "../../tests/browser/support/long.mjs";
import { RICH } from "../../tests/browser/support/rich.mjs";
import { fetched, painted, say } from "./measure.mjs";

const MONTHS = 60;

export async function chats(home) {
  const cleo = await home.person("Cleo", { viewport: { width: 1440, height: 900 } });
  const tab = await cleo.registers();
  await home.ground.sql(`do $$ declare m timestamptz; begin
    for i in 1..${MONTHS - 4} loop
      m := date_trunc('month', now() at time zone 'UTC') at time zone 'UTC' - make_interval(months => i);
      execute format('create table %I partition of messages for values from (%L) to (%L)', 'messages_' || to_char(m at time zone 'UTC', 'YYYY_MM'),
        uuid7_floor(m), uuid7_floor((m at time zone 'UTC' + interval '1 month') at time zone 'UTC'));
    end loop; end $$`);
  const partitions = Number(await home.ground.sql("select count(*) from pg_inherits where inhparent = 'messages'::regclass")) - 1;

  // an answer as the program renders it
  const text = RICH.split("\n\n").slice(0, 4).join("\n\n");
  const answer = home.provider.answers("Write a sample.");
  await tab.asksInNewChat("Write a sample.");
  await answer.says(text);
  await answer.ends();
  await tab.seesEnd();
  const html = await home.ground.sql("select html from messages where author = 'model' limit 1");
  const paths = {
    long: await longChat(home.ground, cleo.email, { count: 10_000, months: MONTHS - 4, text, html }),
    short: await longChat(home.ground, cleo.email, { count: 40, text, html }),
  };
  await home.ground.sql("analyze");

  say("partitions of a month each", partitions, "");
  const page = await fetched(tab, paths.long);
  const small = await fetched(tab, paths.short);
  say("the page of a chat of 10,000 messages, p50", page.ms, "ms", 15);
  say("the page of a chat of 40 messages, p50", small.ms, "ms");
  say("the page of 10,000, compressed", page.bytes / 1000, "kB", 100);
  const oldest = await home.ground.sql(`select id from messages where chat_id = '${paths.long.slice(7)}' order by id limit 1 offset 5000`);
  say("a window in the middle of it (?at=), p50", (await fetched(tab, `${paths.long}?at=${oldest}`)).ms, "ms");
  const [a, b] = await painted([tab, paths.long], [tab, paths.short]);
  say("first contentful paint, 10,000 messages", a, "ms");
  say("first contentful paint, 40 messages", b, "ms");
  say("  their ratio", a / b, "x", 1.15);
  await tab.goes(paths.long);
  await tab.page.locator("[data-ready]").waitFor();
  const { jumps, shift } = await scrollsUp(tab, 1000);
  say("scrolling up through 1,000 messages: jumps of more than 1 px", jumps.length, "", 0);
  jumps.slice(0, 20).forEach((jump) => console.log(`  by ${jump}`));
  say("  layout shift in all", shift, "", 0.005);
  await cleo.leaves();
}
