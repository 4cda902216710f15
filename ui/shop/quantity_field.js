/* What a quantity field does in the browser: its − and + buttons, and telling the server what stands in it.

   It draws nothing. The fields are plain inputs of the page; `quantity_field.py` says why. */
const FIELD = "[data-quantity] input";
const typedBeforeStart = new Map();
let tell = (field) => typedBeforeStart.set(nameOf(field), field.value);

const nameOf = (field) => field.closest("[data-quantity]").dataset.quantity;
const connected = () => front.connected();
const fieldOf = (event) => (event.target.matches?.(FIELD) ? event.target : null);

document.addEventListener("input", (event) => {
  const field = fieldOf(event);
  if (field) tell(field, false);
});

document.addEventListener("change", (event) => {
  const field = fieldOf(event);
  if (!field) return;
  const update = field.closest("[data-native]").querySelector("[data-send-changes]");
  if (!connected() && update) post(field, update);
  else tell(field, true);
});

/* Without a connection the cart is posted, and comes back with what that many cost. Not under a press, as of the checkout
   when it takes the focus from the field: a page that comes anew would lose it. Wherever it leads to, what was typed is
   kept. */
async function post(field, update) {
  if ("busy" in update.form.dataset) return; // it is on its way already
  const began = performance.now();
  if (document.querySelector(":active")) {
    const body = new URLSearchParams(new FormData(update.form));
    fetch(update.formAction, { method: "POST", body, keepalive: true, redirect: "manual" }).catch(() => {});
  }
  await front.quiet();
  if (ledAwayAt >= began || !update.isConnected) return; // a page drawn anew tells of it itself (`mounted`)
  if (connected()) tell(field, true);
  else update.click();
}

/* On the window, before `app.js` keeps others from hearing of it. */
let ledAwayAt = -Infinity;
window.addEventListener("submit", () => (ledAwayAt = performance.now()), true);
window.addEventListener(
  "click",
  ({ target, ctrlKey, metaKey, shiftKey }) => {
    const link = target.closest?.("a[href]:not([target], [href^='#'])");
    if (link && !(ctrlKey || metaKey || shiftKey)) ledAwayAt = performance.now();
  },
  true,
);

/* Without a connection the forms do their work by being posted: Vue must not keep them from it. */
function leaveToBrowser(event) {
  if (!connected() && event.target.closest?.("[data-native] button, [data-native]")) {
    event.stopImmediatePropagation();
  }
}

document.addEventListener(
  "click",
  (event) => {
    const step = event.target.closest?.("[data-quantity] [data-step]");
    if (!step) return leaveToBrowser(event);
    const field = step.closest("[data-quantity]").querySelector("input");
    const [least, most] = [Number(field.min), Number(field.max)];
    const next = (Number.parseInt(field.value, 10) || 0) + Number(step.dataset.step);
    field.value = String(Math.min(Math.max(next, least), most));
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.dispatchEvent(new Event("change", { bubbles: true }));
  },
  true,
);
document.addEventListener("submit", leaveToBrowser, true);

export default {
  emits: ["quantity"],
  render: () => null,
  mounted() {
    tell = (field, done) => {
      const element = this.$root.elements[field.id.slice(1)];
      if (element) element.props.value = field.value; // so that a later drawing of the page keeps what was typed
      this.$emit("quantity", { name: nameOf(field), value: field.value.slice(0, 20), done });
    };
    for (const field of document.querySelectorAll(FIELD)) {
      const typed = typedBeforeStart.get(nameOf(field));
      if (typed === undefined) continue;
      field.value = typed;
      tell(field, true);
    }
  },
};
