// What the feed brings: <hx-patch hx-target hx-swap>. Unlike that of an <hx-partial>, a target is found when its turn
// comes, so that patches of one event build on each other. Whole blocks are read out, not every token.
(() => {
  const KEPT = 4;

  const announce = (words) => {
    const lines = document.getElementById("announce");
    if (!lines || !words) return;
    lines.append(Object.assign(document.createElement("p"), { textContent: words.trim().slice(0, 1500) }));
    while (lines.childElementCount > KEPT) lines.firstElementChild.remove();
  };
  document.addEventListener("parlor:announce", ({ detail }) => announce(detail));

  const spoken = new WeakMap(); // of an answer's text: how many blocks were read out
  let touched = new Set();
  const readOut = (prose, upTo) => {
    for (let at = spoken.get(prose) ?? upTo; at < upTo; at++) announce(prose.children[at].innerText);
    spoken.set(prose, upTo);
  };

  const note = ({ type, target, fragment }) => {
    if (type !== "patch" || !/^#[ft]-/.test(target)) return;
    const [aim] = target.split(" ");
    const prose = document.querySelector(aim.replace("#f-", "#t-"));
    if (!prose?.matches(".prose")) return;
    if (aim.startsWith("#t-")) {
      if (!spoken.has(prose)) spoken.set(prose, Math.max(0, prose.childElementCount - 1));
      touched.add(prose);
    } else if (!/lined|queued|streaming|waiting/.test(fragment.firstElementChild?.dataset.state)) {
      readOut(prose, prose.childElementCount); // the end: the last block is whole as well
    }
  };

  htmx.registerExtension("parlor", {
    htmx_process_patch(template, { ctx, tasks }) {
      tasks.push({
        type: "patch",
        target: template.getAttribute("hx-target"),
        swapSpec: { style: template.getAttribute("hx-swap") },
        fragment: template.content,
        sourceElement: ctx.sourceElement,
      });
    },
    htmx_before_swap: (element, { tasks }) => tasks.forEach(note),
    htmx_after_swap() {
      for (const prose of touched) readOut(prose, Math.max(0, prose.childElementCount - 1));
      touched = new Set();
    },
    // a fold that the reader opened stays open; that of a folder is the same on all pages
    htmx_before_morph_attr: (element, { attrName }) => !(attrName === "open" && element.matches("details:not(.folder__chats)")),
  });
})();
