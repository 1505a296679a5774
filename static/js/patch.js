// What the feed brings: <hx-patch hx-target hx-swap>. Unlike that of an <hx-partial>, a target is found when its turn
// comes, so that patches of one event build on each other.
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
  // a fold that the reader opened stays open; that of a folder is the same on all pages
  htmx_before_morph_attr: (element, { attrName }) => !(attrName === "open" && element.matches("details:not(.folder__chats)")),
});
