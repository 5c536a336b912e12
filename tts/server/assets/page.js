"use strict";

const at = (id) => document.getElementById(id);
let going = null;
let address = "";

function told(text) {
  at("told").textContent = text;
}

function busy(controller) {
  going = controller;
  at("speak").disabled = controller !== null;
  at("stop").disabled = controller === null;
}

async function spoken(signal) {
  const headers = { "Content-Type": "application/json" };
  if (at("key").value) headers.Authorization = `Bearer ${at("key").value}`;
  const body = JSON.stringify({
    model: "realtalk",
    input: at("text").value,
    voice: at("voice").value,
    response_format: at("format").value,
    speed: Number(at("speed").value),
    pitch: Number(at("pitch").value),
    seed: Number(at("seed").value),
    // A player wants the length of what it plays.
    stream: false,
  });
  const answer = await fetch("v1/audio/speech", { method: "POST", headers, body, signal });
  if (!answer.ok) throw new Error((await answer.json()).error.message);
  return answer.blob();
}

at("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const controller = new AbortController();
  const started = performance.now();
  busy(controller);
  told("speaking …");
  try {
    const file = await spoken(controller.signal);
    URL.revokeObjectURL(address);
    address = URL.createObjectURL(file);
    at("audio").src = address;
    told(`${((performance.now() - started) / 1000).toFixed(2)} s, ${Math.round(file.size / 1000)} kB`);
    await at("audio").play();
  } catch (error) {
    told(error.name === "AbortError" ? "stopped" : error.message);
  } finally {
    busy(null);
  }
});

at("stop").addEventListener("click", () => going?.abort());
