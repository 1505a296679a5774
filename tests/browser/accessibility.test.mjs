// Every screen for everyone: no violation that axe finds, light and dark, narrow and wide; nothing too small to press;
// nothing wider than its window.

import { test } from "node:test";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { house } from "./support/house.mjs";
import { everyScreen } from "./support/screens.mjs";

const home = house({ env: { PARLOR__GENERATION__RETRY: "58" } });
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const SIZES = [[1440, 900], [390, 844]];

/** What axe complains about: { rule: where }. Only colours differ between light and dark. */
async function violations(page, colours) {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(AXE);
  const runOnly = colours ? { type: "rule", values: ["color-contrast", "link-in-text-block"] } : ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
  const found = await page.evaluate((runOnly) => axe.run(document, { runOnly, resultTypes: ["violations"] }), runOnly);
  return found.violations.map(({ id, help, nodes }) => [`${id}: ${help}`, nodes.map((n) => `${n.target.join(" ")}: ${(n.any[0] ?? n.all[0] ?? n.none[0])?.message}`)]);
}

/** Findings by what they are, each with where it was first seen and how often. */
class Findings {
  #all = new Map();

  add(what, where, example = "") {
    const entry = this.#all.get(what) ?? { where: new Set(), example };
    entry.where.add(where);
    this.#all.set(what, entry);
  }

  none() {
    const lines = [...this.#all].map(([what, { where, example }]) => `${what}\n    on ${where.size}: ${[...where].join(", ")}${example && `\n    e.g. ${example}`}`);
    assert.equal(lines.length, 0, `\n${lines.join("\n")}`);
  }
}

/** Things to press that are smaller than `least` px; links within a sentence may be. */
const tooSmall = (page, least) => page.evaluate((least) => {
  const inText = (element) => element.matches("a") && /^inline(-block)?$/.test(getComputedStyle(element).display) && element.closest("p, li, td, th, blockquote, span");
  return [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary")]
    .filter((e) => e.checkVisibility({ opacityProperty: false, visibilityProperty: true, contentVisibilityAuto: false }) && !e.disabled && !inText(e) && !e.matches(".skip"))
    .map((e) => [e, (e.closest("label") ?? e).getBoundingClientRect()])
    .filter(([, box]) => box.width > 0 && (box.width < least - 0.5 || box.height < least - 0.5))
    .map(([e, box]) => `${e.tagName.toLowerCase()} “${(e.getAttribute("aria-label") ?? e.textContent).trim().slice(0, 40)}” ${Math.round(box.width)}×${Math.round(box.height)}`);
}, least);

const overflow = (page) => page.evaluate(() => [document.documentElement, ...document.querySelectorAll(".scroll, .list__chats, .sheet:popover-open, .composer")]
  .filter((e) => e.scrollWidth > e.clientWidth + 1).map((e) => `${e.className || e.tagName}: ${e.scrollWidth} in ${e.clientWidth}`));

test("axe finds nothing on any screen, light or dark, wide or narrow; with a mouse everything is at least 24 px", async (t) => {
  const found = new Findings();
  let screens = 0;
  await everyScreen(home, { reducedMotion: "reduce", viewport: { width: 1440, height: 900 } }, async (name, tab) => {
    screens++;
    for (const small of await tooSmall(tab.page, 24)) found.add(`less than 24 px: ${small}`, name);
    if (name.startsWith("chat-rich-")) return; // the same page, scrolled
    for (const colorScheme of ["light", "dark"]) {
      await tab.page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      for (const [width, height] of SIZES) {
        await tab.page.setViewportSize({ width, height });
        for (const [rule, places] of await violations(tab.page, colorScheme === "dark")) found.add(rule, `${name} (${colorScheme}, ${width})`, places[0]);
      }
    }
    await tab.page.setViewportSize({ width: 1440, height: 900 });
  });
  t.diagnostic(`${screens} screens`);
  assert.ok(screens > 20);
  found.none();
});

test("on a phone everything is at least 44 px, and nothing is wider than its window", async () => {
  const found = new Findings();
  const touch = { reducedMotion: "reduce", hasTouch: true, isMobile: true, viewport: { width: 390, height: 844 } };
  await everyScreen(home, touch, async (name, tab) => {
    for (const width of [820, 390]) {
      await tab.page.setViewportSize({ width, height: 844 });
      for (const wide of await overflow(tab.page)) found.add(`too wide at ${width} px: ${wide}`, name);
    }
    for (const small of await tooSmall(tab.page, 44)) found.add(`less than 44 px: ${small}`, name);
  });
  found.none();
});
