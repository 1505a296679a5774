// People at their browsers, in their own words: `await ann.registers()`, `await tab.says("hi")`, `await tab.sees("Hello")`.

import assert from "node:assert/strict";
import { chromium } from "playwright-core";
import { until } from "./wait.mjs";

export const PASSWORD = "a short sentence is a good one";
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const PATIENCE = 10_000;

let count = 0;

/** Two portraits are the same; if not, tells where they part. */
export function same(actual, expected, what) {
  assert.equal(actual.length, expected.length, `${what}: as many messages`);
  actual.forEach((article, n) => {
    const other = expected[n];
    if (article === other) return;
    let at = 0;
    while (article[at] === other[at]) at++;
    const near = (text) => text.slice(Math.max(0, at - 160), at + 240);
    assert.fail(`${what}: message ${n + 1} differs at character ${at}\n  is:     ${near(article)}\n  should: ${near(other)}`);
  });
}

/** A browser, with any number of people at it. */
export class Browser {
  static async open() {
    const browser = new Browser();
    browser.chromium = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });
    return browser;
  }

  /** Somebody with a profile of their own. `options` are of Playwright's contexts. */
  async person(name, origin, options = {}) {
    const context = await this.chromium.newContext({ baseURL: origin, viewport: { width: 1280, height: 800 }, ...options });
    context.setDefaultTimeout(PATIENCE);
    context.setDefaultNavigationTimeout(PATIENCE);
    return new Person(name, context, origin);
  }

  async close() {
    await this.chromium.close();
  }
}

export class Person {
  /** Requests that left the browser, and what the console complained about. */
  requests = [];
  complaints = [];
  tabs = [];

  constructor(name, context, origin) {
    Object.assign(this, { name, context, origin, email: `${name.toLowerCase().replace(/[^a-z]/g, "")}-${++count}@parlor.example` });
    context.on("request", (request) => this.requests.push(request.url()));
    context.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) this.complaints.push(`${message.text()} (${message.location().url})`);
    });
    context.on("weberror", (error) => this.complaints.push(String(error.error().stack ?? error.error())));
  }

  async opensTab(path = "/") {
    const tab = new Tab(await this.context.newPage(), this);
    this.tabs.push(tab);
    if (path) await tab.goes(path);
    return tab;
  }

  /** Makes an account through the page, and ends in the room of a new chat. */
  async registers() {
    const tab = await this.opensTab("/register");
    await tab.page.getByLabel("Name").fill(this.name);
    await tab.page.getByLabel("Email").fill(this.email);
    await tab.page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await tab.page.getByRole("button", { name: "Create an account" }).click();
    await tab.page.waitForURL("/");
    return tab;
  }

  /** Nothing went wrong in this browser, and nothing went elsewhere. `expected` are complaints that belong to the story. */
  hasNothingToComplainAbout(expected = []) {
    const unexpected = this.complaints.filter((complaint) => !expected.some((pattern) => pattern.test(complaint)));
    assert.deepEqual(unexpected, [], "the console stays empty");
    const elsewhere = this.requests.filter((url) => !/^(data|blob|about):/.test(url) && !url.startsWith(`${this.origin}/`));
    assert.deepEqual(elsewhere, [], "nothing is asked from another origin");
    assert.ok(this.requests.length > 0, "requests were seen at all");
  }

  async leaves() {
    await this.context.close();
  }
}

/** One page that is open. */
export class Tab {
  constructor(page, person) {
    Object.assign(this, { page, person });
  }

  get composer() {
    return this.page.locator("#composer-text");
  }

  get sendButton() {
    return this.page.getByRole("button", { name: "Send", exact: true });
  }

  get stopButton() {
    return this.page.getByRole("button", { name: "Stop", exact: true });
  }

  /** The newest answer: its article, its text. */
  get answer() {
    return this.page.locator("#thread > article:not(.message--me)").last();
  }

  get prose() {
    return this.answer.locator("> .prose");
  }

  /**
   * A page without scripts may lead itself elsewhere just then, and from there back: neither is where somebody goes.
   * What interrupted is let arrive first, or it would interrupt the next turn as well.
   */
  async goes(path, waitUntil = "load") {
    for (let turn = 1; ; turn++) {
      try {
        return await this.page.goto(path, { waitUntil });
      } catch (error) {
        if (turn === 5 || !/interrupted by another navigation/.test(error)) throw error;
        await this.page.waitForTimeout(500);
        await this.page.waitForLoadState();
      }
    }
  }

  async reloads() {
    await this.page.reload();
  }

  async presses(...keys) {
    for (const key of keys) await this.page.keyboard.press(key);
  }

  /** Presses Tab until this has the focus: what a keyboard alone can reach. Shift+Tab with `back`. */
  async tabsTo(place, { back = false, within = 200 } = {}) {
    await place.waitFor();
    const there = () => place.evaluateAll((elements) => elements.includes(document.activeElement));
    for (let presses = 0; presses < within && !(await there()); presses++) await this.page.keyboard.press(back ? "Shift+Tab" : "Tab");
    assert.ok(await there(), `Tab reaches ${place} within ${within} stops`);
  }

  /** Goes there by Tab alone, and presses Enter. */
  async enters(place, options) {
    await this.tabsTo(place, options);
    await this.presses("Enter");
  }

  /** Chooses from a select that a mouse can reach; the list it opens is drawn by the system, where no test comes. */
  async picks(select, label) {
    await select.click({ trial: true });
    await select.selectOption({ label });
  }

  /** Types where the focus is. */
  async types(words) {
    await this.page.keyboard.type(words);
  }

  /** Types into the composer, and presses Enter; once the answer to what was sent before is there, which the feed may
   * have overtaken. */
  async says(text) {
    await this.page.locator("#say.htmx-request").waitFor({ state: "detached" });
    await this.composer.fill(text);
    await this.composer.press("Enter");
  }

  /** Asks in a new chat, and arrives in it. */
  async asksInNewChat(text) {
    await this.goes("/");
    await this.says(text);
    await this.page.waitForURL("/chats/*");
    await this.page.locator("[data-ready]").waitFor();
  }

  /** The words are in sight, at once or soon. */
  async sees(words, place = this.page) {
    await place.getByText(words).filter({ visible: true }).first().waitFor();
  }

  async seesNoLonger(words, place = this.page) {
    await until(`“${words}” is no longer seen`, async () => (await place.getByText(words).filter({ visible: true }).count()) === 0);
  }

  /** The newest answer reads exactly so, once its white space is taken together. */
  async seesAnswer(text) {
    await until(`the answer reads “${text}”`, async () => {
      const now = await this.answerText();
      return now === text || Promise.reject(now);
    });
  }

  /** The newest answer reads so as far as it goes; the last words may still be on their way to the page. */
  async seesSoFar(text) {
    await until(`the answer reads “${text}” so far`, async () => {
      const now = await this.answerText();
      return now.startsWith(text) || Promise.reject(now);
    });
  }

  /** These words are somewhere in the newest answer, soon. */
  async seesInAnswer(words, ms = 5000) {
    await until(`“${words}” is in the answer`, async () => {
      const now = await this.answerText();
      return now.includes(words) || Promise.reject(now);
    }, ms);
  }

  async answerText() {
    return (await this.prose.innerText()).replace(/\s+/g, " ").trim();
  }

  /** The newest answer is over, in this way. */
  async seesEnd(state = "completed", ms = PATIENCE) {
    await this.answer.locator(`> footer[data-state="${state}"]`).waitFor({ state: "attached", timeout: ms });
  }

  /** Each message's article as it stands; neighbouring pieces of text count as one. `without` is taken out first. */
  async portrait(without = "") {
    return this.page.locator("#thread > article").evaluateAll((articles, without) => articles.map((article) => {
      const copy = article.cloneNode(true);
      if (without) for (const part of copy.querySelectorAll(without)) part.textContent = "";
      copy.normalize();
      return copy.outerHTML;
    }), without);
  }

  /** The page is not wider than its window. */
  async fitsItsWidth() {
    const [wide, window] = await this.page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
    assert.ok(wide <= window, `${this.page.url()}: the page is ${wide} px wide in a window of ${window} px`);
  }
}
