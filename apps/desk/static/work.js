// Keys and confirmations. Everything works without this file, with links and forms.
"use strict";

// A form or button with data-ask is sent only after "yes".
document.addEventListener("submit", (event) => {
  const question = event.submitter?.dataset.ask ?? event.target.dataset.ask;
  if (question && !window.confirm(question)) event.preventDefault();
});

// A key presses what carries it: data-key="a". Never while somebody types.
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
  if (pressed.matches("input, textarea, select")) pressed.focus();
  else if (pressed.matches("dialog")) pressed.open ? pressed.close() : pressed.showModal();
  else pressed.click();
});

// j and k walk through what is marked data-step.
function step(by) {
  const stops = [...document.querySelectorAll("[data-step]")];
  if (!stops.length) return;
  const at = stops.indexOf(document.activeElement);
  stops[Math.min(stops.length - 1, Math.max(0, at + by))].focus();
}
