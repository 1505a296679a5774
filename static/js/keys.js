// Shortcuts. Never ⌘R or ⌘L; J and K only while the conversation has the focus.
(() => {
  const mac = /mac|iphone|ipad/i.test(navigator.userAgentData?.platform ?? navigator.platform);
  if (mac) for (const key of document.querySelectorAll("kbd[data-mod]")) key.textContent = "⌘";

  const step = (from, by) => {
    const all = [...document.querySelectorAll("#thread > .message")];
    const at = all.indexOf(from.closest(".message"));
    const next = at < 0 ? all.at(by > 0 ? 0 : -1) : all[at + by];
    if (!next && by < 0) document.getElementById("earlier")?.click();
    next?.focus({ preventScroll: true });
    next?.scrollIntoView({ block: "start" });
  };

  const withMod = {
    "shift+o": () => location.assign("/"),
    "shift+s": () => document.dispatchEvent(new Event("parlor:list")),
    "shift+c": () => [...document.querySelectorAll(".message:not(.message--me) .tools > .copy")].at(-1)?.click(),
    "/": () => document.getElementById("keys")?.togglePopover(),
  };

  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.altKey) return;
    const key = event.key.toLowerCase();
    if (event.metaKey || event.ctrlKey) {
      const act = withMod[event.shiftKey && key !== "/" ? `shift+${key}` : key];
      if (!act) return;
      event.preventDefault();
      act();
    } else if ((key === "j" || key === "k") && event.target.closest(".scroll--talk") && !event.target.closest("input, textarea, select")) {
      event.preventDefault();
      step(event.target, key === "j" ? 1 : -1);
    }
  });

  // a question that was asked from a menu gives the focus back to what opened the menu
  document.addEventListener("beforetoggle", ({ target, newState }) => {
    if (newState === "closed" && target.matches(".sheet--ask:not(#more-sheet)") && target.contains(document.activeElement)) {
      document.querySelector("[popovertarget=chat-menu]")?.focus();
    }
  }, true);
})();
