// Runs the verifier, verify.wasm, in this page. Go builds it for WASI preview 1, so this file gives it the few calls of that
// interface which it needs: a clock, random bytes and a place for its last words. It gets no file, no network and no argument;
// every other call is refused. verify/wasm/main.go says how documents and reports travel.

// The kinds of document, in the order of verify/wasm/main.go. The language comes after them.
export const kinds = ["receipt", "outcome", "policy", "key", "beacon", "checkpoint", "evidence"];

// Errors of WASI.
const success = 0;
const badFile = 8; // EBADF
const notHere = 52; // ENOSYS

const randomAtOnce = 65536; // bytes that a browser gives in one call
const mostRounds = 100; // of files that a check may want: it needs about five

// load starts the verifier, a WebAssembly.Module. It returns a function that checks documents, an object of Uint8Array by kind, and
// returns a report. read returns a file of the published log by its name: a Uint8Array, or null if there is no such file; if it
// throws, so does the check. read is null where there is no log. The function throws too if the verifier has stopped; it is of no use
// afterwards.
export async function load(program) {
  let exports = null; // known only once the program is there, and its calls need it
  const calls = wasi(() => exports.memory.buffer);
  const imports = {};
  for (const { name } of WebAssembly.Module.imports(program)) imports[name] = calls[name] || (() => notHere);
  ({ exports } = await WebAssembly.instantiate(program, { wasi_snapshot_preview1: imports }));
  exports._initialize();
  return (documents, language, read) => checkWith(exports, documents, language, read);
}

// checkWith checks, reads the files of the log that the check wants, and checks again with them until it wants no more.
async function checkWith(program, documents, language, read) {
  const files = new Map();
  for (let round = 0; round < mostRounds; round++) {
    const found = checkOnce(program, documents, language, read && files);
    if (!found.wanted) return found;
    await Promise.all(found.wanted.map(async (name) => files.set(name, await read(name))));
  }
  throw new Error("the check wants ever more of the log");
}

// checkOnce checks with the files of the log that are there so far; null: there is no log.
function checkOnce(program, documents, language, files) {
  const utf8 = new TextEncoder();
  for (const [i, kind] of kinds.entries()) if (documents[kind]) give(program, i, documents[kind]);
  give(program, kinds.length, utf8.encode(language));
  for (const [name, data] of files || []) giveFile(program, utf8.encode(name), data);
  const size = program.check(files ? 1 : 0);
  const text = new Uint8Array(program.memory.buffer, program.answer(), size);
  return JSON.parse(new TextDecoder().decode(text));
}

// give copies one document into the program's memory.
function give(program, kind, data) {
  const part = data.subarray(0, program.limit());
  const address = program.document(kind, part.length);
  new Uint8Array(program.memory.buffer, address, part.length).set(part);
}

// giveFile copies a file of the log into the program's memory, behind its name; null: there is no such file.
function giveFile(program, name, data) {
  const part = data && data.subarray(0, program.limit());
  const address = part ? program.file(name.length, part.length) : program.absent(name.length);
  new Uint8Array(program.memory.buffer, address, name.length).set(name);
  if (part) new Uint8Array(program.memory.buffer, address + name.length, part.length).set(part);
}

// wasi returns the calls that are answered. buffer returns the program's memory. It is asked for anew each time, since a
// memory that grows gets a new buffer.
function wasi(buffer) {
  const view = () => new DataView(buffer());
  let said = ""; // the line that is being written

  // Go asks how many arguments and variables there are, and how long they are together.
  function none(count, size) {
    view().setUint32(count, 0, true);
    view().setUint32(size, 0, true);
    return success;
  }

  return {
    args_sizes_get: none,
    environ_sizes_get: none,

    // There is no open folder. Go asks for the first one when it starts, and takes only this answer for "none".
    fd_prestat_get: () => badFile,

    clock_time_get(clock, _precision, address) {
      const milliseconds = clock === 0 ? Date.now() : performance.now();
      view().setBigUint64(address, BigInt(Math.round(milliseconds * 1e6)), true);
      return success;
    },

    random_get(address, size) {
      for (let done = 0; done < size; done += randomAtOnce) {
        crypto.getRandomValues(new Uint8Array(buffer(), address + done, Math.min(randomAtOnce, size - done)));
      }
      return success;
    },

    // Go writes here, word by word, why it has to stop. Whole lines go to the browser's console.
    fd_write(file, list, pieces, written) {
      if (file !== 1 && file !== 2) return badFile;
      let total = 0;
      for (let i = 0; i < pieces; i++) {
        const address = view().getUint32(list + 8 * i, true);
        const size = view().getUint32(list + 8 * i + 4, true);
        said += new TextDecoder().decode(new Uint8Array(buffer(), address, size));
        total += size;
      }
      const lines = said.split("\n");
      said = lines.pop();
      for (const line of lines) console.error(line);
      view().setUint32(written, total, true);
      return success;
    },

    // A page cannot wait. Go is told at once that nothing has happened, and looks at the clock again.
    poll_oneoff(_wanted, _events, _count, happened) {
      view().setUint32(happened, 0, true);
      return success;
    },

    // Nothing else runs that could be let through.
    sched_yield: () => success,

    proc_exit(code) {
      throw new Error("the verifier has stopped with code " + code);
    },
  };
}
