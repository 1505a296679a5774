// A message is edited where it stands; Cancel and Esc leave it as it was. ↑ in an empty composer edits the last one's own.
// What else can be done with a message opens in a sheet.
(() => {
  const leave = (form) => {
    const message = form.closest(".message");
    form.remove();
    const opener = message.querySelector("[data-behavior~=reword]");
    (opener?.checkVisibility() ? opener : document.getElementById("composer-text")).focus({ preventScroll: true });
  };

  document.addEventListener("click", (event) => {
    const form = event.target.closest(".message > .edit [data-behavior~=leave]")?.closest(".edit");
    if (!form || event.metaKey || event.ctrlKey) return;
    event.preventDefault();
    leave(form);
  });

  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const form = event.target.closest?.(".message > .edit");
    if (event.key === "Escape" && form) {
      event.preventDefault();
      event.stopPropagation(); // it is no Stop
      leave(form);
    } else if (event.key === "ArrowUp" && event.target.id === "composer-text" && event.target.value === "") {
      const last = [...document.querySelectorAll(".message--me [data-behavior~=reword]")].at(-1);
      if (!last) return;
      event.preventDefault();
      last.click();
    }
  }, true);

  document.addEventListener("htmx:after:swap", ({ detail }) => {
    const target = detail.ctx?.target;
    if (target?.id === "more-sheet") {
      target.showPopover();
      target.querySelector("textarea, select, a, button")?.focus();
    } else if (target?.matches?.(".rating")) {
      document.getElementById("more-sheet")?.hidePopover(); // a note was taken
    } else if (target?.matches?.(".message")) {
      const field = target.querySelector(".edit__text");
      if (!field) return;
      field.autofocus = false; // the composer has it
      field.focus();
      field.setSelectionRange(field.value.length, field.value.length);
    }
  });
})();
