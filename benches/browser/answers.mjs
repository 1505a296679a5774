// Answers of 100 kB that are one block: how they come, what goes over the wire, what server and browser do for it.

import { readFileSync, readdirSync } from "node:fs";
import { request } from "node:http";
import { say } from "./measure.mjs";

const words = (n) => `word${n} and ${n % 7 === 0 ? "**bold** " : ""}${n % 11 === 0 ? "`code` " : ""}more`;
const lines = (count, line) => Array.from({ length: count }, (_, n) => line(n));

/** Texts of one kind and about so many bytes. */
const SHAPES = {
  "code of 2,000 lines": (bytes) => `\`\`\`python\n${lines(bytes / 50, (n) => `    total_${n} = compute(values[${n}], "text ${n}")`.padEnd(49).slice(0, 49)).join("\n")}\n\`\`\`\n`,
  "one paragraph": (bytes) => lines(bytes / 20, words).join(" ").slice(0, bytes) + "\n",
  "one list": (bytes) => lines(bytes / 60, (n) => `- item ${n} ${words(n)} ${words(n + 1)}`.padEnd(59).slice(0, 59)).join("\n") + "\n",
  "one table": (bytes) => `| a | b | c |\n|---|---|---|\n${lines(bytes / 60, (n) => `| ${n} | ${words(n)} | ${words(n + 2)} |`).join("\n")}\n`,
};

/** Seconds that a process's threads have run. */
const cpu = (pid) => readdirSync(`/proc/${pid}/task`)
  .reduce((sum, thread) => sum + Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]) / 1e9, 0);

/** Follows a chat's feed as a browser does, and counts. */
async function follow(tab, path) {
  const cookie = (await tab.page.context().cookies()).map(({ name, value }) => `${name}=${value}`).join("; ");
  const seen = { bytes: 0, times: [] };
  const wire = request(new URL(path, tab.person.origin), { headers: { cookie, accept: "text/event-stream" } }, (response) => {
    response.setEncoding("utf8").on("data", (part) => {
      seen.bytes += Buffer.byteLength(part);
      for (let n = part.match(/^id:/gm)?.length ?? 0; n > 0; n--) seen.times.push(performance.now());
    }).on("error", () => {});
  });
  wire.on("error", () => {});
  wire.end();
  seen.stop = () => wire.destroy();
  return seen;
}

/** Streams a text in pieces of 20 characters; what it cost. */
async function stream(home, tab, name, text, pause) {
  const question = `${name}, ${text.length}`;
  const answer = home.provider.answers(question);
  await tab.asksInNewChat(question);
  await answer.asked();
  const chat = new URL(tab.page.url()).pathname;
  const seen = await follow(tab, `${chat}/feed?after=0`);
  await tab.page.evaluate(() => {
    window.tasks = [];
    new PerformanceObserver((list) => window.tasks.push(...list.getEntries().map(({ startTime, duration }) => [startTime + duration, duration]))).observe({ type: "longtask" });
    // of a frame over 50 ms, what scripts had of it, with the layout that they forced
    window.scripts = [];
    const had = ({ startTime, duration, scripts }) => [startTime + duration, scripts.reduce((sum, script) => sum + script.duration, 0)];
    new PerformanceObserver((list) => window.scripts.push(...list.getEntries().map(had))).observe({ type: "long-animation-frame" });
  });
  const began = cpu(home.parlor.pid);
  const start = performance.now();
  for (let from = 0, n = 0; from < text.length; from += 20, n++) {
    await answer.says(text.slice(from, from + 20));
    const ahead = (n + 1) * pause - (performance.now() - start);
    if (ahead > 1) await new Promise((done) => setTimeout(done, ahead));
  }
  const streamed = performance.now();
  const settling = await tab.page.evaluate(() => performance.now());
  await answer.ends();
  await tab.seesEnd("completed", 60_000);
  await tab.page.waitForTimeout(500);
  const cost = cpu(home.parlor.pid) - began;
  const { tasks, scripts } = await tab.page.evaluate(() => ({ tasks: window.tasks, scripts: window.scripts }));
  seen.stop();
  const html = Number(await home.ground.sql(`select length(html) from messages where chat_id = '${chat.slice(7)}' and author = 'model'`));
  const during = seen.times.filter((at) => at <= streamed);
  const gaps = during.slice(1).map((at, n) => at - during[n]);
  const longest = (all) => Math.max(0, ...all.map(([, duration]) => duration));
  return {
    cost, html, bytes: seen.bytes, events: seen.times.length,
    rate: (during.length / (streamed - start)) * 1000,
    gap: Math.max(0, ...gaps),
    task: longest(tasks.filter(([end]) => end <= settling)),
    last: longest(tasks.filter(([end]) => end > settling)),
    scripts: longest(scripts.filter(([end]) => end <= settling)),
  };
}

export async function answers(home) {
  const max = await home.person("Max", { viewport: { width: 1440, height: 900 } });
  const tab = await max.registers();
  for (const [name, make] of Object.entries(SHAPES)) {
    const small = await stream(home, tab, name, make(10_000), 4);
    const big = await stream(home, tab, name, make(100_000), 4);
    say(`${name}, 100 kB: bytes sent, of what is allowed (3 x HTML + 150 B an event)`, big.bytes / (3 * big.html + 150 * big.events), "x", 1);
    say("  events a second", big.rate, "", 25);
    say("  the longest pause between two events", big.gap, "ms");
    say("  the program's CPU, 100 kB against 10 kB", big.cost / small.cost, "x", 12);
    say("  the program's CPU for 100 kB", big.cost, "s");
    say("  the most that scripts had of a frame over 50 ms while it streams", big.scripts, "ms", 50);
    say("  the longest task of the browser while it streams, its layout included", big.task, "ms");
    say("  the longest task when it settles", big.last, "ms", 100);
  }
  await max.leaves();
}
