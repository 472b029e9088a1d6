// Returns the words of a page that are broken over two lines. Hashes and paths may be.
(() => {
  const broken = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let n = texts.nextNode(); n; n = texts.nextNode()) {
    const e = n.parentElement;
    if (!e.checkVisibility() || e.closest("svg, code, select, .said, .skip")) continue;
    for (const word of n.textContent.matchAll(/\S+/g)) {
      if (word[0].startsWith("/") || word[0].split("/").length > 2 && e.closest("footer, .hint, .alert")) continue; // a path, or the name of a zone
      const range = document.createRange();
      range.setStart(n, word.index);
      range.setEnd(n, word.index + word[0].length);
      const lines = new Set([...range.getClientRects()].map((r) => Math.round(r.top)));
      if (lines.size > 1) broken.push(word[0]);
    }
  }
  return broken;
})()
