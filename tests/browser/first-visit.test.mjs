// What a first visit costs: few requests, few bytes, nobody else's server.

import { test } from "node:test";
import assert from "node:assert/strict";
import { house } from "./support/house.mjs";
import { RICH } from "./support/rich.mjs";
import { until } from "./support/wait.mjs";

const home = house();
const FEED = /\/feed(\?|$)/;

/** Loads an address, with an empty cache or with what the last visit left in it; what went over the wire until nothing
 * more came but the feed, which stays open. */
async function cost(tab, path, { empty }) {
  const wire = await tab.page.context().newCDPSession(tab.page);
  await wire.send("Network.enable");
  if (empty) await wire.send("Network.clearBrowserCache");
  const urls = [];
  let bytes = 0;
  const pending = new Set();
  const done = ({ requestId, encodedDataLength = 0 }) => { bytes += encodedDataLength; pending.delete(requestId); };
  wire.on("Network.requestWillBeSent", ({ request, requestId }) => {
    urls.push(request.url);
    if (!FEED.test(request.url)) pending.add(requestId);
  });
  wire.on("Network.loadingFinished", done);
  wire.on("Network.loadingFailed", done);
  await tab.goes(path);
  await until("nothing more comes", () => pending.size === 0 && (path === "/login" || urls.some((url) => FEED.test(url))));
  await wire.detach();
  return { urls, bytes };
}

for (const [name, path] of [["the way in", "/login"], ["a new chat", "/"], ["a chat", "/chats/"]]) {
  test(`${name}: at most 10 requests and 60 kB, all from here; 15 kB the second time`, async (t) => {
    const yan = await home.person("Yan");
    const tab = path === "/login" ? await yan.opensTab(null) : await yan.registers();
    if (path === "/chats/") {
      const answer = home.provider.answers("Show me.");
      await tab.asksInNewChat("Show me.");
      await answer.says(RICH.slice(0, 4000));
      await answer.ends();
      await tab.seesEnd();
    }
    const url = path === "/chats/" ? new URL(tab.page.url()).pathname : path;
    const first = await cost(tab, url, { empty: true });
    t.diagnostic(`${first.urls.length} requests, ${first.bytes} bytes`);
    assert.ok(first.urls.length >= 3, "page, styles and scripts were seen");
    assert.ok(first.urls.length <= 10, `${first.urls.length} requests: ${first.urls.join(" ")}`);
    assert.ok(first.bytes > 5000 && first.bytes <= 60_000, `${first.bytes} bytes`);
    const second = await cost(tab, url, { empty: false });
    t.diagnostic(`the second time ${second.bytes} bytes`);
    assert.ok(second.bytes > 500 && second.bytes <= 15_000, `${second.bytes} bytes`);
    yan.hasNothingToComplainAbout();
  });
}
