"""What tests ask of scenes (`tools/scenes.py`) in the browser, as JavaScript that answers with what is wrong."""

SMALL_TARGETS = """
() => [...document.querySelectorAll("#app a, #app button, #app summary, #app select, #app label.segment")]
  .filter((element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true }))
  .filter((element) => !element.closest(".visually-hidden, .skip-link, p, time, .in-text"))
  .map((element) => {
    const box = element.getBoundingClientRect();
    const after = getComputedStyle(element, "::after");
    const reach = after.content === "none" ? 0 : -(parseFloat(after.top) || 0) - (parseFloat(after.bottom) || 0);
    return [element.textContent.trim() || element.ariaLabel, Math.round(box.width), Math.round(box.height + reach)];
  })
  .filter(([, width, height]) => width < 44 || height < 44)
"""
"""Controls less than 44 px wide or high. Links within a sentence are as high as their line (WCAG 2.5.8)."""

OVERFLOWING = """
() => {
  const found = [];
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) found.push(`page: ${root.scrollWidth} > ${root.clientWidth}`);
  for (const element of document.querySelectorAll(".button, .badge, .nav-link, .segment, h1, h2")) {
    const hidden = element.closest(".visually-hidden") || getComputedStyle(element).clipPath !== "none";
    if (hidden || !element.checkVisibility()) continue;
    if (element.scrollWidth <= element.clientWidth + 1) continue;
    found.push(`${element.className || element.tagName}: ${element.textContent}`);
  }
  return found;
}
"""
"""The page if it scrolls sideways, and controls and headings whose words do not fit into them."""

LENGTHEN = """
() => {
  const walker = document.createTreeWalker(document.getElementById("app"), NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) texts.push(walker.currentNode);
  for (const text of texts) {
    const words = text.data.trim();
    if (!/[a-z]/i.test(words)) continue;
    text.data += " ēxträ".repeat(words.length).slice(0, Math.ceil(words.length * 0.4));
  }
}
"""
"""Make every text 40 % longer, as translations are."""
