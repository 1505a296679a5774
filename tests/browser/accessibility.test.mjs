// Every screen for everyone: no violation that axe finds, light and dark, narrow and wide; nothing too small to press;
// nothing wider than its window.

import { test } from "node:test";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { house } from "./support/house.mjs";
import { everyScreen } from "./support/screens.mjs";

const home = house();
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const SIZES = [[1440, 900], [390, 844]];

async function violations(page) {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(AXE);
  const found = await page.evaluate(() => axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], resultTypes: ["violations"] }));
  return found.violations.map(({ id, help, nodes }) => `${id}: ${help}\n${nodes.slice(0, 4).map((n) => `      ${n.target.join(" ")}\n        ${(n.any[0] ?? n.all[0] ?? n.none[0])?.message}`).join("\n")}`);
}

/** Things to press that are smaller than `least` px; links within running text may be. */
const tooSmall = (page, least) => page.evaluate((least) => {
  const inText = (element) => element.matches("a") && getComputedStyle(element).display === "inline" && element.closest("p, li, td, th, blockquote, span");
  return [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary")]
    .filter((e) => e.checkVisibility({ opacityProperty: false, visibilityProperty: true, contentVisibilityAuto: false }) && !e.disabled && !inText(e) && !e.matches(".skip"))
    .map((e) => [e, (e.closest("label") ?? e).getBoundingClientRect()])
    .filter(([, box]) => box.width > 0 && (box.width < least - 0.5 || box.height < least - 0.5))
    .map(([e, box]) => `${e.tagName.toLowerCase()} “${(e.getAttribute("aria-label") ?? e.textContent).trim().slice(0, 40)}” ${Math.round(box.width)}×${Math.round(box.height)}`);
}, least);

const overflow = (page) => page.evaluate(() => [document.documentElement, ...document.querySelectorAll(".scroll, .list__chats, .sheet:popover-open, .composer")]
  .filter((e) => e.scrollWidth > e.clientWidth + 1).map((e) => `${e.className || e.tagName}: ${e.scrollWidth} in ${e.clientWidth}`));

test("axe finds nothing on any screen, light or dark, wide or narrow", async (t) => {
  const found = [];
  let screens = 0;
  await everyScreen(home, { reducedMotion: "reduce", viewport: { width: 1440, height: 900 } }, async (name, tab) => {
    screens++;
    for (const colorScheme of ["light", "dark"]) {
      await tab.page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      for (const [width, height] of SIZES) {
        await tab.page.setViewportSize({ width, height });
        for (const violation of await violations(tab.page)) found.push(`${name}, ${colorScheme}, ${width} px: ${violation}`);
      }
    }
    await tab.page.setViewportSize({ width: 1440, height: 900 });
  });
  t.diagnostic(`${screens} screens, each four times`);
  assert.ok(screens > 20);
  assert.equal(found.length, 0, `\n${[...new Set(found)].join("\n")}`);
});

test("nothing is too small to press, and nothing wider than its window", async () => {
  const found = [];
  const touch = { reducedMotion: "reduce", hasTouch: true, isMobile: true, viewport: { width: 390, height: 844 } };
  await everyScreen(home, touch, async (name, tab) => {
    for (const width of [390, 820]) {
      await tab.page.setViewportSize({ width, height: 844 });
      found.push(...(await overflow(tab.page)).map((e) => `${name}, ${width} px: too wide: ${e}`));
    }
    await tab.page.setViewportSize({ width: 390, height: 844 });
    found.push(...(await tooSmall(tab.page, 24)).map((e) => `${name}: less than 24 px: ${e}`));
    found.push(...(await tooSmall(tab.page, 44)).map((e) => `${name}: less than 44 px on touch: ${e}`));
  });
  assert.equal(found.length, 0, `\n${[...new Set(found)].join("\n")}`);
});

test("with a mouse everything is at least 24 px", async () => {
  const found = [];
  await everyScreen(home, { reducedMotion: "reduce", viewport: { width: 1440, height: 900 } }, async (name, tab) => {
    found.push(...(await tooSmall(tab.page, 24)).map((e) => `${name}: ${e}`));
  });
  assert.equal(found.length, 0, `\n${[...new Set(found)].join("\n")}`);
});
