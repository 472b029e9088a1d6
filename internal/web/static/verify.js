// Checks a receipt in this browser. Once the verifier is loaded, the page asks nobody for anything, except for the site's own
// key when its button is pressed.
import { kinds, load } from "/static/wasi.js";

const root = document.getElementById("verify");
const form = document.getElementById("files");
const verdict = document.getElementById("verdict");
const key = document.getElementById("vkey");
const states = ["ok", "failed", "skipped"]; // in the order of their names in data-states
const mostBytes = 300 << 10; // that are read of a file: more than any valid document has
const files = {}; // contents, by kind
let chosen = []; // what each file is, for people
let verify = null; // the verifier, while it works

load("/static/verify.wasm").then(start, stopped);

function start(verifier) {
  verify = verifier;
  check();
}

// What an earlier check found must not stay on the page as if it were about the files that are there now.
function stopped(error) {
  console.error(error);
  verify = null;
  report({ error: root.dataset.broken });
}

document.getElementById("choose").addEventListener("change", (event) => take(event.target.files));
key.addEventListener("input", check);
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", () => {
  for (const kind of kinds) delete files[kind];
  chosen = [];
  document.getElementById("own-warning").hidden = true;
  list(document.getElementById("chosen"), chosen);
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

document.getElementById("own").addEventListener("click", async () => {
  try {
    const answer = await fetch("/log/log.vkey", { credentials: "omit" });
    if (!answer.ok) throw new Error(answer.status);
    key.value = (await answer.text()).trim();
    document.getElementById("own-warning").hidden = false;
  } catch (error) {
    verdict.className = "failed";
    verdict.textContent = root.dataset.nokey;
    return;
  }
  check();
});

async function take(dropped) {
  for (const file of dropped) {
    const data = new Uint8Array(await file.slice(0, mostBytes).arrayBuffer());
    const kind = kindOf(new TextDecoder().decode(data), file.name);
    if (kind) files[kind] = data;
    chosen.push(file.name + ": " + (kind ? root.dataset.kinds.split("|")[kinds.indexOf(kind)] : root.dataset.unknown));
  }
  list(document.getElementById("chosen"), chosen);
  check();
}

// kindOf recognises a file by its content, so that all files can be chosen at once. A damaged receipt counts as a receipt: the
// verifier then says what is wrong with it. Where the content tells nothing, the name decides.
function kindOf(text, name) {
  if (text.includes("\n\n\u2014 ") && !text.trimStart().startsWith("{")) return "checkpoint";
  if (text.trimStart().startsWith("{")) {
    if (text.includes("quiniela/v1/outcome")) return "outcome";
    if (text.includes('"round"') && text.includes('"signature"')) return "beacon";
    return "receipt";
  }
  if (/^\s*(log|witness|group|quorum|#)/m.test(text)) return "policy";
  if (/^[^\s+]+\+[0-9a-f]{8}\+\S+\s*$/.test(text)) return "key";
  if (/receipt|comprobante/i.test(name)) return "receipt";
  if (/outcome|resultado/i.test(name)) return "outcome";
  return "";
}

function check() {
  if (!verify) return;
  const documents = { ...files };
  if (key.value.trim() !== "") documents.key = new TextEncoder().encode(key.value);
  if (!documents.receipt && !documents.outcome) {
    report({ verdict: root.dataset.ready });
    return;
  }
  let found;
  try {
    found = verify(documents, document.documentElement.lang);
  } catch (error) {
    stopped(error);
    return;
  }
  report(found);
}

// report shows what a check found: an error, a verdict alone, or a verdict with its steps.
function report(found) {
  const steps = found.steps || [];
  verdict.textContent = found.error || found.verdict;
  verdict.className = "";
  if (steps.length > 0) verdict.className = found.proven ? "ok" : "failed";
  if (found.error) verdict.className = "failed";
  list(document.getElementById("notes"), found.notes || []);
  document.getElementById("steps").replaceChildren(...steps.map(item));
}

function item(step) {
  const names = root.dataset.states.split("|");
  const line = document.createElement("li");
  const mark = document.createElement("strong");
  line.className = step.state;
  line.dataset.step = step.part + "/" + step.name;
  mark.textContent = names[states.indexOf(step.state)] + " \u00b7 " + step.title;
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
