// The listening queue: which clips are in it, in which order, and the keys that lead through it.
const queue = read("queue-data");
const titles = new Map(episodes.map((one) => [one.id, one.title]));
for (const clip of queue) clip.episode_title = titles.get(clip.episode_id) || "";

function startQueue() {
  const list = byId("queue-list");
  const reviewer = byId("reviewer");
  const controls = ["queue-why", "queue-verdict", "queue-search", "queue-sort", "queue-order"].map(byId);
  const [why, verdict, search, sort, order] = controls;
  let chosen = [];
  let selected = null;

  const option = (value, text) => make("option", { value }, text);
  const reasons = [...new Set(queue.flatMap((clip) => clip.why))].sort();
  why.append(...reasons.map((one) => option(one, whyInWords(one))));
  verdict.append(...page.verdicts.map((one) => option(one, VERDICT_NAMES[one])));
  const scored = [...new Set(queue.flatMap((clip) => Object.keys(clip.scores)))].sort((a, b) => columnName(a).localeCompare(columnName(b)));
  sort.append(...scored.map((one) => option(one, columnName(one))));
  reviewer.value = storage.get("realtalk reviewer") || "";

  function isWanted(clip) {
    const found = reviews.get(clip.id);
    const wanted = search.value.trim().toLowerCase();
    const texts = [clip.id, clip.text, clip.spoken, clip.episode_title, ...clip.reasons];
    const isJudged = { "": true, open: !found, judged: Boolean(found), kept: clip.verdict === "kept", rejected: clip.verdict === "rejected" };
    return (
      (!why.value || clip.why.includes(why.value)) &&
      (verdict.value in isJudged ? isJudged[verdict.value] : Boolean(found) && found.verdict === verdict.value) &&
      (!wanted || texts.some((text) => text.toLowerCase().includes(wanted)))
    );
  }
  function item(clip) {
    const found = reviews.get(clip.id);
    const sign = found ? SIGNS[found.verdict] : "○";
    const judged = found ? VERDICT_NAMES[found.verdict] : "not judged";
    const score = sort.value ? `${columnName(sort.value)} ${figure(clip.scores[sort.value])}` : whyInWords(clip.why[0] || "random");
    return make(
      "li",
      {},
      make(
        "button",
        { type: "button", class: "item", "data-id": clip.id, "aria-current": clip === selected ? "true" : null, onclick: () => select(clip) },
        make("span", { class: `sign ${found ? found.verdict : "open"}`, title: judged }, make("span", { "aria-hidden": "true" }, sign), make("span", { class: "unseen" }, judged)),
        make("span", { class: "what" }, clip.text || NONE),
        make("span", { class: "quiet" }, `${score}, ${fixed(clip.duration, 1)} s`),
      ),
    );
  }
  function progress() {
    const heard = queue.filter((clip) => reviews.get(clip.id)).length;
    byId("queue-progress").value = heard;
    byId("queue-count").textContent = `${heard} of ${queue.length} judged, ${chosen.length} shown`;
    byId("queue-sample").textContent = sampleInWords();
    byId("queue-download").disabled = !reviews.all().length;
  }
  function changed() {
    const old = list.querySelector(`[data-id="${CSS.escape(selected.id)}"]`);
    if (old) old.parentElement.replaceWith(item(selected));
    progress();
  }
  function select(clip) {
    const old = list.querySelector("[aria-current]");
    if (old) old.removeAttribute("aria-current");
    selected = clip;
    const now = list.querySelector(`[data-id="${CSS.escape(clip.id)}"]`);
    if (now) {
      now.setAttribute("aria-current", "true");
      // Only the list scrolls; the page stays where it is.
      const place = now.offsetTop;
      if (place < list.scrollTop) list.scrollTop = place;
      else if (place + now.offsetHeight > list.scrollTop + list.clientHeight) list.scrollTop = place + now.offsetHeight - list.clientHeight;
    }
    showClip(clip, changed);
  }
  function update() {
    chosen = queue.filter(isWanted);
    if (sort.value) chosen.sort((one, other) => compare(one.scores[sort.value], other.scores[sort.value], order.value === "descending"));
    list.replaceChildren(...chosen.map(item));
    if (!chosen.length) list.append(make("li", { class: "note" }, "No clip fits."));
    else if (!chosen.includes(selected)) select(chosen[0]);
    progress();
  }
  function step(by) {
    if (!chosen.length) return;
    const place = Math.min(chosen.length - 1, Math.max(0, chosen.indexOf(selected) + by));
    if (chosen[place] !== selected) select(chosen[place]);
    if (!isInView()) byId("queue").scrollIntoView();
  }
  function isInView() {
    const box = byId("queue-desk").getBoundingClientRect();
    return box.bottom > 80 && box.top < window.innerHeight - 80;
  }
  function save() {
    const name = reviewer.value.trim();
    reviewer.setAttribute("aria-invalid", String(!name));
    if (!name) {
      say("Say who listened, then download.");
      reviewer.focus();
      return;
    }
    download("review.csv", reviewCsv(name));
    say(`review.csv is made; take it in with: realtalk review DATASET review.csv`);
  }
  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || byId("help").open) return;
    const at = event.target;
    if (at.matches("input:not([type=range]), textarea, select")) return;
    const isPressing = at.matches("button:not(.item), summary, a");
    const number = "12345".indexOf(event.key);
    if (event.key === "j") step(1);
    else if (event.key === "k") step(-1);
    else if (event.key === "?") byId("help").showModal();
    else if (event.key === " " && !isPressing && isInView()) togglePlay();
    else if (number >= 0 && current && isInView()) current.judge(page.verdicts[number]);
    else return;
    event.preventDefault();
  }

  for (const control of controls) control.addEventListener("input", update);
  reviewer.addEventListener("change", () => {
    storage.set("realtalk reviewer", reviewer.value.trim());
    reviewer.removeAttribute("aria-invalid");
  });
  byId("queue-download").addEventListener("click", save);
  byId("queue-help").addEventListener("click", () => byId("help").showModal());
  byId("help-close").addEventListener("click", () => byId("help").close());
  document.addEventListener("keydown", onKey);
  byId("queue-progress").max = Math.max(queue.length, 1);
  update();
}

// What is folded is printed too.
window.addEventListener("beforeprint", () => {
  for (const one of document.querySelectorAll("details")) one.open = true;
});
startEpisodes();
if (queue.length) startQueue();
