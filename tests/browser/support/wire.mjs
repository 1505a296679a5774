// A wire between the browser and the house that can be bad: it holds back a feed, delivers a form twice, or is cut.

import { createServer, request as ask } from "node:http";
import { once } from "node:events";

export class Wire {
  /** Feeds that are open now. */
  feeds = new Set();
  #holding = false;
  #broken = false;
  #before = null;
  #server = createServer((request, response) => this.#carry(request, response));

  static async between(origin) {
    const wire = new Wire();
    wire.house = new URL(origin);
    wire.#server.listen(0, "127.0.0.1");
    await once(wire.#server, "listening");
    wire.origin = `http://127.0.0.1:${wire.#server.address().port}`;
    return wire;
  }

  /** From now on nothing of any feed gets through. */
  holdsFeeds() {
    this.#holding = true;
    for (const feed of this.feeds) feed.pause();
  }

  /** What was held comes, and the rest after it. */
  letsFeedsGo() {
    this.#holding = false;
    for (const feed of this.feeds) feed.resume();
  }

  cutsFeeds() {
    for (const feed of this.feeds) feed.destroy();
  }

  /** Cuts the feeds, and lets none be opened again. */
  breaksFeeds() {
    this.#broken = true;
    this.cutsFeeds();
  }

  mendsFeeds() {
    this.#broken = false;
  }

  /** The next form sent to a chat is delivered, its answer is lost; `then` passes, and it is delivered once more. */
  losesNextAnswer(then) {
    this.#before = then;
  }

  async close() {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  async #carry(request, response) {
    if (this.#broken && new URL(request.url, this.house).pathname.endsWith("/feed")) return request.destroy();
    const parts = [];
    for await (const part of request) parts.push(part);
    const body = Buffer.concat(parts);
    try {
      if (request.method === "POST" && request.url.endsWith("/messages") && this.#before) {
        const then = this.#before;
        this.#before = null;
        (await this.#send(request, body)).resume();
        await then();
      }
      const answer = await this.#send(request, body);
      const feed = answer.headers["content-type"] === "text/event-stream";
      response.writeHead(answer.statusCode, answer.headers);
      if (feed) response.flushHeaders();
      answer.on("data", (data) => response.write(data));
      answer.on("end", () => response.end());
      answer.on("error", () => response.destroy());
      answer.on("close", () => { this.feeds.delete(answer); if (!answer.complete) response.destroy(); });
      response.on("close", () => answer.destroy());
      if (feed) {
        this.feeds.add(answer);
        if (this.#holding) answer.pause();
      }
    } catch {
      response.destroy();
    }
  }

  async #send(request, body) {
    const { hostname, port } = this.house;
    const going = ask({ hostname, port, method: request.method, path: request.url, headers: request.headers, agent: false });
    going.end(body);
    const [answer] = await once(going, "response");
    return answer;
  }
}
