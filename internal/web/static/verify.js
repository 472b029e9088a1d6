// Checks a receipt in this browser: on the lottery's page /verify, and in the same page as one file, which `quiniela verify --page`
// writes. The page of the lottery asks that site for public files of its log, and sends nothing. The file asks nobody for anything.
import { kinds, load } from "/static/wasi.js";

const mostBytes = 300 << 10; // that are read of a document: more than any valid one has
const mark = "#r="; // stands in the page's address before a receipt's digits; see docs/FORMATS.md
const mostDigits = 7089; // of a receipt: a QR code holds no more

// The page as one file has its texts in two languages, and the program in itself.
const other = document.getElementById("other"); // the page in its second language; null: this is the lottery's page
if (other) speak();

const root = document.getElementById("verify");
const form = document.getElementById("files");
const verdict = document.getElementById("verdict");
const key = document.getElementById("vkey");
const evidence = document.getElementById("evidence");
const keep = document.getElementById("keep");
const folder = document.getElementById("folder"); // null on the lottery's page
const named = (list) => Object.fromEntries(root.dataset[list].split("|").map((pair) => pair.split("=")));
const [kindNames, stateNames, partNames, refusals] = [named("kinds"), named("states"), named("parts"), named("refusals")];

let verify = null; // the verifier, while it works
let turn = 0; // counts the checks: only the last one is shown
let files = {}; // contents, by kind
let names = {}; // of the files, by kind
let refused = []; // what is said of files that are of no use
let log = siteLog(); // reads a file of the log; null: there is none
let ownKey = null; // the site's own key; null: there is none

start().catch(stopped);

async function start() {
  const [program] = await Promise.all([fetched(), readOwnKey()]);
  verify = await load(program);
  if (!await takeScanned()) await check();
}

// fetched returns the program: from within the file, or from the site.
async function fetched() {
  const inside = document.getElementById("program");
  if (!inside) return WebAssembly.compileStreaming(fetch("/static/verify.wasm"));
  const packed = Uint8Array.from(atob(inside.textContent), (c) => c.charCodeAt(0));
  const plain = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return WebAssembly.compile(await new Response(plain).arrayBuffer());
}

// stopped says that nothing is checked any more. What an earlier check found must not stay on the page as if it were about the files
// that are there now.
function stopped(error) {
  console.error(error);
  verify = null;
  report({ error: root.dataset.broken });
}

// speak puts the reader's language in the place of the one that the file begins with: what comes after "#" in its address says which, or
// else the browser does.
function speak() {
  const known = [document.documentElement.lang, other.dataset.lang];
  const chosen = [location.hash.slice(1), ...navigator.languages.map((l) => l.slice(0, 2).toLowerCase())].find((l) => known.includes(l));
  if (chosen === other.dataset.lang) {
    document.documentElement.lang = chosen;
    document.title = other.dataset.title;
    document.body.replaceChildren(other.content);
  }
  addEventListener("hashchange", () => {
    if (known.includes(location.hash.slice(1))) location.reload();
  });
}

document.getElementById("choose").addEventListener("change", (event) => take(event.target.files));
if (folder) folder.addEventListener("change", () => takeFolder([...folder.files]));
key.addEventListener("input", () => {
  delete names.key; // it is no file's any more
  check();
});
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", () => {
  [files, names, refused] = [{}, {}, []];
  log = siteLog();
  setTimeout(check); // once the fields are empty
});
// Files may be dropped anywhere. A browser would open a file that is dropped beside the form in place of the page.
addEventListener("dragover", (event) => { event.preventDefault(); form.classList.add("over"); });
addEventListener("dragleave", () => form.classList.remove("over"));
addEventListener("drop", (event) => {
  event.preventDefault();
  form.classList.remove("over");
  take(event.dataTransfer.files);
});

async function take(dropped) {
  refused = [];
  for (const file of dropped) {
    const data = await contentOf(file);
    const text = new TextDecoder().decode(data);
    const kind = kindOf(text);
    if (kind === "key") key.value = text.trim();
    else if (kinds.includes(kind)) files[kind] = data;
    if (kinds.includes(kind)) names[kind] = file.name;
    else refused.push(file.name + ": " + refusals[kind]);
  }
  if (!folder || !log) log = siteLog(); // what was read before may be older than the new files
  await check();
}

// takeScanned takes the receipt that the page's address has, as a QR code gives it, and reports whether there was one. It leaves the address:
// it names the bettor, and an address is bookmarked and sent to others.
async function takeScanned() {
  if (!location.hash.startsWith(mark)) return false;
  const digits = location.hash.slice(mark.length);
  history.replaceState(null, "", location.pathname + location.search);
  [files, names, refused] = [{}, {}, []];
  try {
    files.receipt = await unpacked(digits);
    names.receipt = root.dataset.scanned;
  } catch (error) {
    console.info(error);
    refused = [unpacks() ? refusals.code : refusals.old];
  }
  await check();
  document.getElementById("found").scrollIntoView();
  return true;
}
addEventListener("hashchange", takeScanned);

// unpacks reports whether this browser can decompress a receipt: those from before 2023 cannot.
function unpacks() {
  try {
    return new DecompressionStream("deflate-raw") !== null;
  } catch {
    return false;
  }
}

// unpacked returns the receipt that is written in digits: a number whose bytes are 1, and then the compressed text.
async function unpacked(digits) {
  if (!/^[1-9][0-9]*$/.test(digits) || digits.length > mostDigits) throw new Error("no digits of a receipt");
  const hex = BigInt(digits).toString(16);
  if (hex[0] !== "1" || hex.length % 2 === 0) throw new Error("digits are missing");
  const packed = Uint8Array.from({ length: (hex.length - 1) / 2 }, (_, i) => parseInt(hex.slice(1 + 2 * i, 3 + 2 * i), 16));
  const plain = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(plain).arrayBuffer());
}

async function contentOf(file) {
  return new Uint8Array(await file.slice(0, mostBytes).arrayBuffer());
}

// takeFolder takes a copy of the published log. Its root is where its file checkpoint is.
async function takeFolder(copy) {
  const paths = new Map(copy.map((file) => [file.webkitRelativePath, file]));
  const roots = [...paths.keys()].filter((path) => path.endsWith("/checkpoint")).map((path) => path.slice(0, -"checkpoint".length));
  const top = roots.sort((a, b) => a.length - b.length)[0];
  refused = top || copy.length === 0 ? [] : [refusals.folder];
  log = null;
  if (top) log = async (name) => paths.has(top + name) ? contentOf(paths.get(top + name)) : null;
  await check();
}

// Unread is the error of a log that cannot be read.
class Unread extends Error {}

// siteLog returns what reads a file of the site's log, each once; null: the site shows none.
function siteLog() {
  if (!root.dataset.log) return null;
  const known = new Map();
  return (name) => {
    if (!known.has(name)) known.set(name, ask(name));
    known.get(name).catch(() => known.delete(name)); // the next check asks again
    return known.get(name);
  };
}

// ask asks the site for a file of its log; null: there is no such file.
async function ask(name) {
  try {
    const answer = await fetch(root.dataset.log + name, { credentials: "omit" });
    if (answer.status === 404) return null;
    if (!answer.ok) throw new Error(answer.status);
    return new Uint8Array(await answer.arrayBuffer());
  } catch (error) {
    throw new Unread(name + ": " + error.message);
  }
}

async function readOwnKey() {
  if (root.dataset.log) ownKey = await ask("log.vkey").catch(() => null);
}

// kindOf recognises a document by its content, so that all files can be chosen at once: a kind, or why it is of no use. A damaged
// receipt counts as one: the verifier then says what is wrong with it.
function kindOf(text) {
  const [format, more] = text.matchAll(/"format"\s*:\s*"quiniela\/v\d+\/([a-z]+)"/g);
  if (more) return "several";
  if (text.trimStart().startsWith("{")) {
    if (format && ["receipt", "outcome", "evidence"].includes(format[1])) return format[1];
    if (format) return "unknown";
    if (text.includes('"salt"') && text.includes('"checkpoint"')) return "receipt";
    return text.includes('"round"') && text.includes('"signature"') ? "beacon" : "unknown";
  }
  if (/^[^\n]+\n\d+\n[A-Za-z0-9+/]{43}=\n[^]*\n\u2014 \S+ \S+\n/.test(text)) return "checkpoint";
  if (/^[^\s+]+\+[0-9a-f]{8}\+\S+$/.test(text.trim())) return "key";
  if (/^\s*PRIVATE\+KEY\+/.test(text)) return "secret";
  return isPolicy(text) ? "policy" : "unknown";
}

// isPolicy reports whether a text has the lines of a policy and no others, and one of them names a log with its key.
function isPolicy(text) {
  const lines = text.split("\n").map((line) => line.trim()).filter((line) => line !== "" && !line.startsWith("#"));
  return lines.every((line) => /^(log|witness|group|quorum)\s/.test(line)) && lines.some((line) => /^log\s+\S+\+[0-9a-f]{8}\+/.test(line));
}

async function check() {
  const now = ++turn;
  showFiles();
  if (!verify) return;
  let found;
  try {
    found = await examine();
  } catch (error) {
    stopped(error);
    return;
  }
  if (now === turn && verify) report(found);
}

// examine checks with the log, where there is one and it can be read, or else without it.
async function examine() {
  try {
    return await examineWith(log);
  } catch (error) {
    if (!(error instanceof Unread)) throw error;
    const found = await examineWith(null);
    return { ...found, notes: [root.dataset.unread + " (" + error.message + ")", ...(found.notes || [])] };
  }
}

// examineWith checks what is there: the files that the reader has chosen, or else the draw that the page's address names.
async function examineWith(read) {
  const documents = { ...files };
  const notes = [];
  if (!documents.receipt && !documents.outcome && !documents.evidence) {
    if (!root.dataset.draw || !read) return { verdict: root.dataset.ready };
    documents.outcome = await read("draws/" + root.dataset.draw + "/outcome.json");
    if (!documents.outcome) return { verdict: root.dataset.ready, notes: [root.dataset.undrawn] };
    notes.push(root.dataset.drawonly);
  }
  if (key.value.trim() !== "") documents.key = new TextEncoder().encode(key.value);
  const own = !documents.key && !documents.policy && ownKey !== null;
  if (own) documents.key = ownKey;
  const found = await verify(documents, document.documentElement.lang, documents.evidence ? null : read); // evidence stands for itself
  if (found.result === "not yet" && !read) notes.push(root.dataset.needslog);
  return { ...found, own, notes: [...notes, ...(found.notes || [])] };
}

// report shows what a check found: an error, a verdict alone, or a verdict with its steps.
function report(found) {
  verdict.textContent = found.error || found.verdict;
  verdict.className = found.error ? "failed" : (found.result || "").replaceAll(" ", "-");
  if (found.own && found.result) verdict.textContent += " " + root.dataset.ownword;
  document.getElementById("own-warning").hidden = !found.own;
  list(document.getElementById("notes"), found.notes || []);
  document.getElementById("steps").replaceChildren(...(found.steps || []).map(item));
  offer(found.evidence);
}

// offer lets the reader save the evidence, which is base64.
function offer(base64) {
  if (evidence.href) URL.revokeObjectURL(evidence.href);
  evidence.removeAttribute("href");
  document.getElementById("convicts").hidden = !base64;
  if (!base64) return;
  const data = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  evidence.href = URL.createObjectURL(new Blob([data], { type: "application/json" }));
}

// showFiles says what each file is, and offers a receipt that came with the address as a file to keep.
function showFiles() {
  const known = kinds.filter((kind) => names[kind]).map((kind) => names[kind] + ": " + kindNames[kind]);
  list(document.getElementById("chosen"), known);
  list(document.getElementById("refused"), refused);
  const scanned = names.receipt === root.dataset.scanned;
  if (keep.href) URL.revokeObjectURL(keep.href);
  keep.removeAttribute("href");
  keep.hidden = !scanned;
  if (scanned) keep.href = URL.createObjectURL(new Blob([files.receipt], { type: "application/json" }));
}

function item(step) {
  const line = document.createElement("li");
  const mark = document.createElement("strong");
  line.className = step.state;
  line.dataset.step = step.part + "/" + step.name;
  mark.textContent = stateNames[step.state] + " \u00b7 " + partNames[step.part] + ": " + step.title;
  line.append(mark, " ", step.text);
  return line;
}

function list(element, texts) {
  element.replaceChildren(...texts.map((text) => {
    const item = document.createElement("li");
    item.textContent = text;
    return item;
  }));
}
