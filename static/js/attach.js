// Images for a message, from whoever found some (pick.js): each is taken by the server at once and then stands in the
// composer; a message that is sent meanwhile goes when they are there.
(() => {
  const form = () => document.querySelector("form[data-behavior~=composer]");
  const room = () => document.getElementById("composer-files");
  const link = () => document.querySelector("a[data-behavior~=attach]");
  const coming = () => room()?.querySelector(".chip--coming");
  const note = (words) => (document.getElementById("composer-note").textContent = words);
  let waiting = false; // to be sent

  // with an image, there need not be a word
  const settle = () => {
    document.getElementById("composer-text").required = !room().querySelector(":checked");
    if (coming() || !waiting) return;
    waiting = false;
    note("");
    form().requestSubmit(document.querySelector("#send-button[form]:enabled"));
  };

  const take = (file) => {
    const chip = Object.assign(document.createElement("p"), { className: "chip chip--coming" });
    const progress = Object.assign(document.createElement("progress"), { max: 1, value: 0, ariaLabel: file.name });
    const name = Object.assign(document.createElement("span"), { className: "chip__name", textContent: file.name });
    chip.append(progress, name);
    room().append(chip);
    const [request, body] = [new XMLHttpRequest(), new FormData()]; // fetch tells no progress
    request.upload.onprogress = ({ loaded, total }) => (progress.value = loaded / total);
    request.onloadend = () => {
      if (request.status >= 200 && request.status < 300) chip.outerHTML = request.responseText;
      else {
        chip.remove();
        waiting = false;
        note((request.status && request.responseText) || link().dataset.failed);
      }
      settle();
    };
    request.open("POST", "/files");
    request.setRequestHeader("HX-Request", "true");
    body.set("file", file);
    request.send(body);
  };

  document.addEventListener("parlor:files", ({ detail }) => {
    const { types, none, large, max } = link().dataset;
    note("");
    for (const file of detail) {
      if (!types.split(",").includes(file.type)) note(none);
      else if (file.size > max * 1048576) note(large);
      else take(file);
    }
  });
  for (const name of ["change", "htmx:after:swap"]) document.addEventListener(name, ({ target }) => target.closest?.("#composer-files, #say") && settle());
  document.addEventListener("submit", (event) => {
    if (event.target !== form() || !coming()) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    waiting = true;
    note(link().dataset.coming);
  }, true);
})();
