// Keys, confirmations, and what is typed is not lost. Everything works without this file, with
// links and forms.
"use strict";

// A form or button with data-ask is sent only after "yes"; and none is sent twice from one page.
const sent = new WeakSet();
document.addEventListener("submit", (event) => {
  const question = event.submitter?.dataset.ask ?? event.target.dataset.ask;
  if (sent.has(event.target) || (question && !window.confirm(question))) {
    event.preventDefault();
    return;
  }
  if (event.target.method !== "post") return;
  sent.add(event.target);
  if (event.submitter) setTimeout(() => { event.submitter.disabled = true; }); // its value goes along
  if (new URL(event.target.action).pathname === "/sign-out") sessionStorage.clear();
});
window.addEventListener("pageshow", () => { // also back on a page that was left: it may be sent again
  for (const form of document.forms) {
    sent.delete(form);
    for (const button of form.querySelectorAll("button")) button.disabled = false;
  }
});

// A key presses what carries it: data-key="a". Never while somebody types, and once however long.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches("input, textarea, select, [contenteditable]")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (event.key === "j" || event.key === "k") {
    step(event.key === "j" ? 1 : -1);
    event.preventDefault();
    return;
  }
  const pressed = [...document.querySelectorAll("[data-key]")].find((it) => it.dataset.key === event.key);
  if (!pressed) return;
  event.preventDefault();
  if (event.repeat) return;
  if (pressed.matches("input, textarea, select")) pressed.focus();
  else if (pressed.matches("dialog")) pressed.open ? pressed.close() : pressed.showModal();
  else pressed.click();
  if (pressed.matches("details[open] > summary")) {
    pressed.parentElement.querySelector("select, input:not([type=hidden]), textarea, button, a")?.focus();
  }
});

// j and k walk through what is marked data-step.
function step(by) {
  const stops = [...document.querySelectorAll("[data-step]")];
  if (!stops.length) return;
  const at = stops.indexOf(document.activeElement);
  stops[Math.min(stops.length - 1, Math.max(0, at + by))].focus();
}

// What is typed into a field with data-keep stays in this tab, for who typed it, until its form
// has done what it is for: a session that ended meanwhile costs no words.
const who = document.body.dataset.visitor;
if (who && sessionStorage.getItem("who") !== who) {
  sessionStorage.clear();
  sessionStorage.setItem("who", who);
}
const done = new URLSearchParams(location.search).get("done");
if (done && sessionStorage.getItem("done") !== location.href) { // once, not when it is loaded again
  sessionStorage.setItem("done", location.href);
  for (const name of Object.keys(sessionStorage)) {
    if (name.startsWith(`${location.pathname}/${done} `)) sessionStorage.removeItem(name);
  }
}
for (const field of document.querySelectorAll("[data-keep]")) {
  const name = `${new URL(field.form.action).pathname} ${field.name}`;
  field.value = sessionStorage.getItem(name) ?? field.value;
  field.addEventListener("input", () => sessionStorage.setItem(name, field.value));
}
