// A link to a message: it is brought into sight; one that is not on this page leads to the part of the chat where it is.
(() => {
  const follow = () => {
    const id = location.hash.match(/^#m-([0-9a-f-]{36})$/)?.[1];
    if (!id || !document.getElementById("thread")) return;
    const message = document.getElementById(`m-${id}`);
    message?.scrollIntoView({ block: "start" });
    message?.focus({ preventScroll: true });
    if (message || new URLSearchParams(location.search).get("at") === id) return;
    location.replace(`${location.pathname}?at=${id}#m-${id}`);
  };
  addEventListener("hashchange", follow);
  follow();
})();
