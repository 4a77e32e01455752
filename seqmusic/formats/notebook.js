// A button that plays the notes of `music`, and stops them.
const button = document.getElementById("play");
let sound = null, bus = null, timer = 0;

function stop() {
  clearTimeout(timer);
  bus.disconnect();
  bus = null;
  button.textContent = "▶ play";
}

button.addEventListener("click", async () => {
  sound ??= openSound(0.8);
  await sound.context.resume();
  if (bus) return stop();
  bus = new GainNode(sound.context);
  bus.connect(sound.master);
  const begin = sound.context.currentTime + 0.08, at = (tick) => begin + tick * music.secondsPerTick;
  for (const [voice, onset, end, pitch] of music.notes) playTone(sound, bus, { pitch, start: at(onset), end: at(end) - 0.02, voice, voiceCount: music.voices });
  timer = setTimeout(stop, 1000 * (at(Math.max(...music.notes.map((note) => note[2]))) - begin + 0.6));
  button.textContent = "■ stop";
});
