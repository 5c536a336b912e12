// What the reviewer found: kept in the browser where it allows that, and written as the review.csv that `realtalk review` takes.
const REVIEW_COLUMNS = ["id", "verdict", "corrected_text", "note", "reviewer", "time"];
const MOST_CHARACTERS = 2000;
const reviews = (() => {
  const key = `realtalk review ${page.name} ${page.version}`;
  let kept = {};
  try {
    kept = JSON.parse(storage.get(key)) || {};
  } catch {
    kept = {};
  }
  const found = new Map(Object.entries(kept).filter(([, one]) => one && page.verdicts.includes(one.verdict)));
  const save = () => storage.set(key, JSON.stringify(Object.fromEntries(found)));
  return {
    get: (id) => found.get(id) || null,
    set(id, change) {
      found.set(id, { corrected_text: "", note: "", ...found.get(id), ...change, time: new Date().toISOString() });
      return save();
    },
    remove(id) {
      found.delete(id);
      return save();
    },
    all: () => [...found],
  };
})();

function csvField(value) {
  // No control characters, which no text holds; two double quotes stand for one (RFC 4180).
  const text = String(value).replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, "").slice(0, MOST_CHARACTERS);
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
function reviewCsv(reviewer) {
  const rows = reviews.all().map(([id, one]) => {
    const row = { reviewer, ...one, id };
    if (row.verdict !== "wrong_text") row.corrected_text = "";
    return REVIEW_COLUMNS.map((name) => csvField(row[name])).join(",");
  });
  return [REVIEW_COLUMNS.join(","), ...rows, ""].join("\r\n");
}
function download(name, text) {
  const url = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  const link = make("a", { href: url, download: name, hidden: true });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

// The largest share of faulty clips with which so few faults are found in one case of twenty (Clopper and Pearson 1934).
function mostFaulty(faults, heard, confidence) {
  if (!heard || faults >= heard) return 1;
  const chance = (share) => {
    let term = (1 - share) ** heard;
    let sum = term;
    for (let n = 1; n <= faults; n++) {
      term *= ((heard - n + 1) / n) * (share / (1 - share));
      sum += term;
    }
    return sum;
  };
  let [low, high] = [0, 1];
  for (let step = 0; step < 50; step++) {
    const middle = (low + high) / 2;
    if (chance(middle) > 1 - confidence) low = middle;
    else high = middle;
  }
  return high;
}
function sampleInWords() {
  const { clips, confidence } = page.sample;
  const heard = clips.map((id) => reviews.get(id)).filter(Boolean);
  const faults = heard.filter((one) => one.verdict !== "ok").length;
  const proves = (n, of) =>
    `${n} ${n === 1 ? "fault" : "faults"} in ${of}: with ${percent(confidence)} confidence fewer than ${percent(mostFaulty(n, of, confidence), 1)} are faulty`;
  if (!clips.length) return "There is no random sample.";
  if (!heard.length) return `The random sample has ${clips.length} clips. ${proves(0, clips.length)}.`;
  return `Of the random sample ${heard.length} of ${clips.length} are heard. ${proves(faults, heard.length)}.`;
}
