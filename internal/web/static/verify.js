// Checks a receipt in this browser. The verifier is loaded once; after that nothing is asked of anybody, but for the site's
// own key when its button is pressed.
import "/static/wasm_exec.js";

const root = document.getElementById("verify");
const form = document.getElementById("files");
const verdict = document.getElementById("verdict");
const key = document.getElementById("vkey");
const kinds = ["receipt", "outcome", "policy", "key", "beacon", "checkpoint"];
const states = ["ok", "failed", "skipped"];
const files = {}; // contents, by kind
let chosen = []; // what each file is, for people
let ready = false;

load();

async function load() {
  try {
    const go = new Go();
    const program = await WebAssembly.instantiateStreaming(fetch("/static/verify.wasm"), go.importObject);
    go.run(program.instance).then(stopped, stopped);
    ready = true;
    verdict.textContent = root.dataset.ready;
    check();
  } catch (error) {
    stopped();
  }
}

function stopped() {
  ready = false;
  verdict.className = "failed";
  verdict.textContent = root.dataset.broken;
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
// A file that is dropped beside the form would otherwise be opened in place of the page.
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

async function take(list) {
  for (const file of list) {
    const data = new Uint8Array(await file.slice(0, 300 << 10).arrayBuffer());
    const kind = kindOf(new TextDecoder().decode(data), file.name);
    if (kind) files[kind] = data;
    chosen.push(file.name + ": " + (kind ? root.dataset.kinds.split("|")[kinds.indexOf(kind)] : root.dataset.unknown));
  }
  show();
  check();
}

function show() { list(document.getElementById("chosen"), chosen); }

// kindOf tells what a file is, by what it says, so that all can be chosen at once. A receipt that is damaged is one too, and
// the verifier says what is wrong with it.
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
  if (!ready) return;
  const input = { ...files, lang: document.documentElement.lang };
  if (key.value.trim() !== "") input.key = new TextEncoder().encode(key.value);
  if (!input.receipt && !input.outcome) {
    report({ verdict: root.dataset.ready, steps: [], notes: [] });
    return;
  }
  report(JSON.parse(quinielaVerify(input)));
}

function report(found) {
  verdict.className = found.error ? "failed" : !found.steps.length ? "" : found.proven ? "ok" : "failed";
  verdict.textContent = found.error || found.verdict;
  list(document.getElementById("notes"), found.notes || []);
  const names = root.dataset.states.split("|");
  document.getElementById("steps").replaceChildren(...(found.steps || []).map((step) => {
    const item = document.createElement("li");
    const mark = document.createElement("strong");
    item.className = step.state;
    item.dataset.step = step.part + "/" + step.name;
    mark.textContent = names[states.indexOf(step.state)] + " \u00b7 " + step.title;
    item.append(mark, " ", step.text);
    return item;
  }));
}

function list(element, texts) {
  element.replaceChildren(...texts.map((text) => {
    const item = document.createElement("li");
    item.textContent = text;
    return item;
  }));
}
