// The table of episodes: rows are made a hundred at a time, so that ten thousand don't freeze the page.
const CHUNK = 100;
const HEATS = 5;
const LANES = 8;
const episodes = (() => {
  const { columns, rows } = read("episodes-data");
  return rows.map((row) => Object.fromEntries(columns.map((name, place) => [name, row[place]])));
})();
const othersSeconds = (one) => one.others.reduce((sum, [, seconds]) => sum + seconds, 0);

const EPISODE_COLUMNS = [
  { key: "title", name: "Episode" },
  { key: "published", name: "Published", show: (one) => (one.published || NONE).slice(0, 10) },
  { key: "seconds", name: "Length", number: true, show: (one) => clock(one.seconds) },
  { key: "kept_seconds", name: "Kept", number: true, show: (one) => clock(one.kept_seconds) },
  { key: "yield", name: "Yield", number: true, heat: true, show: (one) => percent(one.yield) },
  { key: "loudness_lufs", name: "LUFS", number: true, heat: true, show: (one) => fixed(one.loudness_lufs, 1) },
  { key: "snr_db", name: "SNR", number: true, heat: true, show: (one) => fixed(one.snr_db, 1) },
  { key: "dnsmos_ovrl", name: "DNSMOS", number: true, heat: true, show: (one) => fixed(one.dnsmos_ovrl, 2) },
  { key: "similarity", name: "Similarity", number: true, heat: true, show: (one) => fixed(one.similarity, 2) },
  { key: "others_seconds", name: "Others", number: true, heat: true, show: (one) => clock(one.others_seconds) },
  { key: "timeline", name: "Turns", fixed: true },
  { key: "state", name: "State" },
];
for (const one of episodes) one.others_seconds = othersSeconds(one);

const heatOf = (() => {
  const ranges = {};
  for (const { key } of EPISODE_COLUMNS.filter((column) => column.heat)) {
    let least = Infinity;
    let most = -Infinity;
    for (const one of episodes) {
      if (one[key] === null) continue;
      least = Math.min(least, one[key]);
      most = Math.max(most, one[key]);
    }
    ranges[key] = [least, most];
  }
  return (key, value) => {
    const [least, most] = ranges[key];
    if (value === null || !(most > least)) return null;
    return `heat-${Math.min(HEATS, 1 + Math.floor((HEATS * (value - least)) / (most - least)))}`;
  };
})();

const spansPath = (spans, top, height) =>
  spans.map(([start, end]) => `M${start} ${top}H${end}V${top + height}H${start}z`).join("");

function smallTimeline(one) {
  if (!one.timeline || !one.seconds) return NONE;
  const label = "Turns: the target above, others below";
  return draw(
    "svg",
    { viewBox: `0 0 ${one.seconds} 20`, preserveAspectRatio: "none", class: "turns small", role: "img", "aria-label": label },
    draw("path", { d: spansPath(one.timeline.filter((span) => span[3]), 0, 9), class: "target" }),
    draw("path", { d: spansPath(one.timeline.filter((span) => !span[3]), 11, 9), class: "other" }),
  );
}

function speakersOf(one) {
  const found = new Map();
  for (const [start, end, speaker, isTarget] of one.timeline) {
    const lane = found.get(speaker) || { speaker, isTarget, spans: [], seconds: 0 };
    lane.spans.push([start, end]);
    lane.seconds += end - start;
    found.set(speaker, lane);
  }
  const ordered = [...found.values()].sort((a, b) => b.isTarget - a.isTarget || b.seconds - a.seconds);
  if (ordered.length <= LANES) return ordered;
  const rest = ordered.splice(LANES - 1);
  const seconds = rest.reduce((sum, lane) => sum + lane.seconds, 0);
  return [...ordered, { name: `${rest.length} more`, isTarget: 0, spans: rest.flatMap((lane) => lane.spans), seconds }];
}

function lanes(one) {
  if (!one.timeline || !one.timeline.length) return make("p", { class: "note" }, "No turns to show.");
  const rows = speakersOf(one).map((lane) => {
    const name = lane.name || one.speaker_names[lane.speaker] || `speaker ${lane.speaker}`;
    const said = lane.isTarget ? `${name} (target)` : name;
    const attributes = { viewBox: `0 0 ${one.seconds} 10`, preserveAspectRatio: "none", class: "turns", "aria-hidden": "true" };
    return make(
      "div",
      { class: "lane" },
      make("span", { class: "who" }, said),
      draw("svg", attributes, draw("path", { d: spansPath(lane.spans, 0, 10), class: lane.isTarget ? "target" : "other" })),
      make("span", { class: "number" }, clock(lane.seconds)),
    );
  });
  const axis = make(
    "div",
    { class: "lane axis" },
    make("span"),
    make("span", { class: "ends" }, make("span", {}, "0:00"), make("span", {}, clock(one.seconds))),
    make("span"),
  );
  return make("div", { class: "lanes" }, ...rows, axis);
}

function detail(one) {
  const who = one.others.map(([speaker, seconds]) => `${speaker} ${clock(seconds)}`).join(", ");
  return make(
    "tr",
    { class: "detail" },
    make(
      "td",
      { colspan: EPISODE_COLUMNS.length },
      make(
        "div",
        { class: "inside" },
        one.remark ? make("p", { class: isFailed(one) ? "error" : "note" }, isFailed(one) ? "✗ " : "", one.remark) : null,
        lanes(one),
        make("p", { class: "note" }, `Who else speaks: ${who || "nobody"}. Licence: ${one.license || "none"}. Id: ${one.id}.`),
      ),
    ),
  );
}

function episodeRow(one) {
  const cells = EPISODE_COLUMNS.slice(1).map((column) => {
    if (column.key === "timeline") return make("td", {}, smallTimeline(one));
    if (column.key === "state") return make("td", {}, stateMark(one));
    const heat = column.heat ? heatOf(column.key, one[column.key]) : null;
    return make("td", { class: [column.number ? "number" : "short", heat || ""].join(" ").trim() }, column.show(one));
  });
  const button = make("button", { type: "button", class: "link", "aria-expanded": "false" }, one.title || one.id);
  const row = make("tr", {}, make("th", { scope: "row" }, button), ...cells);
  let below = null;
  button.addEventListener("click", () => {
    if (below) below.remove();
    else row.after(detail(one));
    below = below ? null : row.nextSibling;
    button.setAttribute("aria-expanded", String(Boolean(below)));
  });
  return row;
}

const isFailed = (one) => one.state === "failed";
function stateMark(one) {
  const isBad = isFailed(one);
  const sign = make("span", { "aria-hidden": "true" }, isBad ? "✗" : "✓");
  const word = isBad ? ` ${one.failed_stage || "failed"}` : ` ${one.state}`;
  return make("span", { class: `mark ${isBad ? "bad" : "good"}` }, sign, word);
}

function startEpisodes() {
  const body = byId("episodes-rows");
  const more = byId("episodes-more");
  const said = byId("episodes-count");
  const order = { key: "published", descending: false };
  let chosen = [];
  let shown = 0;

  function showMore() {
    body.append(...chosen.slice(shown, shown + CHUNK).map(episodeRow));
    shown = Math.min(shown + CHUNK, chosen.length);
    more.hidden = shown >= chosen.length;
    said.textContent = `${shown} of ${chosen.length} episodes shown`;
  }
  function update() {
    const wanted = byId("episodes-filter").value.trim().toLowerCase();
    const holds = (one) =>
      [one.title, one.id, one.remark, one.license, one.state, one.split].some((text) => (text || "").toLowerCase().includes(wanted));
    chosen = episodes.filter((one) => !wanted || holds(one));
    chosen.sort((one, other) => compare(one[order.key], other[order.key], order.descending));
    for (const head of byId("episodes-head").children) {
      if (head.dataset.key) head.setAttribute("aria-sort", head.dataset.key !== order.key ? "none" : order.descending ? "descending" : "ascending");
    }
    body.replaceChildren();
    shown = 0;
    showMore();
  }
  function sortBy(column) {
    order.descending = order.key === column.key ? !order.descending : Boolean(column.number);
    order.key = column.key;
    update();
  }
  for (const column of EPISODE_COLUMNS) {
    const attributes = { scope: "col", class: column.number ? "number" : null };
    const inner = column.fixed
      ? column.name
      : make("button", { type: "button", class: "sort", onclick: () => sortBy(column) }, column.name);
    byId("episodes-head").append(make("th", column.fixed ? attributes : { ...attributes, "data-key": column.key }, inner));
  }
  more.addEventListener("click", showMore);
  byId("episodes-filter").addEventListener("input", update);
  update();
  if (episodes.length && episodes.length <= 3) body.querySelector("button").click();
}
