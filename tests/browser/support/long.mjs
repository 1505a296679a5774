// Long chats, put into the database at once, and the reader who scrolls up in them.

/** A chat of so many messages over so many months, each answer with this text and HTML: its address. Every message takes
 * its id's time from its place, so that a chat can lie in many partitions. */
export async function longChat(ground, email, { title = "A long talk", count, months = 0, text, html }) {
  const [chat, leaf] = (await ground.sql(`
    with c as (insert into chats (user_id, title, model) select id, '${title}', 'openai/quick' from users where email = '${email}' returning id),
    head as (insert into feed_heads (chat_id) select id from c),
    line as (select n, (left(uuid7_floor(now() - interval '${months} months' * (1 - n::float8 / ${count}))::text, 13) || '-7' || lpad(to_hex(n % 4096), 3, '0') || '-8' || right(gen_random_uuid()::text, 16))::uuid as id
      from generate_series(0, ${count - 1}) n),
    linked as (select n, id, lag(id) over (order by n) as parent from line),
    put as (insert into messages (id, chat_id, parent_id, author, text, html, model)
      select l.id, c.id, l.parent, case when n % 2 = 0 then 'person' else 'model' end,
        case when n % 2 = 0 then 'Question ' || n || ' of the long talk, in one line?' else $text$${text}$text$ end,
        case when n % 2 = 0 then '<p>Question ' || n || ' of the long talk, in one line?</p>' else $html$${html}$html$ end,
        case when n % 2 = 1 then 'openai/quick' end
      from linked l, c)
    select c.id || ' ' || (select id from linked order by n desc limit 1) from c`)).split(" ");
  await ground.sql(`update chats set leaf_id = '${leaf}' where id = '${chat}'`);
  return `/chats/${chat}`;
}

/** Turns the wheel up as a reader does, until so many messages are there. What is in sight has to move by what the wheel
 * turned, or by less where the chat begins for now, whatever comes above it: the jumps, and the layout shift in all. */
export async function scrollsUp(tab, wanted) {
  const WHEEL = 300;
  const { page } = tab;
  await page.evaluate(() => {
    window.shifts = [];
    new PerformanceObserver((list) => window.shifts.push(...list.getEntries().map(({ value }) => value))).observe({ type: "layout-shift" });
  });
  const count = () => page.locator("#thread > .message").count();
  const room = page.locator(".scroll--talk");
  await room.hover();
  const jumps = [];
  for (let had = await count(), turns = 0; had < wanted; had = await count(), turns++) {
    if (turns > 20 * wanted) throw new Error(`only ${had} messages came`);
    const reading = await room.evaluateHandle((element) => [...element.querySelectorAll(".message")].find((m) => m.getBoundingClientRect().bottom > element.getBoundingClientRect().top + 80));
    const top = () => reading.evaluate((element) => element.getBoundingClientRect().top);
    const before = await top();
    await page.mouse.wheel(0, -WHEEL);
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 30)))));
    const moved = (await top()) - before;
    if (moved < -1 || moved > WHEEL + 1) jumps.push(`${Math.round(moved)} px with ${had} messages`);
  }
  return { jumps, shift: (await page.evaluate(() => window.shifts)).reduce((a, b) => a + b, 0) };
}
