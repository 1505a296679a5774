// Finds images for the composer: picked by its button, pasted into it, or dropped on the page.
(() => {
  const composer = () => document.getElementById("composer");
  const link = () => document.querySelector("a[data-behavior~=attach]");
  const found = (files) => files.length && document.dispatchEvent(new CustomEvent("parlor:files", { detail: [...files] }));
  const carries = (event) => link() && event.dataTransfer?.types.includes("Files");

  document.addEventListener("click", (event) => {
    if (!event.target.closest("a[data-behavior~=attach]") || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const picker = Object.assign(document.createElement("input"), { type: "file", multiple: true, accept: link().dataset.types });
    picker.onchange = () => found(picker.files);
    picker.click();
  });
  document.addEventListener("paste", (event) => {
    const { files, types } = event.clipboardData;
    // a table is copied as text and as a picture of it: then the text is meant
    if (event.target.id !== "composer-text" || !files.length || !link() || types.includes("text/plain")) return;
    event.preventDefault();
    found(files);
  });
  document.addEventListener("dragover", (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    composer().toggleAttribute("data-drop", true);
  });
  document.addEventListener("dragleave", (event) => event.relatedTarget || composer()?.removeAttribute("data-drop"));
  document.addEventListener("drop", (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    composer().removeAttribute("data-drop");
    found(event.dataTransfer.files);
  });
})();
