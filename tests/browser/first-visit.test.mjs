// What a first visit costs: few requests, few bytes, nobody else's server.

import { test } from "node:test";
import assert from "node:assert/strict";
import { house } from "./support/house.mjs";

const home = house();

/** Loads an address with an empty cache; what went over the wire until nothing more came. */
async function cost(tab, path) {
  const wire = await tab.page.context().newCDPSession(tab.page);
  await wire.send("Network.enable");
  await wire.send("Network.clearBrowserCache");
  const urls = [];
  let bytes = 0;
  wire.on("Network.requestWillBeSent", ({ request }) => urls.push(request.url));
  wire.on("Network.loadingFinished", ({ encodedDataLength }) => { bytes += encodedDataLength; });
  await tab.goes(path, "networkidle");
  await wire.detach();
  return { urls, bytes };
}

for (const [name, path] of [["the way in", "/login"], ["a new chat", "/"]]) {
  test(`${name}: at most 10 requests and 60 kB, all from here`, async (t) => {
    const yan = await home.person("Yan");
    const tab = path === "/" ? await yan.registers() : await yan.opensTab(null);
    const { urls, bytes } = await cost(tab, path);
    t.diagnostic(`${urls.length} requests, ${bytes} bytes`);
    assert.ok(urls.length >= 3, "page, styles and scripts were seen");
    assert.ok(urls.length <= 10, `${urls.length} requests: ${urls.join(" ")}`);
    assert.ok(bytes > 5000 && bytes <= 60_000, `${bytes} bytes`);
    yan.hasNothingToComplainAbout();
  });
}
