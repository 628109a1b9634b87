// The postbacks' page, made lively: it follows the inbox by itself. Without this a link refreshes it.

const live = document.querySelector("[data-live]");
const emptyButton = document.querySelector("[data-empty]");
let revision = document.documentElement.dataset.revision;
let busy = false;
let again = false;

function localTimes(within) {
  for (const time of within.querySelectorAll("time[datetime]")) {
    const moment = new Date(time.dateTime);
    time.textContent = moment.toLocaleTimeString();
    time.title = moment.toLocaleString();
  }
}

// Postbacks that are there already keep their elements, so that what a reader opened stays open.
function replace(fresh) {
  const current = document.getElementById("postbacks");
  localTimes(fresh);
  for (const entry of fresh.querySelectorAll("li[id]")) {
    const known = document.getElementById(entry.id);
    if (known) entry.replaceWith(known);
    else entry.classList.add("new");
  }
  current.replaceWith(fresh);
}

// One fetch at a time; whatever changed meanwhile is one more.
async function refresh() {
  if (busy) {
    again = true;
    return;
  }
  busy = true;
  try {
    do {
      again = false;
      const answer = await fetch(location.href);
      if (!answer.ok) throw new Error(`the inbox answered ${answer.status}`);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      revision = page.documentElement.dataset.revision;
      replace(document.adoptNode(page.getElementById("postbacks")));
    } while (again);
  } finally {
    busy = false;
  }
}

function show(on) {
  live.hidden = false;
  live.className = `live ${on ? "on" : "off"}`;
  live.textContent = on ? "live" : "reconnecting";
  document.querySelector("[data-refresh]").hidden = on;
}

localTimes(document);
const events = new EventSource(`/demo/postbacks/events?since=${revision}`);
events.addEventListener("open", () => show(true));
events.addEventListener("error", () => show(false));
events.addEventListener("change", (event) => {
  if (event.data !== revision) refresh().catch(console.error);
});
emptyButton.hidden = false;
emptyButton.addEventListener("click", () => fetch("/demo/postbacks", { method: "DELETE" }));
