// A provider that speaks OpenAI's protocol over real HTTP and says what a test tells it to, when the test tells it.
//
//   const answer = provider.answers("Why is the sky blue?");   // to this question; several line up
//   await answer.asked();          // the request has come
//   await answer.says("Because");  // one event of the stream, on the wire now
//   await answer.ends();

import { createServer } from "node:http";
import { once } from "node:events";
import { within } from "./wait.mjs";

const GO_ON = /^Your last message was cut off/;

export class Provider {
  /** Every request for an answer, as it came: { body, authorization, at }. */
  requests = [];
  #waiting = [];
  #server = createServer((request, response) => this.#serve(request, response));
  #sockets = new Set();
  #port = 0;

  static async open(models = ["quick", "thorough"]) {
    const provider = new Provider();
    provider.models = models;
    provider.#server.on("connection", (socket) => {
      provider.#sockets.add(socket);
      socket.on("close", () => provider.#sockets.delete(socket));
    });
    await provider.returns();
    return provider;
  }

  get url() {
    return `http://127.0.0.1:${this.#port}/v1`;
  }

  /** The next answer to exactly this question. What is not scripted is answered with a plain sentence at once. */
  answers(question) {
    const answer = new Answer(question);
    this.#waiting.push(answer);
    return answer;
  }

  /** The next answer that is to go on where an earlier one was cut. */
  continues() {
    return this.answers(GO_ON);
  }

  /** The provider is down: connections are refused. */
  async goesAway() {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((done) => this.#server.close(done));
  }

  /** It is back, at the same address. */
  async returns() {
    this.#server.listen(this.#port, "127.0.0.1");
    await once(this.#server, "listening");
    this.#port = this.#server.address().port;
  }

  async close() {
    if (this.#server.listening) await this.goesAway();
  }

  async #serve(request, response) {
    if (request.url === "/v1/models") {
      const data = this.models.map((id) => ({ id, object: "model", owned_by: "test" }));
      return response.setHeader("content-type", "application/json").end(JSON.stringify({ object: "list", data }));
    }
    let text = "";
    for await (const part of request.setEncoding("utf8")) text += part;
    const body = JSON.parse(text);
    const question = body.messages.findLast((message) => message.role === "user")?.content;
    const at = this.#waiting.findIndex((answer) => (answer.question === question || (answer.question === GO_ON && GO_ON.test(question))) && body.stream);
    if (at >= 0) {
      const [answer] = this.#waiting.splice(at, 1);
      this.requests.push({ body, authorization: request.headers.authorization, at: Date.now() });
      return answer.taken(body, response);
    }
    const plain = new Answer(question);
    plain.taken(body, response);
    await plain.says("A plain answer.");
    await plain.ends();
  }
}

class Answer {
  #asked = resolvers();
  #closed = resolvers();
  #response;

  constructor(question) {
    this.question = question;
  }

  taken(body, response) {
    this.#response = response;
    response.socket.setNoDelay(true);
    response.on("close", () => this.#closed.resolve(Date.now()));
    this.#asked.resolve(body);
  }

  /** Waits for the request, and gives its body. */
  asked() {
    return within(10_000, `the provider is asked “${this.question}”`, this.#asked.promise);
  }

  /** Waits until the connection is closed, and gives the time when it was. */
  closed(deadline = 10_000) {
    return within(deadline, `the connection of “${this.question}” is closed`, this.#closed.promise);
  }

  says(content) {
    return this.#event({ choices: [{ index: 0, delta: { content } }] });
  }

  thinks(reasoning_content) {
    return this.#event({ choices: [{ index: 0, delta: { reasoning_content } }] });
  }

  async ends({ finish_reason = "stop", usage = { prompt_tokens: 7, completion_tokens: 5, total_tokens: 12 } } = {}) {
    await this.#event({ choices: [{ index: 0, delta: {}, finish_reason }] });
    if (usage) await this.#event({ choices: [], usage });
    await this.bytes("data: [DONE]\n\n");
    this.#response.end();
  }

  /** Says `pieces`, the stream's bytes cut at other places than its events, also inside of characters. */
  async saysInOddBytes(pieces, sizes = [1, 7, 64, 3, 509, 2, 1021]) {
    const wire = Buffer.from(pieces.map((content) => event({ choices: [{ index: 0, delta: { content } }] })).join(""));
    for (let from = 0, turn = 0; from < wire.length; turn++) {
      const size = sizes[turn % sizes.length];
      await this.bytes(wire.subarray(from, from + size));
      from += size;
    }
  }

  /** The connection breaks. */
  async breaks() {
    await this.asked();
    this.#response.destroy();
  }

  async fails(status, message = "no") {
    await this.asked();
    this.#response.writeHead(status, { "content-type": "application/json" });
    this.#response.end(JSON.stringify({ error: { message, type: "error" } }));
  }

  async bytes(data) {
    await this.asked();
    if (!this.#response.headersSent) this.#response.writeHead(200, { "content-type": "text/event-stream" });
    if (this.#response.destroyed) return;
    await new Promise((done) => this.#response.write(data, done));
  }

  #event(value) {
    return this.bytes(event(value));
  }
}

function event(value) {
  return `data: ${JSON.stringify({ id: "a", object: "chat.completion.chunk", created: 0, model: "m", ...value })}\n\n`;
}

function resolvers() {
  const out = {};
  out.promise = new Promise((resolve, reject) => Object.assign(out, { resolve, reject }));
  return out;
}
