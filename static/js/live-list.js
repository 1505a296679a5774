// The list follows: what changed comes by the page's feed as `list`. It holds still while somebody renames a chat in it, has
// one of its menus open, or waits for what came of one (the answer has the word to undo it); the focus stays on its chat.
// With each request goes what the page has of the list, so that the feed brings only what it lacks.
(() => {
  const held = [];
  let turn = Promise.resolve();
  const asked = new Set(); // requests from the list, under way
  let headers; // of the feed: they are sent again when it is connected again
  let lost; // where the focus was when its row went; it may come back: news can be older than what the reader undid since

  const list = () => document.getElementById("chats");
  const isBusy = () => asked.size > 0 || list().querySelector(".chat-row__rename, :popover-open") != null;
  const tell = (headers) => { headers["Parlor-List"] = document.getElementById("list-stamp").value; };

  // what was loaded by scrolling and stands further up now
  const once = () => {
    const here = new Set([...document.querySelectorAll("#newest-chats .chat-row")].map((row) => row.id));
    document.querySelectorAll("#older-chats .chat-row").forEach((row) => here.has(row.id) && row.remove());
    document.querySelectorAll("#older-chats > section:not(:has(.chat-row))").forEach((empty) => empty.remove());
  };

  const put = async (text) => {
    if (isBusy()) return held.push(text);
    const focus = document.activeElement;
    const row = focus?.closest("#chats .chat-row")?.id;
    if (row) lost = `[id="${row}"] > ${focus.matches("a") ? ".chat-link" : ".chat-row__more"}`;
    await htmx.swap({ text, sourceElement: list(), target: list(), swap: "none" });
    once();
    const back = lost && document.activeElement === document.body ? document.querySelector(lost) : undefined;
    back?.focus();
    if (back !== null) lost = undefined;
  };
  const later = (text) => { turn = turn.then(() => put(text)).catch(console.error); };
  const free = () => !isBusy() && held.splice(0).forEach(later);

  document.addEventListener("list", ({ detail }) => later(detail.data));
  document.addEventListener("parlor:free", free);
  document.addEventListener("toggle", ({ newState, target }) => newState === "closed" && list()?.contains(target) && free(), true);

  document.addEventListener("htmx:before:request", ({ target, detail }) => {
    if (detail.ctx.request.method === "POST" && target.closest?.(".list")) asked.add(detail.ctx);
  });
  document.addEventListener("htmx:finally:request", ({ detail }) => asked.delete(detail.ctx) && free());

  document.addEventListener("htmx:config:request", ({ target, detail }) => {
    if (!list()) return;
    tell(detail.ctx.request.headers);
    if (target.hasAttribute("hx-sse:connect")) ({ headers } = detail.ctx.request);
  });
  document.addEventListener("htmx:sse:before:connection", () => headers && tell(headers));
})();
