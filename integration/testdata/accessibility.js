// Checks a page for people who use a keyboard or a screen reader, or see badly. Returns a list of what is wrong.
(() => {
  const wrong = [];
  const all = (s) => [...document.querySelectorAll(s)];
  const seen = (e) => !!(e.offsetWidth || e.offsetHeight || e.getClientRects().length) && getComputedStyle(e).visibility !== "hidden" &&
    e.checkVisibility({ contentVisibilityAuto: true });
  const say = (e) => e.outerHTML.slice(0, 90);
  const name = (e) => (e.getAttribute("aria-label") ||
    (e.getAttribute("aria-labelledby") || "").split(/\s+/).map((i) => (document.getElementById(i) || {}).textContent || "").join(" ") ||
    (e.labels && [...e.labels].map((l) => l.textContent).join(" ")) || e.textContent || e.getAttribute("alt") || "").trim();

  if (!/^[a-z]{2}/.test(document.documentElement.lang)) wrong.push("the page has no language");
  if (!document.title.trim()) wrong.push("the page has no title");
  if (!document.querySelector("meta[name=viewport]")) wrong.push("no viewport");
  for (const landmark of ["header", "main", "footer"]) if (all(landmark).length !== 1) wrong.push("want one " + landmark);
  if (all("h1").length !== 1) wrong.push("want one h1");
  let level = 0;
  for (const h of all("h1,h2,h3,h4,h5,h6").filter(seen)) {
    const l = Number(h.tagName[1]);
    if (l > level + 1) wrong.push("a heading skips a level: " + say(h));
    level = l;
    if (!name(h)) wrong.push("an empty heading");
  }
  const ids = new Map();
  for (const e of all("[id]")) {
    if (ids.has(e.id)) wrong.push("the id " + e.id + " is there twice");
    ids.set(e.id, e);
  }
  for (const e of all("[aria-labelledby],[aria-describedby]"))
    for (const attribute of ["aria-labelledby", "aria-describedby"])
      for (const id of (e.getAttribute(attribute) || "").split(/\s+/).filter(Boolean))
        if (!ids.has(id)) wrong.push(attribute + " names " + id + ", which is not there");
  for (const e of all("img")) if (!e.hasAttribute("alt")) wrong.push("an image without alt: " + say(e));
  for (const e of all("svg").filter(seen))
    if (e.getAttribute("aria-hidden") !== "true" && !(e.getAttribute("role") === "img" && name(e))) wrong.push("a picture without a name: " + say(e));
  for (const e of all("a[href],button,input:not([type=hidden]),select,textarea,summary,[tabindex]")) if (!name(e)) wrong.push("a control without a name: " + say(e));
  for (const e of all("[tabindex]")) if (e.tabIndex > 0) wrong.push("a tab order of its own: " + say(e));
  for (const t of all("table")) {
    if (!t.querySelector("thead th[scope=col]")) wrong.push("a table without column heads: " + say(t));
    if (!t.caption && !t.closest("[aria-labelledby],[aria-label]")) wrong.push("a table without a name: " + say(t));
    for (const r of t.querySelectorAll("tbody tr")) if (!r.querySelector("th[scope=row]")) wrong.push("a row without a head: " + say(r));
  }
  const region = document.querySelector("[aria-live],[role=status],[role=alert]");
  if (document.getElementById("draw") && !region) wrong.push("changes are not announced");
  for (const e of all("[style],[onclick]")) wrong.push("something inline: " + say(e));

  // Contrast of every piece of text against its background.
  const colour = (s) => { const m = s.match(/[\d.]+/g).map(Number); return { r: m[0], g: m[1], b: m[2], a: m.length > 3 ? m[3] : 1 }; };
  const light = ({ r, g, b }) => {
    const c = [r, g, b].map((v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2];
  };
  const behind = (e) => {
    for (; e; e = e.parentElement) { const c = colour(getComputedStyle(e).backgroundColor); if (c.a === 1) return c; }
    return { r: 255, g: 255, b: 255, a: 1 };
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let n = texts.nextNode(); n; n = texts.nextNode()) {
    const e = n.parentElement;
    if (!n.textContent.trim() || !seen(e) || e.closest("svg")) continue;
    const style = getComputedStyle(e);
    const [a, b] = [light(colour(style.color)), light(behind(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    const big = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (big ? 3 : 4.5)) wrong.push(`contrast ${ratio.toFixed(2)}: ${say(e)}`);
  }

  // The keyboard reaches every control, and the control shows that it has the focus.
  for (const e of all("a[href],button,input:not([type=hidden]),select,summary,[tabindex]").filter(seen)) {
    e.focus({ focusVisible: true });
    if (document.activeElement !== e) { wrong.push("the keyboard cannot reach " + say(e)); continue; }
    const style = getComputedStyle(e);
    if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2) wrong.push("the focus is not seen on " + say(e));
    if (!e.closest("p,td,th,footer,.skip") && !e.classList.contains("skip") && e.getBoundingClientRect().height < 24) wrong.push("too small to hit: " + say(e));
  }
  document.activeElement.blur();
  return wrong;
})()
