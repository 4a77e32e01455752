// Plays the score from the beginning; a second click stops it.
const { notes, secondsPerTick, voiceCount } = JSON.parse(document.getElementById("data").textContent);
const button = document.getElementById("play");
const heads = notes.map(([voice, , onset]) => document.getElementById(`v${voice}-${onset}`));
let sound, bus = null, startedAt = 0;

async function play() {
  sound ??= openSound(0.5);
  await sound.context.resume();
  bus = new GainNode(sound.context);
  bus.connect(sound.master);
  startedAt = sound.context.currentTime + 0.08;
  const at = (tick) => startedAt + tick * secondsPerTick;
  for (const [voice, pitch, onset, end] of notes) playTone(sound, bus, { voice, voiceCount, pitch, start: at(onset), end: at(end) - 0.02 });
  button.textContent = "■ Stop";
  requestAnimationFrame(follow);
}

function stop() {
  const ending = bus;
  ending.gain.setTargetAtTime(0, sound.context.currentTime, 0.02);
  setTimeout(() => ending.disconnect(), 200);
  bus = null;
  highlight(-1);
  button.textContent = "▶ Play";
}

function follow() {
  if (!bus) return;
  const tick = (sound.context.currentTime - startedAt) / secondsPerTick;
  if (tick >= Math.max(...notes.map(([, , , end]) => end))) return stop();
  highlight(tick);
  requestAnimationFrame(follow);
}

function highlight(tick) {
  notes.forEach(([, , onset, end], index) => heads[index]?.classList.toggle("sounding", tick >= onset && tick < end));
}

button.addEventListener("click", () => (bus ? stop() : play()));
