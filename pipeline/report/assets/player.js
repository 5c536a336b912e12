// The clip that is listened to: its pictures, its words in time, the verdict on it.
const media = read("media-data");
const audio = byId("player");
const SIGNS = { ok: "✓", wrong_text: "T", wrong_speaker: "S", bad_audio: "♪", other: "…" };
const VERDICT_NAMES = {
  ok: "ok",
  wrong_text: "wrong text",
  wrong_speaker: "wrong speaker",
  bad_audio: "bad audio",
  other: "other",
};
function whyInWords(why) {
  const [kind, column] = why.split(":");
  if (kind === "random") return "random sample";
  return kind === "worst" ? `worst ${columnName(column)}` : `nearest to the limit of ${columnName(column)}`;
}

function outline(peaks) {
  const most = Math.max(...peaks, 1e-6);
  const path = peaks.map((peak, place) => {
    const half = Math.max(0.4, (19 * peak) / most);
    return `M${place + 0.1} ${20 - half}h.8v${2 * half}h-.8z`;
  });
  const box = { viewBox: `0 0 ${peaks.length} 40`, preserveAspectRatio: "none", class: "wave", "aria-hidden": "true" };
  return draw("svg", box, draw("path", { d: path.join("") }));
}
function pictures(clip, [, peaks, spectrogram]) {
  const head = make("div", { class: "playhead" });
  const box = make(
    "div",
    { class: "pictures", onclick: (event) => seek((clip.duration * event.offsetX) / box.clientWidth) },
    outline(peaks),
    make("img", { src: spectrogram, alt: "Spectrogram", width: 360, height: 80 }),
    head,
  );
  const slider = make("input", { type: "range", min: 0, max: clip.duration, step: 0.05, value: 0, "aria-label": "Place in the clip, in seconds" });
  slider.addEventListener("input", () => seek(Number(slider.value)));
  const ends = make("div", { class: "ends" }, make("span", {}, "0 s"), make("span", {}, `${fixed(clip.duration, 2)} s, 0 to ${figure(page.nyquist_khz)} kHz`));
  return { box, head, slider, ends };
}
function seek(seconds) {
  audio.currentTime = Math.max(0, seconds) + (current ? current.delay : 0);
  follow();
}

let current = null; // What is shown: the clip, its elements, and the seconds before it begins in its audio.
function follow() {
  if (!current) return;
  const now = Math.max(0, audio.currentTime - current.delay);
  if (current.head) {
    current.head.style.left = `${(100 * Math.min(now, current.clip.duration)) / current.clip.duration}%`;
    current.slider.value = now;
  }
  for (const [element, start, end] of current.words) element.classList.toggle("lit", !audio.paused && now >= start && now < end);
}
function tick() {
  follow();
  if (!audio.paused && !audio.ended) requestAnimationFrame(tick);
}
function showPlaying() {
  if (current && current.button) current.button.textContent = audio.paused ? "▶ Play" : "❚❚ Pause";
  follow();
}
function togglePlay() {
  if (!current || !current.button) return;
  if (audio.paused) audio.play().catch(() => say("This clip can't be played here."));
  else audio.pause();
}
const say = (text) => {
  byId("queue-says").textContent = text;
};
audio.addEventListener("play", () => {
  showPlaying();
  requestAnimationFrame(tick);
});
audio.addEventListener("pause", showPlaying);
audio.addEventListener("ended", showPlaying);
audio.addEventListener("error", () => {
  if (audio.getAttribute("src")) say("This clip can't be played: its file is not beside the page.");
});

function timedWords(clip) {
  const words = clip.words.map(([text, start, end]) => {
    const element = make("span", { class: "word", title: `${fixed(start, 2)} to ${fixed(end, 2)} s`, onclick: () => seek(start) }, text);
    return [element, start, end];
  });
  const spaced = words.flatMap(([element]) => [element, " "]);
  return { words, line: make("p", { class: "words", "aria-label": "As said" }, ...(words.length ? spaced : [clip.spoken || clip.text])) };
}
function scoreList(clip) {
  const entries = Object.entries(clip.scores).filter(([, value]) => value !== null).map(([column, value]) => {
    const broken = (page.limits[column] || []).find(([side, limit]) => value !== null && (side === "least" ? value < limit : value > limit));
    const sign = broken ? ` ✗ ${broken[0] === "least" ? "<" : ">"} ${figure(broken[1])}` : "";
    return make("div", { class: broken ? "broken" : null }, make("dt", {}, columnName(column)), make("dd", {}, figure(value), sign));
  });
  return make("dl", { class: "scores" }, ...entries);
}

function verdictForm(clip, changed) {
  // A text that was left as it is corrects nothing.
  const written = (area) => (area.value === clip.text ? "" : area.value);
  const field = (name, label, rows) => {
    const area = make("textarea", { rows, maxlength: MOST_CHARACTERS, id: `field-${name}` });
    area.addEventListener("input", () => {
      if (reviews.get(clip.id)) reviews.set(clip.id, { [name]: written(area) });
    });
    return { area, box: make("div", { class: "field" }, make("label", { for: `field-${name}` }, label), area) };
  };
  const corrected = field("corrected_text", "What is really said", 2);
  const note = field("note", "Note", 1);
  const buttons = page.verdicts.map((verdict, place) => {
    const attributes = { type: "button", class: `judge ${verdict}`, "data-verdict": verdict, onclick: () => judge(verdict) };
    return make(
      "button",
      attributes,
      make("kbd", { "aria-hidden": "true" }, String(place + 1)),
      make("span", { "aria-hidden": "true", class: "sign" }, SIGNS[verdict]),
      VERDICT_NAMES[verdict],
    );
  });
  function show() {
    const found = reviews.get(clip.id);
    for (const button of buttons) button.setAttribute("aria-pressed", String(Boolean(found) && found.verdict === button.dataset.verdict));
    corrected.box.hidden = !found || found.verdict !== "wrong_text";
    note.box.hidden = !found;
  }
  function judge(verdict) {
    const found = reviews.get(clip.id);
    if (found && found.verdict === verdict) reviews.remove(clip.id);
    else {
      const reviewer = byId("reviewer").value.trim();
      const isKept = reviews.set(clip.id, {
        verdict,
        corrected_text: written(corrected.area),
        note: written(note.area),
        ...(reviewer ? { reviewer } : {}),
      });
      if (!isKept) say("This browser keeps no verdicts: download review.csv before you close the page.");
    }
    show();
    changed();
  }
  const found = reviews.get(clip.id);
  corrected.area.value = (found && found.corrected_text) || clip.text;
  note.area.value = found ? found.note : "";
  show();
  const group = make("div", { class: "judges", role: "group", "aria-label": "Verdict" }, ...buttons);
  return { box: make("div", { class: "form" }, group, corrected.box, note.box), judge };
}

function showClip(clip, changed) {
  audio.pause();
  audio.removeAttribute("src");
  say("");
  const held = media[clip.id];
  const drawn = held ? pictures(clip, held) : null;
  const { words, line } = timedWords(clip);
  const form = verdictForm(clip, changed);
  const button = held ? make("button", { type: "button", class: "play", onclick: togglePlay }, "▶ Play") : null;
  if (held) audio.src = held[0];
  current = { clip, delay: held ? held[3] : 0, words, button, judge: form.judge, head: drawn && drawn.head, slider: drawn && drawn.slider };
  const place = `${clip.episode_title || clip.episode_id}, at ${clock(clip.start)}`;
  const judged = clip.verdict === "kept" ? `kept, ${clip.split || "no split"}` : `left out: ${clip.reasons.join("; ")}`;
  byId("queue-card").replaceChildren(
    make("div", { class: "title" }, make("h3", {}, make("code", {}, clip.id)), make("span", { class: "quiet" }, place)),
    make("ul", { class: "chips" }, ...clip.why.map((why) => make("li", {}, whyInWords(why))), make("li", { class: `state ${clip.verdict}` }, judged)),
    ...(drawn ? [drawn.box, drawn.slider, drawn.ends] : [make("p", { class: "note" }, "The audio of this clip is not in this page.")]),
    make("div", { class: "listen" }, button, line),
    make("p", { class: "written" }, make("span", { class: "quiet" }, "As written "), clip.text),
    form.box,
    make("details", { open: true }, make("summary", {}, "Scores"), scoreList(clip)),
  );
}
