// What was typed and not sent is there again after a reload, in each chat its own. It stays in this browser, until it is
// sent or somebody signs out.
(() => {
  const NAME = "parlor-draft:";
  const SENT = "parlor-sent";
  const field = () => document.getElementById("composer-text");
  const name = () => NAME + location.pathname;
  // a stroke alone has opened the prompts
  const keep = () => field().value.length > field().value.startsWith("/") ? localStorage.setItem(name(), field().value) : localStorage.removeItem(name());
  const safely = (act) => { try { act(); } catch { /* no room, or not allowed: then there are no drafts */ } };

  document.addEventListener("input", ({ target }) => target === field() && safely(keep));
  document.addEventListener("htmx:after:swap", ({ target }) => target.id === "say" && safely(keep));
  document.addEventListener("submit", ({ target }) => safely(() => {
    if (target.action.endsWith("/logout")) Object.keys(localStorage).filter((key) => key.startsWith(NAME)).forEach((key) => localStorage.removeItem(key));
    // a first message has a page of its own to come to: there it is known to be sent
    if (target.id === "say" && location.pathname === "/") sessionStorage.setItem(SENT, field().value);
  }));

  safely(() => {
    if (!field()) return;
    const sent = sessionStorage.getItem(SENT);
    if (sent !== null && location.pathname.startsWith("/chats/")) {
      if (localStorage.getItem(`${NAME}/`) === sent) localStorage.removeItem(`${NAME}/`);
      sessionStorage.removeItem(SENT);
    }
    const draft = localStorage.getItem(name());
    if (!draft || field().value) return;
    field().value = draft;
    field().dispatchEvent(new Event("input", { bubbles: true }));
  });
})();
