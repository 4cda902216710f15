"use strict";
/* What a document for strangers does beside `app.js`: it has no socket, so it asks whether it is still what the server
   would send, counts quantities and their totals, and keeps what was typed when one of its forms leaves it. */
(() => {
  const { FIELDS, announce, quantityOf, remembered, words } = front;
  const shown = document.documentElement.dataset.version;
  const ASKED_EVERY = 2500;
  const ONCE_IN = 60000;

  /* Another catalog, a banner, a sign-in in another tab: the page loads itself again. Once in a minute for the same
     news, since another server may still send the old page. */
  async function look() {
    if (document.visibilityState !== "visible" || document.querySelector("form[data-busy]")) return;
    const version = (await front.line?.ask()) ?? shown;
    if (version === shown) return;
    await front.quiet();
    const [before, at] = (remembered.getItem("updated") ?? "").split(" ");
    if (before === version && Date.now() - Number(at) < ONCE_IN) return;
    remembered.setItem("updated", `${version} ${Date.now()}`);
    remembered.setItem("say", "updated");
    keepTyped();
    location.reload();
  }

  function sayWhy() {
    const why = remembered.getItem("say");
    remembered.removeItem("say");
    if (why) announce(words(why));
  }

  function keepTyped(form) {
    const others = [...document.querySelectorAll(FIELDS)].filter((field) => !form || field.form !== form);
    const typed = others.filter((field) => field.value !== field.defaultValue);
    if (!typed.length) return;
    remembered.setItem("typed", JSON.stringify(typed.map((field) => [quantityOf(field), field.value])));
  }

  function step(button) {
    const field = button.closest("[data-quantity]").querySelector("input");
    const next = (Number.parseInt(field.value, 10) || 0) + Number(button.dataset.step);
    field.value = String(Math.min(Math.max(next, Number(field.min)), Number(field.max)));
    showTotal(field);
  }

  /* What so many cost together, in the server's own words; where it wrote none for that many, nothing is said. */
  function showTotal(field) {
    const note = field.form?.querySelector("[data-totals]");
    if (!note) return;
    note.textContent = note.dataset.totals.split("|")[Number(field.value) - Number(field.min)] ?? "";
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-quantity] [data-step]");
    if (button) step(button);
  });
  document.addEventListener("input", (event) => event.target.matches(FIELDS) && showTotal(event.target));
  document.addEventListener("submit", (event) => keepTyped(event.target));
  document.addEventListener("visibilitychange", look);
  window.addEventListener("pageshow", look);
  setInterval(look, ASKED_EVERY);

  sayWhy();
  document.querySelectorAll(FIELDS).forEach(showTotal); // a browser may have kept what was typed
  front.begin();
  document.documentElement.dataset.ready = "";
})();
