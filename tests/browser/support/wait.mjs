// Waiting for conditions, always with a deadline that says what it was waiting for.

import { setTimeout as pause } from "node:timers/promises";

/** The promise's value, or an error that names `what` after `ms`. */
export async function within(ms, what, promise) {
  const late = new AbortController();
  const deadline = pause(ms, undefined, { signal: late.signal }).then(
    () => { throw new Error(`not within ${ms} ms: ${what}`); },
    () => new Promise(() => {}),
  );
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    late.abort();
  }
}

/** Asks again and again until `check` gives something true; what it threw last is the error's cause. */
export async function until(what, check, ms = 10_000) {
  const end = Date.now() + ms;
  let cause;
  for (;;) {
    try {
      const value = await check();
      if (value) return value;
      cause = value;
    } catch (error) {
      cause = error;
    }
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}; last: ${String(cause?.message ?? cause).slice(0, 600)}`);
    await pause(25);
  }
}
