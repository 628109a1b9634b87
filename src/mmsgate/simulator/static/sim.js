// The phones, made lively: slide shows that play, messages that arrive by themselves, local times.
// Everything here improves a page that also works without it.

const root = document.documentElement;
const page = root.dataset.page;
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const ICONS = {
  play: '<svg viewBox="0 0 14 14" aria-hidden="true"><path d="M3 1v12l10-6z"/></svg>',
  pause: '<svg viewBox="0 0 14 14" aria-hidden="true"><path d="M2 1h3.6v12H2zM8.4 1H12v12H8.4z"/></svg>',
};

function localTimes(within) {
  for (const time of within.querySelectorAll("time[datetime]")) {
    const moment = new Date(time.dateTime);
    time.textContent = moment.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    time.title = moment.toLocaleString();
  }
}

// ---- slide shows ----

class Show {
  static playing = null;

  constructor(element) {
    this.element = element;
    this.slides = [...element.querySelectorAll("[data-slide]")];
    this.place = 0;
    this.elapsed = 0;
    this.running = false;
    element.classList.add("player");
    if (this.slides.length > 1) this.addControls();
    this.go(0);
  }

  addControls() {
    this.element.classList.add("many");
    const controls = document.createElement("div");
    controls.className = "controls";
    controls.innerHTML = '<button type="button" class="play"></button><div class="dots"></div><span class="place"></span>';
    this.button = controls.querySelector(".play");
    this.label = controls.querySelector(".place");
    this.dots = this.slides.map((_, index) => {
      const dot = document.createElement("button");
      dot.type = "button";
      dot.setAttribute("aria-label", `Slide ${index + 1} of ${this.slides.length}`);
      dot.append(document.createElement("i"));
      dot.addEventListener("click", () => this.go(index));
      return dot;
    });
    controls.querySelector(".dots").append(...this.dots);
    this.element.append(controls);
    this.button.addEventListener("click", () => (this.running ? this.pause() : this.play()));
    this.element.querySelector(".stage").addEventListener("click", (event) => {
      if (!event.target.closest("a, button, audio, video")) this.go((this.place + 1) % this.slides.length);
    });
    this.element.addEventListener("keydown", (event) => this.key(event));
    this.showState();
  }

  key(event) {
    if (event.target.closest("audio, video")) return;
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    this.go(Math.min(this.slides.length - 1, Math.max(0, this.place + step)));
  }

  // Milliseconds the slide stays; a slide without a duration stays 10 s.
  get duration() {
    return Number(this.slides[this.place].dataset.duration) || 10000;
  }

  go(place) {
    this.media("pause");
    this.place = place;
    this.elapsed = 0;
    this.slides.forEach((slide, index) => slide.classList.toggle("current", index === place));
    this.dots?.forEach((dot, index) => {
      dot.toggleAttribute("aria-current", index === place);
      dot.style.setProperty("--done", index < place ? 1 : 0);
    });
    if (this.label) this.label.textContent = `${place + 1} / ${this.slides.length}`;
    if (this.running) this.media("play");
    else this.dots?.[place].style.setProperty("--done", 1);
  }

  media(action) {
    for (const media of this.slides[this.place].querySelectorAll("audio, video")) {
      if (action === "pause") media.pause();
      else media.play().catch(() => {}); // browsers refuse sound before the first tap; the controls remain
    }
  }

  play() {
    Show.playing?.pause();
    Show.playing = this;
    if (this.place === this.slides.length - 1) this.go(0);
    this.running = true;
    this.elapsed = 0;
    this.media("play");
    this.showState();
    let last = performance.now();
    const frame = (now) => {
      if (!this.running || !this.element.isConnected) return;
      this.elapsed += Math.min(now - last, 1000); // a hidden page draws no frames: it goes on where it was
      last = now;
      this.dots[this.place].style.setProperty("--done", Math.min(1, this.elapsed / this.duration));
      if (this.elapsed >= this.duration) this.advance();
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  advance() {
    if (this.place + 1 < this.slides.length) this.go(this.place + 1);
    else this.pause();
  }

  pause() {
    this.running = false;
    if (Show.playing === this) Show.playing = null;
    this.media("pause");
    this.showState();
  }

  showState() {
    if (!this.button) return;
    this.button.innerHTML = this.running ? ICONS.pause : ICONS.play;
    this.button.setAttribute("aria-label", this.running ? "Pause the slide show" : "Play the slide show");
  }
}

function enliven(within) {
  localTimes(within);
  const shows = [...within.querySelectorAll("[data-show]")].map((element) => new Show(element));
  for (const media of within.querySelectorAll("[data-media]")) {
    media.addEventListener("error", () => unplayable(media), { once: true });
    if (media.error || (media.complete && media.naturalWidth === 0)) unplayable(media);
  }
  return shows;
}

// Handsets play AMR and H.263, browsers do not: say so and offer the file.
function unplayable(media) {
  const notice = document.createElement("p");
  notice.className = "notice";
  const link = document.createElement("a");
  link.href = media.getAttribute("src");
  link.download = "";
  link.textContent = "Download it";
  notice.append("This browser cannot show this part; a handset may. ", link, ".");
  (media.closest(".sound") ?? media).replaceWith(notice);
}

// ---- news ----

function listen(query, handlers) {
  const live = document.querySelector("[data-live]");
  const events = new EventSource(`/sim/events?${query}`);
  const state = (on) => {
    live.className = `live ${on ? "on" : "off"}`;
    live.textContent = on ? "live" : "reconnecting";
  };
  events.addEventListener("open", () => state(true));
  events.addEventListener("error", () => state(false));
  events.addEventListener("hello", (event) => {
    if (JSON.parse(event.data).epoch !== root.dataset.epoch) location.reload();
  });
  for (const [name, handle] of Object.entries(handlers)) {
    events.addEventListener(name, (event) => handle(JSON.parse(event.data)));
  }
}

async function messageArrived({ id }) {
  const answer = await fetch(`/sim/phones/${root.dataset.number}/messages/${id}${location.search}`);
  if (!answer.ok) return;
  const template = document.createElement("template");
  template.innerHTML = await answer.text();
  const article = template.content.querySelector("article");
  const known = document.getElementById(article.id);
  const conversation = document.getElementById("conversation");
  if (known) known.replaceWith(article);
  else conversation.prepend(article);
  document.querySelector("[data-empty]").hidden = true;
  article.classList.add("arriving");
  const [show] = enliven(article);
  if (!known) conversation.scrollTo({ top: 0, behavior: calm.matches ? "auto" : "smooth" });
  if (show && show.slides.length > 1 && !calm.matches && !Show.playing) show.play();
}

function noteArrived({ at, text }) {
  const line = document.createElement("li");
  const time = document.createElement("time");
  time.dateTime = at;
  line.append(time, ` ${text}`);
  localTimes(line);
  document.getElementById("notes").prepend(line);
  document.querySelector("[data-nolog]").hidden = true;
}

async function phonesChanged() {
  const answer = await fetch("/sim/");
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("phones");
  localTimes(fresh);
  document.getElementById("phones").replaceWith(fresh);
}

// ---- replies ----

// The message itself comes by the news; here only what is refused is said.
async function send(form) {
  const refused = form.querySelector("[data-refused]");
  const button = form.querySelector("button");
  const fields = new FormData(form);
  if (fields.get("kind") === "sms") fields.delete("file"); // they are out of sight
  button.disabled = true;
  try {
    const answer = await fetch(form.action, { method: "POST", body: fields, headers: { Accept: "application/json" } });
    const { taken, why } = await answer.json();
    refused.hidden = taken;
    refused.textContent = `Not taken: ${why}`;
    if (answer.ok) for (const field of form.querySelectorAll("textarea, [type=file]")) field.value = "";
  } catch (error) {
    refused.hidden = false;
    refused.textContent = `Not sent: ${error.message}`;
  } finally {
    button.disabled = false;
  }
}

// One at a time and in order, however fast they come.
function oneByOne(handle) {
  let line = Promise.resolve();
  return (data) => (line = line.then(() => handle(data)).catch(console.error));
}

enliven(document);
if (page === "phone") {
  const query = `to=${root.dataset.number}&since=${root.dataset.revision}`;
  listen(query, { message: oneByOne(messageArrived), note: noteArrived });
  const form = document.querySelector("[data-reply]");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form);
  });
  form.elements.text.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
} else if (page === "phones") {
  listen(`since=${root.dataset.revision}`, { message: oneByOne(phonesChanged) });
}
