"use strict";
/* The line: whether the server can be reached. It is asked every few seconds, and at once where the browser or the
   socket says that something changed. While it can't, what is pressed is kept, the latest alone: the browser would show
   its own error page in the place of ours. It goes on when the line is back, unless that took long. */
front.line = (() => {
  const { words } = front;
  const ASKED_EVERY = 5000;
  const ANSWERED_WITHIN = 10000;
  const KEPT_FOR = 120000;
  const bar = document.body.appendChild(
    Object.assign(document.createElement("p"), { id: "line", className: "connection-bar" }),
  );
  bar.setAttribute("role", "status");
  let reachable = true;
  let hasAnswered = false; // where nothing ever does, something keeps the question back, and not the line
  let kept = null;

  /* Returns the version of the page that the server would send now, nothing where that is unknown. */
  async function ask() {
    const given = new AbortController();
    const late = setTimeout(() => given.abort(), ANSWERED_WITHIN);
    const answer = await fetch(`${words("base")}/assets/version`, { signal: given.signal }).catch(() => null);
    clearTimeout(late);
    hasAnswered = hasAnswered || Boolean(answer);
    note(Boolean(answer) || (!hasAnswered && navigator.onLine));
    return answer?.ok ? (await answer.json().catch(() => ({}))).version : undefined;
  }

  function note(now) {
    if (now === reachable) return;
    reachable = now;
    document.body.toggleAttribute("data-unreachable", !now);
    if (!now) return say(words("offline"));
    const { go, at } = kept ?? {};
    kept = null;
    if (go && Date.now() - at < KEPT_FOR) {
      say("");
      go();
    } else {
      say(words(go ? "offlineAgain" : "connectionBack"), go ? 10000 : 2500);
    }
  }

  let timer = 0;
  function say(text, milliseconds) {
    clearTimeout(timer);
    bar.textContent = text;
    if (milliseconds) timer = setTimeout(() => (bar.textContent = ""), milliseconds);
  }

  function keep(event, go) {
    event.preventDefault();
    event.stopImmediatePropagation();
    kept = { go, at: Date.now() };
    say(words("offlineKept"));
  }

  /* On the window, so that they come before what `app.js` does with a press. */
  const leadsAway = (link) => /^https?:$/.test(link.protocol) && !link.getAttribute("href").startsWith("#");
  window.addEventListener(
    "click",
    (event) => {
      if (reachable) return;
      const pressed = event.target.closest?.("a[href], [type=submit], button.button");
      if (!pressed || pressed.matches("[data-theme-choice]") || (pressed.href && !leadsAway(pressed))) return;
      keep(event, () => (pressed.isConnected ? pressed.click() : pressed.href && location.assign(pressed.href)));
    },
    true,
  );
  window.addEventListener(
    "submit",
    (event) => {
      const { target: form, submitter } = event;
      /* Signing out tells every open tab to load again: the one that leaves is not to turn round. */
      if (reachable && form.matches("[data-leaves]")) window.socket?.off("open");
      if (!reachable) keep(event, () => (form.requestSubmit ?? form.submit).call(form, submitter));
    },
    true,
  );

  window.addEventListener("offline", () => note(false));
  window.addEventListener("online", ask);
  if (navigator.onLine === false) note(false);
  const popup = document.getElementById("popup");
  if (popup) {
    new MutationObserver(ask).observe(popup, { attributeFilter: ["aria-hidden"] });
    setInterval(() => document.visibilityState === "visible" && ask(), ASKED_EVERY);
    ask();
  }
  return { ask };
})();
