// Parlor's processes under test: each with a database of its own, a data folder of its own, and a free port.

import { spawn, execFile } from "node:child_process";
import { createServer } from "node:net";
import { mkdtempSync, rmSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { createInterface } from "node:readline";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { once } from "node:events";
import { until } from "./wait.mjs";

const PROGRAM = process.env.PARLOR_BIN;
const SERVER = process.env.DATABASE_URL;
const PREFIX = process.env.PARLOR_TEST_PREFIX ?? "parlor_browser";
if (!PROGRAM || !SERVER) throw new Error("PARLOR_BIN and DATABASE_URL are not set; tests/browser/run sets them");

const running = new Set();
process.on("exit", () => running.forEach((child) => child.kill("SIGKILL")));

/** What a house needs before anybody lives in it. */
export class Ground {
  #env;
  #folder = mkdtempSync(join(tmpdir(), "parlor-browser-"));
  #database = `${PREFIX}_${randomBytes(5).toString("hex")}`;

  static async lay(env = {}) {
    const ground = new Ground();
    await sql(SERVER, `create database "${ground.#database}"`);
    const url = new URL(SERVER);
    url.pathname = `/${ground.#database}`;
    ground.url = url.href;
    ground.#env = {
      PATH: process.env.PATH,
      DATABASE_URL: url.href,
      PARLOR_DATA: ground.#folder,
      PARLOR_SECRET: randomBytes(32).toString("hex"),
      HOST: "127.0.0.1",
      PORT: "0",
      RUST_LOG: "info,sqlx=warn",
      PARLOR__LOG__FORMAT: "json",
      PARLOR__CATALOG__OLLAMA: "",
      PARLOR__CHATS__TITLES: "false",
      PARLOR__LIMITS__MESSAGES_PER_MINUTE: "0",
      PARLOR__LIMITS__MESSAGES_PER_DAY: "0",
      PARLOR__LIMITS__ANONYMOUS_PER_HOUR: "0",
      ...env,
    };
    return ground;
  }

  /** Starts one process, and waits until it says that it is ready. */
  async start(args = ["serve"], env = {}) {
    const process = new Process(args, { ...this.#env, ...env });
    await process.ready();
    return process;
  }

  sql(text) {
    return sql(this.url, text);
  }

  async clear() {
    await sql(SERVER, `drop database if exists "${this.#database}" with (force)`);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

export class Process {
  /** Everything it logged, parsed. */
  log = [];
  #child;
  #gone;

  constructor(args, env) {
    this.#child = spawn(PROGRAM, args, { env, stdio: ["ignore", "ignore", "pipe"] });
    running.add(this.#child);
    this.#gone = once(this.#child, "exit").then(([code, signal]) => {
      running.delete(this.#child);
      return { code, signal };
    });
    createInterface({ input: this.#child.stderr }).on("line", (line) => {
      try {
        const entry = JSON.parse(line);
        this.log.push({ level: entry.level, message: entry.message ?? entry.fields?.message ?? line, line });
      } catch {
        this.log.push({ level: "?", message: line, line });
      }
    });
  }

  get pid() {
    return this.#child.pid;
  }

  /** The first line of the log that matches. */
  says(pattern) {
    return this.log.map((entry) => pattern.exec(entry.message)).find(Boolean);
  }

  async ready() {
    const ended = this.#gone.then(() => { throw new Error(`parlor ended:\n${this.log.map((l) => l.line).join("\n")}`); });
    const found = until("parlor says that it is ready", () => this.says(/^(?:ready: (\S+)|working)/), 30_000);
    const [, origin] = await Promise.race([found, ended]);
    this.origin = origin;
  }

  async kill() {
    this.#child.kill("SIGKILL");
    await this.#gone;
  }
}

/** A port that nobody uses. */
export async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

async function sql(url, text) {
  const { stdout } = await promisify(execFile)("psql", ["-XqAt", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", text], { env: { ...process.env, PGOPTIONS: "-c client_min_messages=warning" } });
  return stdout.trim();
}
