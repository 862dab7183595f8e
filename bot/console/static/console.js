// The console's little helper: pages come from the server; this file fetches them again when something changed.
"use strict";

const PAUSE_MS = 2000; // a busy bot must not keep every open page busy
const ANYWAY_MS = 30000; // what other processes did rings no bell here
const live = () => document.getElementById("live");
let waiting = 0;

// A page is not changed under somebody's hands: not while they type, choose, or have typed something that is not sent.
function busy() {
  const active = document.activeElement;
  return (active && active.closest("#live form, #live select")) || document.querySelector("#live form[data-touched]") || String(getSelection());
}

function refresh() {
  waiting = 0;
  const url = live()?.dataset.url;
  if (!url || !window.htmx) return;
  if (document.hidden || busy()) { soon(); return; }
  htmx.ajax("GET", url, { source: live(), target: live(), swap: "outerMorph" });
}

function soon(pause = PAUSE_MS) {
  if (!waiting) waiting = setTimeout(refresh, pause);
}

document.addEventListener("input", (event) => { event.target.form?.setAttribute("data-touched", ""); });
document.addEventListener("submit", (event) => { event.target.removeAttribute("data-touched"); });
document.addEventListener("htmx:after:swap", () => { if (live()?.hasAttribute("data-soon")) soon(700); });

function listen() {
  const events = document.body.dataset.events;
  if (!events) return;
  const offline = document.getElementById("offline");
  const source = new EventSource(events);
  source.addEventListener("changed", () => soon());
  source.addEventListener("hello", (event) => {
    offline.hidden = true;
    if (live()?.dataset.rings && event.data !== live().dataset.rings) soon();
  });
  source.onerror = () => {
    offline.hidden = false;
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, 3000);
  };
}

document.addEventListener("click", (event) => {
  const asks = event.target.closest("[data-confirm]");
  if (asks && !confirm(asks.dataset.confirm)) event.preventDefault();
});

document.addEventListener("change", (event) => {
  if (event.target.closest("form[data-auto]")) event.target.form.requestSubmit();
});

// "/" goes to the search field
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.target.closest("input, textarea, select")) return;
  const field = document.querySelector("input[type=search]");
  if (field) { event.preventDefault(); field.focus(); }
});

if (live()?.hasAttribute("data-soon")) soon(700);
setInterval(soon, ANYWAY_MS);
listen();

// ---------------------------------------------------------------- the editor of templates

document.addEventListener("click", (event) => {
  const spot = event.target.closest("[data-start]");
  const source = document.getElementById("source");
  if (spot && source) {
    source.focus();
    source.setSelectionRange(Number(spot.dataset.start), Number(spot.dataset.end));
  }
  if (event.target.id === "turn") {
    const number = document.getElementById("number");
    number.value = Number(number.value) + 1;
    document.getElementById("editor").dispatchEvent(new Event("turn"));
  }
});

// What was refused a moment ago no longer stands above words that were changed since.
document.addEventListener("input", (event) => {
  if (event.target.id === "source") document.querySelectorAll(".main .trouble, .trouble-list").forEach((note) => note.remove());
});

document.addEventListener("change", async (event) => {
  const field = event.target;
  if (field.id !== "rehearse-file" || !field.files.length) return;
  const shown = document.getElementById("rehearsal");
  const file = field.files[0];
  const head = { source: document.getElementById("source").value, format: document.getElementById("file-format").value, file: file.name };
  shown.replaceChildren("Rehearsing…");
  try {
    const body = new Blob([JSON.stringify(head), "\n", file]);
    const answer = await fetch(field.dataset.url, { method: "POST", body, headers: { "hx-request": "true", "accept": "text/html" } });
    const text = await answer.text();
    if (answer.headers.get("content-type")?.startsWith("text/html")) shown.innerHTML = text; else shown.replaceChildren(text);
  } catch (error) {
    shown.replaceChildren(`This did not work: ${error.message}`);
  }
  field.value = "";
});
