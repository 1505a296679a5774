// A button that goes when it has done its work (Stop, Cancel, Send now, Remove) leaves the focus to the composer, not to
// nothing; also when the answer ended by itself meanwhile. What is to be pressed once cannot be pressed twice.
(() => {
  const WORK = "#stop, [data-behavior~=act]";
  const byTouch = matchMedia("(pointer: coarse) and (hover: none)");
  const toComposer = () => byTouch.matches || document.getElementById("composer-text")?.focus({ preventScroll: true });
  let held;

  document.addEventListener("submit", ({ target }) => target.matches(WORK) && target.contains(document.activeElement) && toComposer());
  document.addEventListener("htmx:before:swap", () => { held = document.activeElement?.closest(WORK); });
  document.addEventListener("htmx:after:swap", () => {
    if (held && !held.isConnected && document.activeElement === document.body) toComposer();
    held = undefined;
  });

  const once = (root, disabled) => root.querySelectorAll("button").forEach((button) => { button.disabled = disabled; });
  document.addEventListener("submit", ({ target }) => {
    // after the form was read: a button that is disabled would not say which one it was
    if (target.matches("[data-behavior~=once]")) setTimeout(once, 0, target, true);
  });
  // a page that comes back comes with what was pressed
  addEventListener("pageshow", () => document.querySelectorAll("[data-behavior~=once]").forEach((form) => once(form, false)));
})();
