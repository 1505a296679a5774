// Where the reader is: at the end it follows, elsewhere it only says that there is something newer.
(() => {
  const NEAR = 100;
  const room = document.querySelector("[data-behavior~=scroll]");
  if (!room) return;
  const newest = document.getElementById("newest");
  const end = () => room.scrollHeight - room.clientHeight;
  let atEnd = true;
  let height = room.scrollHeight; // as last seen: what has grown since then is no reason to stop following

  const toEnd = () => { room.scrollTop = end(); };
  // the room kept free for an answer to come is nothing to be read
  const free = () => {
    const foot = [...room.querySelectorAll(".message__foot")].at(-1)?.getBoundingClientRect();
    return foot ? Math.max(0, room.scrollHeight - room.scrollTop - (foot.bottom - room.getBoundingClientRect().top)) : 0;
  };
  const look = () => {
    atEnd = height - free() - room.clientHeight - room.scrollTop < NEAR;
    newest.hidden = atEnd;
    if (atEnd) newest.querySelector(".dot").hidden = true;
  };

  room.addEventListener("scroll", look, { passive: true });
  newest.addEventListener("click", () => { height = room.scrollHeight; toEnd(); look(); });

  const follow = new ResizeObserver(() => {
    if (atEnd) toEnd();
    else if (room.scrollHeight > height) newest.querySelector(".dot").hidden = !document.querySelector("#stop");
    height = room.scrollHeight;
    if (!atEnd) look();
  });
  const watch = () => {
    follow.disconnect();
    follow.observe(room);
    follow.observe(document.getElementById("conversation"));
  };

  // what the reader sent goes near the top, its answer fills the room below
  document.addEventListener("htmx:after:swap", ({ target, detail }) => {
    if (target.id === "say" && detail.ctx.response?.status < 300) {
      const thread = document.getElementById("thread");
      const asked = [...thread.querySelectorAll(".message--me")].at(-1);
      // what stands in line does not take the place of what is being read
      if (asked?.nextElementSibling?.querySelector(":scope > [data-state=lined]")) return look();
      thread.dataset.fresh = "";
      document.documentElement.style.setProperty("--asked", `${asked?.offsetHeight ?? 0}px`);
      height = room.scrollHeight;
      asked?.scrollIntoView({ block: "start" });
      look();
    }
    if (target.id === "conversation" || target === document.body) watch();
  });

  // an address that names a message leads there
  const named = document.getElementById(location.hash.slice(1));
  atEnd = !named;
  if (named) named.scrollIntoView(); else toEnd();
  watch();
  room.dataset.ready = "";
})();
