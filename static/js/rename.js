// A chat's name can be changed where it stands in the list: from its menu, or by F2. Enter keeps it, Esc does not.
(() => {
  const begin = (row) => {
    const link = row.querySelector(".chat-link");
    const form = document.getElementById("rename-in-place").content.firstElementChild.cloneNode(true);
    const field = form.elements.title;
    const path = `${link.getAttribute("href")}/title`;
    const before = link.querySelector(".chat-link__title").textContent;
    field.value = before;
    link.hidden = true;
    link.after(form);
    field.select();
    field.focus();

    let decided = false; // what is taken away loses the focus as well
    const end = (focus) => {
      decided = true;
      link.hidden = false;
      form.remove();
      if (focus) link.focus();
      document.dispatchEvent(new Event("parlor:free"));
    };
    const keep = async (focus) => {
      if (decided) return;
      decided = true;
      const title = field.value.trim();
      if (!title || title === before) return end(focus);
      await htmx.ajax("POST", path, { source: row, values: { title }, swap: "none" });
      end(focus);
    };
    form.action = path;
    form.addEventListener("submit", (event) => { event.preventDefault(); keep(true); });
    field.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault(); // the list, where it is a drawer, stays open
      event.stopPropagation();
      end(true);
    });
    field.addEventListener("blur", () => keep(false));
  };

  document.addEventListener("click", (event) => {
    const ask = event.target.closest("[data-behavior~=rename]");
    if (!ask || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    ask.closest("[popover]").hidePopover();
    begin(ask.closest(".chat-row"));
  });
  document.addEventListener("keydown", (event) => {
    const link = event.key === "F2" && event.target.closest(".chat-link");
    if (!link) return;
    event.preventDefault();
    begin(link.closest(".chat-row"));
  });
})();
