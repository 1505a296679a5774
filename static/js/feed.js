// The wrapper round htmx's feed reader, of a chat's page or of one with the list alone: gives up when the chat is gone, tries again when a first connection fails,
// loads the thread anew on `reset`, and says what is the matter.
(() => {
  const GONE = [401, 404, 410];
  let gone = false;
  let tries = 0;
  let late;

  const feed = () => document.querySelector("[hx-sse\\:connect]");
  const ours = (event) => event.target === feed();
  const on = (name, react) => document.addEventListener(name, (event) => ours(event) && react(event));

  const say = (state, words) => {
    clearTimeout(late);
    const line = document.getElementById("connection");
    if (!line) return;
    if (words) document.getElementById("gone").textContent = words;
    line.dataset.state = state;
  };

  const again = () => {
    if (gone) return;
    say("lost");
    setTimeout(() => {
      const element = feed();
      if (!gone && !element._htmx?.sse) htmx.ajax("GET", element.getAttribute("hx-sse:connect"), { source: element });
    }, Math.min(60000, 1000 * 2 ** tries++) * (0.7 + Math.random() * 0.6));
  };

  const anew = async () => {
    const answer = await fetch(location.href).catch(() => null);
    if (!answer) return setTimeout(anew, 3000);
    if (!answer.ok) return say("gone");
    const button = ".composer__buttons:outerHTML:.composer__buttons"; // they name the path's end and what can be stopped
    await htmx.swap({ text: await answer.text(), sourceElement: document.body, target: "#conversation", swap: "outerHTML", select: "#conversation", selectOOB: button });
    say("");
  };

  on("htmx:sse:error", ({ detail }) => {
    if (GONE.includes(detail.status)) gone = true;
    else say("lost");
  });
  on("htmx:sse:before:connection", (event) => {
    if (gone) event.preventDefault();
    else if (event.detail.connection.attempt > 0) late = setTimeout(say, 1500, "lost");
  });
  on("htmx:sse:after:connection", ({ detail }) => {
    if (detail.connection.status >= 300) return;
    tries = 0;
    say("");
  });
  on("htmx:sse:close", ({ detail }) => gone ? say("gone") : detail.reason === "ended" && (feed().id === "conversation" ? anew() : again()));
  on("gone", ({ detail }) => { gone = true; say("gone", detail.data); });
  on("reset", anew);
  on("htmx:error", again);
  on("htmx:response:error", ({ detail }) => {
    if (GONE.includes(detail.ctx.response.status)) { gone = true; say("gone"); } else again();
  });
})();
