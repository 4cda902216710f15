"use strict";
// NiceGUI's own emitEvent speaks to a Vue component; our root is a plain <div>, so the event is a DOM event.
globalThis.emitEvent = (name, detail) =>
  document.getElementById("c0")?.dispatchEvent(new CustomEvent(name, { detail: detail ?? {} }));
