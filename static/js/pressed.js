// A button that goes when it has done its work (Stop, Cancel, Send now, Remove) leaves the focus to the composer, not to
// nothing; also when the answer ended by itself meanwhile.
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
})();
