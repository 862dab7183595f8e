// The playground's little helper: htmx does the fetching, this file tells it when, and keeps what people type.
"use strict";

const live = () => document.getElementById("live");
let inFlight = 0;
let pending = false;

// ---------------------------------------------------------------- news: one event stream, one refresh at a time

function refresh() {
  if (inFlight > 0 || !window.htmx) { pending = true; return; }
  pending = false;
  htmx.ajax("GET", live().dataset.url, { source: live(), target: live(), swap: "outerMorph" });
}

function listen() {
  const offline = document.getElementById("offline");
  const source = new EventSource(document.body.dataset.events);
  let lost = false;
  source.addEventListener("changed", refresh);
  source.addEventListener("hello", (event) => {
    offline.hidden = true;
    if (lost || event.data !== live().dataset.rings) refresh();
    lost = false;
  });
  source.onerror = () => {
    lost = true;
    offline.hidden = false;
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, 1500);
  };
}

document.addEventListener("htmx:before:request", () => { inFlight += 1; });
document.addEventListener("htmx:finally:request", () => {
  inFlight = Math.max(0, inFlight - 1);
  if (pending && inFlight === 0) setTimeout(refresh, 0);
});

// ---------------------------------------------------------------- forms keep what was typed while the page around them changes

document.addEventListener("input", (event) => {
  const form = event.target.form;
  if (form && form.hasAttribute("hx-post")) form.setAttribute("hx-morph-skip", "");
  count(event.target);
});

// What was typed belongs to a customer and place, or to a case and agent: it does not follow to another.
function letGo(tasks) {
  const next = tasks.map((task) => task.fragment?.querySelector("#live")).find(Boolean);
  if (!next) return;
  for (const form of document.querySelectorAll("form[hx-morph-skip][data-of]")) {
    if (form.dataset.of === next.dataset.phone || form.dataset.of === next.dataset.case) continue;
    form.reset();
    form.removeAttribute("hx-morph-skip");
  }
}

// A form that is taken empties itself; one with a mistake comes back with what was typed, and keeps it until it is sent again.
document.addEventListener("htmx:before:swap", (event) => {
  const { ctx, tasks } = event.detail;
  const page = tasks.map((task) => task.fragment?.querySelector("#live")).find(Boolean);
  if (ctx.response && ctx.response.status >= 500 && !page) { // the page that is here stays, with what was typed
    event.preventDefault();
    document.getElementById("offline").hidden = false;
    return;
  }
  letGo(tasks);
  const source = ctx.sourceElement;
  if (!(source instanceof HTMLFormElement)) return;
  source.removeAttribute("hx-morph-skip");
  if (ctx.response && ctx.response.status < 400 && page && !page.dataset.trouble) {
    source.reset();
    const menu = source.closest("details.menu");
    if (menu) menu.open = false;
  }
});

document.addEventListener("htmx:after:swap", (event) => {
  document.getElementById("offline").hidden = true;
  const there = live().dataset.url;
  if (event.detail.ctx.sourceElement?.tagName !== "A" && there !== location.pathname + location.search) {
    history.replaceState(null, "", there);
  }
  settle();
  if (!live().dataset.trouble) return;
  document.querySelectorAll("form:has(.trouble)").forEach((form) => form.setAttribute("hx-morph-skip", ""));
  document.querySelector("form [aria-invalid=true]")?.focus();
});

// What the page shows by itself, after each change of it.
function settle() {
  showPane();
  showChosen();
  hideSeen();
  tick();
  document.querySelectorAll("[data-count]").forEach(count);
}

// The list scrolls to the chosen case when another one is chosen, and else stays where somebody left it.
let chosen = "";

function showChosen() {
  const line = document.querySelector(".queue [aria-current]");
  if (!line || chosen === live().dataset.mark) return;
  chosen = live().dataset.mark;
  const queue = line.closest(".queue");
  queue.scrollTop = line.offsetTop - (queue.clientHeight - line.offsetHeight) / 2;
}

// A dot says that there are words one has not seen: those on the screen are seen.
function hideSeen() {
  const news = document.querySelector(".screen")?.dataset.news;
  if (news) sessionStorage.setItem(`seen ${news}`, "1");
  document.querySelectorAll(".dot[data-news]").forEach((dot) => { dot.hidden = !!sessionStorage.getItem(`seen ${dot.dataset.news}`); });
}

// ---------------------------------------------------------------- narrow screens show one part; which one is this browser's own affair

let pane = "";

function showPane() {
  if (!pane) return;
  live().dataset.pane = pane;
  document.querySelectorAll("[data-to-pane]").forEach((link) => {
    if (link.dataset.toPane === pane) link.setAttribute("aria-current", "page"); else link.removeAttribute("aria-current");
  });
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-to-pane]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  pane = link.dataset.toPane;
  showPane();
  window.scrollTo(0, 0);
});

document.addEventListener("htmx:error", () => { document.getElementById("offline").hidden = false; });

// Enter sends a message; Shift+Enter makes a new line. Everywhere else Ctrl+Enter sends.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.isComposing || event.target.tagName !== "TEXTAREA") return;
  const form = event.target.form;
  if (!form) return;
  if (event.ctrlKey || event.metaKey || (form.hasAttribute("data-enter") && !event.shiftKey)) {
    event.preventDefault();
    form.requestSubmit();
  }
});

// A menu closes when something in it is chosen, when anything else is clicked, and by Escape.
document.addEventListener("click", (event) => {
  const here = event.target.closest("details.menu");
  const done = event.target.closest(".pop a");
  document.querySelectorAll("details.menu[open]").forEach((menu) => { if (menu !== here || done) menu.open = false; });
});

document.addEventListener("submit", (event) => {
  const here = event.target.closest("details.menu");
  document.querySelectorAll("details.menu[open]").forEach((menu) => { if (menu !== here) menu.open = false; });
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  document.querySelectorAll("details.menu[open]").forEach((menu) => {
    if (menu.contains(document.activeElement)) menu.querySelector("summary").focus();
    menu.open = false;
  });
});

function count(field) {
  if (!field.dataset || !field.dataset.count) return;
  const shown = document.querySelector(`[data-count-of="${field.id}"]`);
  if (!shown) return;
  const form = field.form;
  const direct = form.elements.surface && form.elements.surface.value === "direct";
  const most = direct ? 10000 : 280;
  const length = [...field.value].length;
  shown.textContent = length > most / 2 || (length && !direct) ? `${length} / ${most}` : "";
  shown.classList.toggle("over", length > most);
}

document.addEventListener("change", (event) => {
  if (event.target.name === "surface") event.target.form.querySelectorAll("[data-count]").forEach(count);
});

// ---------------------------------------------------------------- the virtual clock runs on between two refreshes

let offsetMs = 0;
let anchor = "";

function tick() {
  const now = document.getElementById("now");
  if (!now) return;
  if (now.dataset.now !== anchor) {
    anchor = now.dataset.now;
    offsetMs = Date.parse(anchor) - Date.now();
  }
  const at = new Date(Date.now() + offsetMs);
  const say = new Intl.DateTimeFormat("en-GB", {
    timeZone: now.dataset.zone, weekday: "short", day: "2-digit", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit",
  });
  const part = Object.fromEntries(say.formatToParts(at).map((piece) => [piece.type, piece.value]));
  now.textContent = `${part.weekday} ${part.day} ${part.month} ${part.hour}:${part.minute}:${part.second}`;
  document.querySelectorAll("[data-until]").forEach((element) => {
    const left = (Date.parse(element.dataset.until) - at.getTime()) / 1000;
    const words = spell(Math.abs(left));
    const text = left >= 0 ? `in ${words}` : `${words} ago`;
    if (element.textContent !== text) element.textContent = text;
  });
}

function spell(seconds) {
  seconds = Math.round(seconds);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 600) return seconds % 60 ? `${Math.floor(seconds / 60)} min ${seconds % 60} s` : `${seconds / 60} min`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  const days = Math.floor(hours / 24);
  return `${days} ${days === 1 ? "day" : "days"}${hours % 24 ? ` ${hours % 24} h` : ""}`;
}

setInterval(tick, 1000);
settle();
document.querySelector(".nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
listen();
