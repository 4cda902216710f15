"use strict";
/* What a page in NiceGUI's own document needs beside `app.js`: the hand-over from the first text to Vue's, and one
   theme for our frame and for Quasar. */
(() => {
  const root = document.documentElement;
  const { lang, dir } = root;
  const COLORS = {
    primary: "brand",
    secondary: "muted",
    accent: "link",
    dark: "surface",
    "dark-page": "ground",
    positive: "success",
    negative: "danger",
    info: "info",
    warning: "warning",
  };

  /* NiceGUI's document makes its app and mounts it in one go. So the app that it makes mounts in our way. */
  const createApp = globalThis.createApp;
  globalThis.createApp = (...given) => {
    const app = createApp(...given);
    const mount = app.mount;
    app.mount = async (place) => {
      await front.quiet();
      const kept = front.keep();
      dress();
      mount(place);
      Object.assign(root, { lang, dir });
      front.restore(kept);
    };
    return app;
  };

  const isDark = () =>
    root.dataset.theme === "dark" ||
    (root.dataset.theme === "system" && matchMedia("(prefers-color-scheme: dark)").matches);

  function dress() {
    for (const [name, token] of Object.entries(COLORS)) {
      document.body.style.setProperty(`--q-${name}`, `var(--${token})`);
    }
    new MutationObserver(() => {
      const { theme } = root.dataset;
      Quasar.Dark.set(theme === "system" ? "auto" : theme === "dark");
    }).observe(root, { attributeFilter: ["data-theme"] });
    new MutationObserver(() => {
      const wanted = document.body.classList.contains("body--dark");
      if (wanted !== isDark()) root.dataset.theme = wanted ? "dark" : "light"; // by ui.dark_mode
    }).observe(document.body, { attributeFilter: ["class"] });
  }
})();
