// Follows a draw by server-sent events. Without it the page shows the same, as of when it was loaded.
const draw = document.getElementById("draw");
if (draw) follow(draw);

function follow(root) {
  const count = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, "\u202f");
  const set = (element, text) => { if (element && element.textContent !== text) element.textContent = text; };
  const live = document.getElementById("live");
  const seconds = 60;
  const rates = new Array(seconds).fill(0);
  let before = null;
  let state = root.dataset.state;

  const events = new EventSource("/api/v1/events?draw=" + encodeURIComponent(root.dataset.draw));
  addEventListener("pagehide", () => events.close());
  events.onopen = () => set(live, "· " + root.dataset.live);
  events.onerror = () => set(live, "· " + root.dataset.lost);
  events.addEventListener("draw", (message) => {
    const event = JSON.parse(message.data);
    set(document.getElementById("bets"), count(event.draw.bets));
    set(document.getElementById("finished"), count(event.draw.finished));
    for (const agency of event.agencies) show(agency);
    rate(event);
    if (event.draw.state !== state) {
      state = event.draw.state;
      refresh();
    }
  });
  setInterval(refreshWhileOpen, 10000);

  function show(agency) {
    const row = document.getElementById("agency-" + agency.agency);
    if (!row) return;
    set(row.cells[1], count(agency.batches));
    set(row.cells[2], count(agency.bets));
    const mark = row.cells[3].firstElementChild;
    set(mark, agency.finished ? root.dataset.finished : agency.bets ? root.dataset.sending : root.dataset.waiting);
    mark.className = "state " + (agency.finished ? "drawn" : agency.bets ? "open" : "sealed");
  }

  // An event comes when something has changed; a silence is a rate of zero.
  function rate(event) {
    if (before) {
      const passed = (event.now - before.now) / 1000;
      const now = passed > 0 ? (event.draw.bets - before.bets) / passed : 0;
      for (let i = 1; i < Math.min(Math.round(passed), seconds); i++) rates.push(0);
      rates.push(now);
      rates.splice(0, Math.max(0, rates.length - seconds));
      plot(now);
    }
    before = { now: event.now, bets: event.draw.bets };
  }

  function plot(now) {
    document.querySelector(".live-only").hidden = false;
    set(document.getElementById("rate-now"), count(Math.round(now)));
    const top = Math.max(1, ...rates);
    const points = rates.map((r, i) => `${600 - (rates.length - 1 - i) * 600 / (seconds - 1)},${98 - 96 * r / top}`);
    document.querySelector("#rate-chart polyline").setAttribute("points", points.join(" "));
  }

  // What is not in an event is taken from the page itself.
  async function refresh() {
    const answer = await fetch(location.href);
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const pick of ["#result", "#state", "dl.figures", "section[aria-labelledby=numbers]", "section[aria-labelledby=draws]"]) {
      const [old, now] = [document.querySelector(pick), fresh.querySelector(pick)];
      if (!old || !now || old.innerHTML === now.innerHTML) continue;
      old.className = now.className;
      old.replaceChildren(...now.childNodes);
    }
  }

  function refreshWhileOpen() {
    if (state !== "drawn" && !document.hidden) refresh().catch(() => {});
  }
}
