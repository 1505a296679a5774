// What the parts share: medians, pages fetched and drawn, and a line of the report.

import { request, Agent } from "node:http";

const RUNS = 15;
const FETCHES = 200;

export const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

/** A line of the report: what, how much of what unit, and what it should be at most. */
export function say(what, value, unit, most) {
  const target = most === undefined ? "" : value <= most ? `at most ${most}: met` : `at most ${most}: MISSED`;
  console.log(`${what.padEnd(66)}${String(Number(value.toFixed(3))).padStart(10)} ${unit.padEnd(6)}${target}`);
}

/** Milliseconds of a page over a connection that stays open, p50, and its bytes as sent (Brotli). */
export async function fetched(tab, path) {
  const cookie = (await tab.page.context().cookies()).map(({ name, value }) => `${name}=${value}`).join("; ");
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const once = () => new Promise((done, failed) => {
    const began = performance.now();
    let bytes = 0;
    request(new URL(path, tab.person.origin), { agent, headers: { cookie, accept: "text/html", "accept-encoding": "br" } }, (response) => {
      if (response.statusCode !== 200) failed(new Error(`${path}: ${response.statusCode}`));
      response.on("data", (part) => { bytes += part.length; }).on("end", () => done({ ms: performance.now() - began, bytes }));
    }).on("error", failed).end();
  });
  for (let n = 0; n < 20; n++) await once();
  const all = [];
  for (let n = 0; n < FETCHES; n++) all.push(await once());
  agent.destroy();
  return { ms: median(all.map(({ ms }) => ms)), bytes: all[0].bytes };
}

/** The first contentful paints of pages, `[tab, path]` each, run by turns: their medians in ms. */
export async function painted(...pages) {
  const times = pages.map(() => []);
  for (let run = 0; run <= RUNS; run++) {
    for (const [n, [tab, path]] of pages.entries()) {
      await tab.goes(path);
      const at = await tab.page.waitForFunction(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime);
      if (run > 0) times[n].push(await at.jsonValue()); // the first fills the cache
    }
  }
  return times.map(median);
}
