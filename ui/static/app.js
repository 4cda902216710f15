"use strict";
/* What a page does by itself, beside NiceGUI's own script: keep a reader's place while the page starts, answer a press
   at once and only once, show the other interval's prices, remember theme, zone and language, say when the connection
   is lost. Everything works without it, slower. */
const front = (() => {
  const app = () => document.getElementById("app");
  const words = (name) => document.body.dataset[name] ?? "";

  /* Events from before the handshake wait in NiceGUI's own timers of 10 ms, where a later press would overtake them. So
     a page counts as connected a little after it: until then its forms are posted. */
  let ready = false;
  const connected = () => Boolean(ready && window.socket?.connected);

  function awaitHandshake() {
    setTimeout(() => (window.did_handshake ? setTimeout(() => (ready = true), 20) : awaitHandshake()), 10);
  }

  /* The page that the server sent is replaced by the same page drawn by Vue. Focus, open menus and choices made in
     between are carried over by their place in the tree. */
  const place = (element) => {
    const path = [];
    for (let node = element; node && node !== app(); node = node.parentElement) {
      path.unshift([...node.parentElement.children].indexOf(node));
    }
    return path;
  };
  const at = (path) => path.reduce((node, index) => node?.children[index], app());

  function keep() {
    const active = document.activeElement;
    return {
      focus: app().contains(active) && active !== document.body ? place(active) : null,
      open: [...app().querySelectorAll("details[open]")].map(place),
      checked: [...app().querySelectorAll("input:checked")].filter((input) => !input.defaultChecked).map(place),
      scroll: scrollY,
    };
  }

  function restore(kept) {
    kept.open.forEach((path) => at(path)?.setAttribute("open", ""));
    kept.checked.forEach((path) => at(path)?.click());
    if (kept.focus) at(kept.focus)?.focus({ preventScroll: true });
    if (scrollY !== kept.scroll) scrollTo(0, kept.scroll);
    showTheme(document.documentElement.dataset.theme);
    awaitHandshake();
    watch();
    putBackTyped();
    arrive();
  }

  /* NiceGUI's own emitEvent speaks to a Vue component. Our root is a plain element, so it gets a DOM event. */
  function emit(name, detail) {
    document.getElementById("c0")?.dispatchEvent(new CustomEvent(name, { detail: detail ?? {} }));
  }

  function announce(text) {
    const live = document.getElementById("announcements");
    if (live) live.textContent = text;
  }

  /* Busy forms: the first press marks the form, further ones do nothing until the page leaves or the server changes
     `data-attempt`. Without a socket the form is posted. */
  const timers = new WeakMap();

  function setBusy(form, button) {
    form.dataset.busy = "";
    if (button) {
      button.dataset.busy = "";
      button.setAttribute("aria-disabled", "true");
      announce(button.dataset.busyLabel ?? "");
    }
    timers.set(form, [
      setTimeout(() => explain(form, words("slow")), 3000),
      setTimeout(() => (clearBusy(form), explain(form, words("verySlow"))), 10000),
    ]);
  }

  function explain(form, text) {
    form.dataset.slow = text;
    announce(text);
  }

  function clearBusy(form) {
    (timers.get(form) ?? []).forEach(clearTimeout);
    delete form.dataset.busy;
    delete form.dataset.slow;
    form.querySelectorAll("[data-busy]").forEach((button) => {
      delete button.dataset.busy;
      button.removeAttribute("aria-disabled");
    });
  }

  /* Vue replaces the page's elements when it mounts. A press that began on the old ones would be lost, and a form that
     is on its way would look untouched: so it waits for both, though not for a finger that never comes up again. So does
     a page that loads itself again. A press may have begun before this script came. */
  let pressedAt = document.querySelector(":active") ? performance.now() : -Infinity;
  for (const kind of ["pointerdown", "keydown"]) {
    document.addEventListener(kind, () => (pressedAt = performance.now()), true);
  }
  for (const kind of ["pointerup", "pointercancel", "keyup"]) {
    document.addEventListener(kind, () => setTimeout(() => (pressedAt = -Infinity)), true);
  }

  async function quiet() {
    while (performance.now() - pressedAt < 3000 || document.querySelector("form[data-busy]")) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  const onceForm = (target) => target.closest?.("form[data-once]");

  document.addEventListener(
    "click",
    (event) => {
      /* A link leads on. */
      if (event.target.closest?.("a.button[href]") && !connected()) event.stopImmediatePropagation();
      const button = event.target.closest?.("form[data-once] [type=submit]");
      if (!button) return;
      const form = onceForm(button);
      if ("busy" in form.dataset) {
        event.preventDefault();
        event.stopImmediatePropagation();
      } else if (connected()) {
        setBusy(form, button);
      } else {
        /* So that Vue does not keep the browser from posting the form. */
        event.stopImmediatePropagation();
      }
    },
    true,
  );
  document.addEventListener(
    "submit",
    (event) => {
      const form = onceForm(event.target);
      if (!form || event.defaultPrevented || "busy" in form.dataset) return;
      nameAccount(form);
      /* Changes that are on their way keep nobody from pressing the form's own button, nor from changing more. */
      if (!event.submitter?.matches("[data-send-changes]")) setTimeout(() => setBusy(form, event.submitter));
    },
    true,
  );
  /* A form that is posted says for whom its page was drawn: another may have signed in since. */
  function nameAccount(form) {
    form.querySelector("[data-added]")?.remove();
    const said = { type: "hidden", name: "account", value: words("account") };
    const added = Object.assign(document.createElement("input"), said);
    added.dataset.added = "";
    form.append(added);
  }

  addEventListener("pageshow", () => document.querySelectorAll("form[data-busy]").forEach(clearBusy));

  /* Monthly or yearly: both texts are in the page. */
  function showInterval(root, interval) {
    root.querySelectorAll("[data-month][data-year]").forEach((element) => {
      const text = element.dataset[interval];
      /* They are of the other text; the server says the new ones. */
      delete element.dataset.claims;
      if (element.tagName === "INPUT") element.value = text;
      else if (element.tagName === "A") element.setAttribute("href", text);
      else show(element, text);
    });
  }

  /* A browser that translates the page puts an element of its own in the place of a text, and what is then written into
     the text is not seen. So a text that changes takes its place again; the browser translates it anew. */
  const originals = new WeakMap();
  const standIns = new WeakMap();
  const texts = new MutationObserver((changes) => changes.forEach(({ target }) => putBack(target)));

  function noteTranslation({ removedNodes, addedNodes, previousSibling, nextSibling }) {
    for (const text of removedNodes) {
      if (text.nodeType !== Node.TEXT_NODE) continue;
      const standIn = [...addedNodes, previousSibling, nextSibling].find((node) => node?.nodeName === "FONT");
      if (!standIn) continue;
      standIns.set(text, standIn);
      originals.set(standIn, text);
      texts.observe(text, { characterData: true });
    }
  }

  function putBack(text) {
    const standIn = standIns.get(text);
    if (standIn?.isConnected) standIn.replaceWith(text);
  }

  function show(element, words) {
    const first = element.firstChild;
    const text = originals.get(first) ?? first;
    if (text?.nodeType !== Node.TEXT_NODE) {
      element.textContent = words;
    } else {
      text.data = words;
      putBack(text);
    }
  }

  /* Preferences are cookies, so that the next page comes in them; the server reads them and nothing else does. */
  function remember(name, value) {
    document.cookie =
      `${name}=${encodeURIComponent(value)}; Path=${words("base") || "/"}; Max-Age=31536000; SameSite=Lax` +
      (location.protocol === "https:" ? "; Secure" : "");
  }

  function setTheme(theme) {
    remember("theme", theme);
    dropFromAddress("theme");
    document.documentElement.dataset.theme = theme;
    const scheme = document.querySelector("meta[name=color-scheme]");
    if (scheme) scheme.content = theme === "system" ? "light dark" : theme;
    showTheme(theme);
  }

  function showTheme(theme) {
    document.querySelectorAll("[data-theme-choice]").forEach((button) => {
      button.setAttribute("aria-pressed", String(button.value === theme));
    });
  }

  document.addEventListener("click", (event) => {
    const choice = event.target.closest?.("[data-theme-choice]");
    if (choice) {
      event.preventDefault();
      setTheme(choice.value);
    }
    document.querySelectorAll("details[data-menu][open]").forEach((menu) => {
      if (!menu.contains(event.target)) menu.removeAttribute("open");
    });
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    document.querySelectorAll("details[data-menu][open]").forEach((menu) => {
      menu.removeAttribute("open");
      menu.querySelector("summary")?.focus();
    });
  });
  function showChoice(radio) {
    document.querySelectorAll("[data-swaps]").forEach((root) => showInterval(root, radio.value));
    remember("interval", radio.value);
    const here = new URL(location.href);
    new FormData(radio.form).forEach((value, name) => here.searchParams.set(name, value));
    history.replaceState(history.state, "", here);
  }

  document.addEventListener("change", (event) => {
    const target = event.target;
    if (target.matches("[data-interval-choice]")) {
      showChoice(target);
    } else if (target.matches("[data-send-on-change]")) {
      (target.form.requestSubmit ?? target.form.submit).call(target.form);
    }
  });

  /* A problem in the address is news once: not when a user comes back to this page or loads it again. */
  if (new URL(location.href).searchParams.has("problem")) dropFromAddress("problem");

  function dropFromAddress(name) {
    const address = new URL(location.href);
    address.searchParams.delete(name);
    history.replaceState(history.state, "", address);
  }

  /* A language and a theme that the address names are the next page's too; not so in a frame on another site. */
  for (const [name, cookie, shown] of [
    ["lang", "locale", document.documentElement.lang],
    ["theme", "theme", document.documentElement.dataset.theme],
  ]) {
    const named = new URL(location.href).searchParams.get(name);
    if (named?.toLowerCase() === shown.toLowerCase() && window.top === window) remember(cookie, shown);
  }

  /* The connection that never comes: the page says that it is not live. One that waits for news loads itself again. */
  setTimeout(() => {
    if (ready) return;
    document.getElementById("popup")?.setAttribute("aria-hidden", "false");
    setInterval(async () => {
      await quiet();
      if (!ready && !("unreachable" in document.body.dataset) && document.querySelector("[data-waits]")) location.reload();
    }, 10000);
  }, 8000);

  /* The lost connection: one calm line, which goes by itself. */
  function watchConnection(bar) {
    let lost = false;
    new MutationObserver(() => {
      const hidden = bar.getAttribute("aria-hidden") === "true";
      if (!hidden && !lost) {
        lost = true;
        bar.textContent = words(ready ? "connectionLost" : "connectionNone");
      } else if (hidden && lost) {
        lost = false;
        bar.textContent = words("connectionBack");
        bar.dataset.back = "";
        setTimeout(() => delete bar.dataset.back, 2500);
        tell("reconnected");
      }
    }).observe(bar, { attributeFilter: ["aria-hidden"] });
  }

  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  function tell(reason) {
    if (connected()) emit("visit", { reason, timezone: zone });
  }

  /* News may draw the button anew that has the focus, or take it away. Then the same button in its new form gets the
     focus, else the heading of the part it stood in: never a button that does something else. */
  let lastFocus = null;

  function ancestors(element) {
    const found = [];
    for (let node = element; node && node !== app(); node = node.parentElement) {
      found.push({ node, name: node.dataset.testid });
    }
    return found;
  }

  /* Older browsers have no `checkVisibility`. */
  function visible(node) {
    return Boolean(node?.isConnected && (node.checkVisibility?.() ?? node.getClientRects().length > 0));
  }

  function keepFocus() {
    const active = document.activeElement;
    if (!lastFocus || (active !== document.body && active !== lastFocus.element)) return;
    const { element, around } = lastFocus;
    if (visible(element)) return;
    lastFocus = null;
    const left = around.find(({ node }) => visible(node))?.node ?? document.getElementById("main");
    for (const { name } of around) {
      const again = name && left.querySelector(`[data-testid="${name}"]`);
      if (visible(again)) return focusOn(again.tabIndex >= 0 ? again : again.querySelector("h1, h2, h3"));
    }
    const part = left.closest("section, li, article, main") ?? document;
    focusOn(part.querySelector("h1, h2, h3") ?? document.querySelector("h1"));
  }

  function focusOn(element) {
    if (element?.tabIndex < 0) element.setAttribute("tabindex", "-1");
    element?.focus({ preventScroll: true });
  }

  const bar = document.getElementById("popup");
  if (bar) watchConnection(bar);

  function watch() {
    new MutationObserver((changes) => {
      keepFocus();
      changes.forEach(noteTranslation);
      for (const { target, attributeName, addedNodes } of changes) {
        if (attributeName === "data-attempt") clearBusy(target);
        for (const node of addedNodes) {
          if (node.nodeType !== Node.ELEMENT_NODE) continue;
          const notice = node.matches("[data-focus]") ? node : node.querySelector("[data-focus]");
          notice?.focus();
        }
      }
    }).observe(app(), { subtree: true, childList: true, attributeFilter: ["data-attempt", "hidden"] });
    document.addEventListener("focusin", ({ target }) => {
      lastFocus = { element: target, around: ancestors(target) };
    });
    document.addEventListener("focusout", ({ target }) => {
      queueMicrotask(() => {
        if (lastFocus?.element === target && visible(target)) lastFocus = null;
      });
    });
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && tell("visible"));
    addEventListener("online", () => tell("online"));
    if (zone) remember("timezone", zone);
  }

  /* After a step within the site the focus starts at the new page's heading, so that it is what is read first. */
  function arrive() {
    const notice = document.querySelector("[data-focus]");
    const kind = performance.getEntriesByType("navigation")[0]?.type;
    const fromHere = document.referrer.startsWith(`${location.origin}/`);
    const heading = notice ?? (fromHere && kind === "navigate" && !location.hash ? document.querySelector("h1") : null);
    if (!heading || app().contains(document.activeElement)) return;
    heading.setAttribute("tabindex", "-1");
    heading.focus({ preventScroll: !notice || scrollY > 0 });
  }

  /* The text that the server sent comes first. What draws it anew, 200 kB, is asked for once it is on screen: it would
     share the line with the text, and the browser may come to show the text only after the scripts' work. */
  const load = (...scripts) => shown().then(() => loadAtOnce(...scripts));

  /* Firefox drops what is under way when its reader leaves, and calls that a failure. It is told later, to who stays. */
  async function loadAtOnce(...scripts) {
    const [Vue] = await Promise.all([import("vue"), ...scripts.map(insert)]).catch(
      (error) => new Promise((_, fail) => setTimeout(fail, 3000, error)),
    );
    Object.assign(globalThis, { Vue, emitEvent: emit });
  }

  function insert(address) {
    return new Promise((resolve, reject) => {
      const script = Object.assign(document.createElement("script"), { src: address, async: false });
      script.addEventListener("load", resolve);
      script.addEventListener("error", () => reject(new Error(`${address} did not load`)));
      document.head.append(script);
    });
  }

  /* Resolves when the first text is on screen: at once where nothing is shown, and within a second. */
  function shown() {
    const watched = PerformanceObserver.supportedEntryTypes?.includes("paint");
    if (!watched || document.visibilityState !== "visible") return Promise.resolve();
    return new Promise((resolve) => {
      setTimeout(resolve, 1000);
      new PerformanceObserver((list) => {
        if (list.getEntriesByName("first-contentful-paint").length) resolve();
      }).observe({ type: "paint", buffered: true });
    });
  }

  /* What was typed into other quantity fields when a document's form left the page (`document.js`) is put back. */
  const FIELDS = "[data-quantity] input";
  const quantityOf = (field) => field.closest("[data-quantity]").dataset.quantity;

  const remembered = (() => {
    try {
      return sessionStorage;
    } catch {
      return { getItem: () => null, setItem() {}, removeItem() {} };
    }
  })();

  function putBackTyped() {
    const typed = new Map(JSON.parse(remembered.getItem("typed") ?? "[]"));
    remembered.removeItem("typed");
    for (const field of typed.size ? document.querySelectorAll(FIELDS) : []) {
      if (!typed.has(quantityOf(field))) continue;
      field.value = typed.get(quantityOf(field));
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
  }

  /* What a document without a socket does at once. */
  function begin() {
    if (zone) remember("timezone", zone);
    showTheme(document.documentElement.dataset.theme);
    putBackTyped();
    arrive();
  }

  /* Nothing waits for it. */
  shown().then(() => insert(words("lineScript"))).catch(() => {});
  document.documentElement.dataset.scripted = ""; // what stands in for this script goes
  return { FIELDS, announce, begin, connected, keep, load, loadAtOnce, quantityOf, quiet, remembered, restore, words };
})();
