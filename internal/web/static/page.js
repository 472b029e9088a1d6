// Keeps the page of a draw up to date by server-sent events, and counts down to its closing time. Without this script the page shows the
// draw as it was when the page was loaded; everything that a person does works without it.
const draw = document.getElementById("draw");
const countdown = document.getElementById("countdown");
let ahead = 0; // how many ms the server's clock is ahead of this machine's
if (draw) follow(draw);
if (countdown) countDown(countdown);
(document.getElementById("corrections") || document.getElementById("notice"))?.focus();
document.querySelector(".twenty")?.addEventListener("keydown", next);
for (const button of document.querySelectorAll("button.print")) button.hidden = false;
document.addEventListener("click", (event) => event.target.closest("button.print") && print());

// next moves from a number of an extract to the one below it with Enter, as on the paper. After the last one Enter leads to the field behind them.
function next(event) {
  if (event.key !== "Enter" || event.target.tagName !== "INPUT") return;
  event.preventDefault();
  const fields = [...event.target.form.querySelectorAll("input:not([type=hidden])")];
  fields[fields.indexOf(event.target) + 1]?.focus();
}

// countDown shows the time that is left each second. A screen reader is told at a few moments only.
function countDown(root) {
  const closes = Date.parse(root.dataset.closes);
  const said = root.querySelector(".said");
  const moments = [60, 30, 15, 10, 5, 2]; // minutes
  let last = null; // the moment that was told last
  const tick = () => {
    const left = Math.max(0, Math.ceil((closes - Date.now() - ahead) / 1000));
    root.querySelector(".clock").textContent = left ? root.dataset.text + " " + span(left) : root.dataset.over;
    const moment = moments.findLast((m) => left <= m * 60) ?? null;
    const told = left ? moment : 0;
    if (told === last) return;
    last = told;
    if (told === 0) said.textContent = root.dataset.over;
    else if (told) said.textContent = root.dataset.text + " " + Math.ceil(left / 60) + " " + root.dataset.minutes;
  };
  tick();
  setInterval(tick, 1000);
}

// span writes a number of seconds as days, hours, minutes and seconds.
function span(seconds) {
  const two = (n) => String(n).padStart(2, "0");
  const days = Math.floor(seconds / 86400);
  const clock = two(Math.floor(seconds / 3600) % 24) + ":" + two(Math.floor(seconds / 60) % 60) + ":" + two(seconds % 60);
  return days ? days + " d " + clock : clock;
}

function follow(root) {
  const count = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, "\u202f");
  const pesos = (cents = 0) => "$\u00a0" + count(Math.floor(cents / 100)) + (document.documentElement.lang === "es" ? "," : ".") + String(cents % 100).padStart(2, "0");
  const set = (element, text) => { if (element && element.textContent !== text) element.textContent = text; };
  const live = document.getElementById("live");
  const seconds = 60;
  const rates = new Array(seconds).fill(0);
  let before = null; // the server's time and the bets in the last event; null: unknown
  let heard = 0; // when that event came, by this machine's clock
  let entered = root.dataset.first; // who of two people has entered the number
  const sold = () => document.querySelector("dl.figures").textContent; // without figures where they are the operator's alone
  let shown = sold(); // the figures when the parts outside the events were last fetched
  let events = null; // the open stream; null: none

  // A hidden page closes its stream: all pages of a site share the browser's few connections to it.
  addEventListener("pagehide", leave);
  addEventListener("pageshow", come);
  document.addEventListener("visibilitychange", () => document.hidden ? leave() : come());
  come();
  setInterval(quiet, 1000);
  setInterval(() => { if (events && sold() !== shown) refresh(); }, 3000);

  function come() {
    if (events || document.hidden) return;
    const where = new URLSearchParams({ draw: root.dataset.draw, from: root.dataset.from || "0" });
    events = new EventSource("/api/v1/events?" + where);
    events.onopen = () => set(live, "· " + root.dataset.live);
    events.onerror = lost;
    events.addEventListener("draw", (message) => take(JSON.parse(message.data)));
  }

  function leave() {
    if (events) events.close();
    events = null;
    before = null; // bets that come until the next stream must not count as one second's
  }

  // A browser connects again by itself after a broken connection. It gives up if the answer is not a stream, such as an error:
  // then this tries again.
  function lost() {
    set(live, "· " + root.dataset.lost);
    if (events && events.readyState === EventSource.CLOSED) {
      leave();
      setTimeout(come, 5000);
    }
  }

  function take(event) {
    ahead = event.now - Date.now();
    if (event.draw.bets !== undefined) figures(event);
    const first = event.draw.first || "";
    if (event.draw.state !== root.dataset.state || first !== entered) {
      root.dataset.state = event.draw.state;
      if (countdown) countdown.hidden = event.draw.state !== "open";
      entered = first;
      refresh();
    }
  }

  function figures(event) {
    set(document.getElementById("bets"), count(event.draw.bets));
    set(document.getElementById("finished"), count(event.draw.finished));
    set(document.getElementById("staked"), pesos(event.draw.staked));
    const listed = document.getElementById("in-list-" + event.draw.id);
    if (listed) set(listed.cells[2], count(event.draw.bets));
    for (const agency of event.agencies || []) show(agency);
    if (document.querySelector(".live-only")) rate(event);
  }

  function show(agency) {
    const row = document.getElementById("agency-" + agency.agency);
    if (!row) return;
    set(row.cells[1], count(agency.batches));
    set(row.cells[2], count(agency.bets));
    set(row.querySelector(".staked"), pesos(agency.staked));
    row.className = "is-" + agency.state;
    const mark = row.querySelector(".state");
    set(mark, root.dataset[agency.state]);
    mark.className = "state " + agency.state;
  }

  function rate(event) {
    if (before && event.now > before.now) plot((event.draw.bets - before.bets) * 1000 / (event.now - before.now));
    before = { now: event.now, bets: event.draw.bets };
    heard = performance.now();
  }

  // The server sends an event only after a change. If none comes for two seconds, the rate is zero.
  function quiet() {
    if (!before || performance.now() - heard < 1900) return;
    before.now += 1000;
    heard += 1000;
    if (rates.some((r) => r > 0)) plot(0);
  }

  function plot(now) {
    rates.push(now);
    rates.shift();
    document.querySelector(".live-only").hidden = false;
    set(document.getElementById("rate-now"), count(Math.round(now)));
    const top = Math.max(1, ...rates);
    set(document.getElementById("rate-top"), count(Math.round(top)));
    const points = rates.map((r, i) => `${i * 600 / (seconds - 1)},${98 - 96 * r / top}`);
    document.querySelector("#rate-chart polyline").setAttribute("points", points.join(" "));
    document.querySelector("#rate-chart polygon").setAttribute("points", "0,100 " + points.join(" ") + " 600,100");
  }

  // refresh fetches the page again for the parts that events do not carry.
  async function refresh() {
    const about = sold();
    try {
      const answer = await fetch(location.href);
      if (!answer.ok) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const pick of ["#result", "#state", "#acts", "dl.figures", "#progress", "#numbers-live", "[data-part=waiting]", "[data-part=draws]"]) replace(pick, fresh);
      shown = about;
    } catch {
      // The server cannot be reached. The stream notices when it is back.
    }
  }

  // replace takes a part of the page from the fresh one. The focus stays where it was, and open details stay open.
  function replace(pick, fresh) {
    const [old, now] = [document.querySelector(pick), fresh.querySelector(pick)];
    if (!old || !now) return;
    const usable = "a[href], button, summary, [tabindex]";
    const at = [...old.querySelectorAll(usable)].indexOf(document.activeElement);
    for (const [i, d] of old.querySelectorAll("details").entries()) {
      const same = now.querySelectorAll("details")[i];
      if (same) same.open = d.open;
    }
    if (old.innerHTML === now.innerHTML) return;
    old.className = now.className;
    old.replaceChildren(...now.childNodes);
    for (const button of old.querySelectorAll("button.print")) button.hidden = false;
    const next = at >= 0 && old.querySelectorAll(usable)[at];
    if (next) next.focus({ preventScroll: true });
  }
}
