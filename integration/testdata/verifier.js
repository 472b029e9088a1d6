// Runs before the page's own scripts. It gives a test the verifier and the calls that the page answers, and lets it end the
// verifier as a mistake in it would: Go panics over a kind of document that is not there.
const instantiate = WebAssembly.instantiate;
WebAssembly.instantiate = async (module, imports) => {
  const { exports } = await instantiate(module, imports);
  window.verifier = exports;
  window.calls = imports.wasi_snapshot_preview1;
  window.panics = false;
  return { exports: { ...exports, check: (log) => (window.panics ? exports.document(99, 1) : exports.check(log)) } };
};

// What the calls answer: how many different bytes are past the first 64 KiB of a long run of random ones, how far its clock is
// from this page's in milliseconds, and the errors of calls that it must not have.
window.answers = () => {
  const { calls, verifier } = window;
  const size = 70000;
  const at = verifier.document(0, size);
  calls.random_get(at, size);
  const random = new Set(new Uint8Array(verifier.memory.buffer, at + 65536, size - 65536)).size;
  calls.clock_time_get(0, 0n, at);
  const clock = Number(new DataView(verifier.memory.buffer).getBigUint64(at, true)) / 1e6;
  const refused = [calls.fd_read(0, at, 1, at), calls.fd_close(0), calls.fd_prestat_get(3, at), calls.fd_write(7, at, 0, at)];
  return { random, late: Math.abs(Date.now() - clock), refused };
};
