// Plays the excerpts, one at a time: a click on a button starts one, a second click stops it.
const pieces = JSON.parse(document.getElementById("data").textContent);
const figures = [...document.querySelectorAll(".excerpt")];
const buttonOf = (index) => figures[index].querySelector("button");
let sound, playing = null; // the excerpt that plays: its index, its bus, and when it began

async function play(index) {
  sound ??= openSound(0.5);
  await sound.context.resume();
  if (playing) stop();
  const { notes, secondsPerTick, voiceCount } = pieces[index], bus = new GainNode(sound.context);
  bus.connect(sound.master);
  playing = { index, bus, startedAt: sound.context.currentTime + 0.08 };
  const at = (tick) => playing.startedAt + tick * secondsPerTick;
  for (const [voice, pitch, onset, end] of notes) if (pitch !== null) playTone(sound, bus, { voice, voiceCount, pitch, start: at(onset), end: at(end) - 0.02 });
  buttonOf(index).textContent = "■";
  requestAnimationFrame(follow);
}

function stop() {
  const { index, bus } = playing;
  bus.gain.setTargetAtTime(0, sound.context.currentTime, 0.02);
  setTimeout(() => bus.disconnect(), 200);
  playing = null;
  highlight(index, -1);
  buttonOf(index).textContent = "▶";
}

function follow() {
  if (!playing) return;
  const { index, startedAt } = playing, { notes, secondsPerTick } = pieces[index];
  const tick = (sound.context.currentTime - startedAt) / secondsPerTick;
  if (tick >= Math.max(...notes.map(([, , , end]) => end))) return stop();
  highlight(index, tick);
  requestAnimationFrame(follow);
}

function highlight(index, tick) {
  for (const part of figures[index].querySelectorAll(".note[data-event]")) {
    const [, , onset, end] = pieces[index].notes[part.dataset.event];
    part.classList.toggle("sounding", tick >= onset && tick < end);
  }
}

figures.forEach((_, index) => buttonOf(index).addEventListener("click", () => (playing?.index === index ? stop() : play(index))));
