// What is said to those who listen: that an answer begins, its blocks when they are whole and not every token, that it is over.
(() => {
  const KEPT = 4;
  const region = () => document.getElementById("announce");

  const announce = (words) => {
    const lines = region();
    if (!lines || !words) return;
    lines.append(Object.assign(document.createElement("p"), { textContent: words.trim().slice(0, 1500) }));
    while (lines.childElementCount > KEPT) lines.firstElementChild.remove();
  };
  document.addEventListener("parlor:announce", ({ detail }) => announce(detail));
  addEventListener("load", () => document.querySelector("[data-state=streaming]") && announce(region()?.dataset.answering));

  const spoken = new WeakMap(); // of an answer's text: how many blocks were read out
  let [touched, ended, said] = [new Set(), new Set(), []];
  const readOut = (prose, upTo) => {
    for (let at = spoken.get(prose) ?? upTo; at < upTo; at++) announce(prose.children[at].innerText);
    spoken.set(prose, upTo);
  };

  const note = ({ target, fragment }) => {
    const [aim] = target.split(" ");
    const prose = document.querySelector(aim.replace("#f-", "#t-"));
    if (!prose?.matches(".prose")) return;
    if (aim.startsWith("#t-")) {
      if (!spoken.has(prose)) spoken.set(prose, Math.max(0, prose.childElementCount - 1));
      touched.add(prose);
    } else if (!/lined|queued|streaming|waiting/.test(fragment.firstElementChild?.dataset.state)) {
      ended.add(prose);
    }
  };

  htmx.registerExtension("announce", {
    htmx_before_swap(element, { tasks }) {
      tasks.filter(({ type, target }) => type === "patch" && /^#[ft]-/.test(target)).forEach(note);
      // words about an answer are said after its last block, which may come with them
      const words = tasks.filter(({ target }) => target === "#announce");
      words.forEach((task) => tasks.splice(tasks.indexOf(task), 1));
      said.push(...words.map(({ fragment }) => fragment.textContent));
    },
    htmx_after_swap() {
      for (const prose of touched) readOut(prose, Math.max(0, prose.childElementCount - 1));
      for (const prose of ended) readOut(prose, prose.childElementCount); // its last block is whole as well
      said.forEach(announce);
      [touched, ended, said] = [new Set(), new Set(), []];
    },
  });
})();
