// Shows how surprising each note is to the model, and plays the music. Ticks are those of the score.
const byId = (id) => document.getElementById(id);
const music = JSON.parse(byId("data").textContent);
const score = byId("score"), card = byId("card"), cursor = byId("cursor"), playButton = byId("play"), loudness = byId("loudness");
const reducesMotion = matchMedia("(prefers-reduced-motion: reduce)");
const parts = [...score.querySelectorAll("[data-event]")]; // printed notes and rests; a tied note has several
const partsOf = music.events.map(() => []);
parts.forEach((part) => partsOf[part.dataset.event].push(part));
const headBox = (part) => (part.querySelector(".notehead") ?? part).getBoundingClientRect();
const shownPart = (index) => partsOf[index].find((part) => part.getClientRects().length); // only one engraving is shown

// The card: what the model expected instead of a note

let chosen = null; // index of the event whose card is shown

function show(index, part = shownPart(index)) {
  hide();
  chosen = index;
  partsOf[index].forEach((each) => each.classList.add("chosen"));
  const { name, location, surprise, alternatives } = music.events[index];
  card.replaceChildren(newElement("strong", name), newElement("p", `${location}. ${surprise}`), tableOf(alternatives));
  card.hidden = false;
  const note = headBox(part), box = card.getBoundingClientRect();
  const left = note.left + note.width / 2 - box.width / 2, above = note.top - box.height - 14;
  card.style.left = `${Math.min(Math.max(8, left), innerWidth - box.width - 8)}px`;
  card.style.top = `${above > 8 ? above : Math.min(note.bottom + 14, innerHeight - box.height - 8)}px`;
}

function hide() {
  if (chosen !== null) partsOf[chosen].forEach((part) => part.classList.remove("chosen"));
  chosen = null;
  card.hidden = true;
}

function newElement(tag, content, className = "") {
  const element = document.createElement(tag);
  element.append(content);
  element.className = className;
  return element;
}

function tableOf(alternatives) {
  const table = document.createElement("table");
  alternatives.forEach(([name, probability, percent, isWritten], rank) => {
    const row = newElement("tr", "", `${isWritten ? "written" : ""} ${rank === 5 ? "apart" : ""}`), bar = newElement("span", "", "bar");
    bar.style.width = `${Math.max(1, 100 * probability)}%`;
    row.append(newElement("td", isWritten ? `${name} ✓` : name), newElement("td", bar), newElement("td", percent));
    table.append(row);
  });
  return table;
}

// Pointer: notes are small, so it points at the nearest one within some pixels

function nearest({ clientX, clientY, pointerType }) {
  let best = null, least = pointerType === "mouse" ? 14 : 24;
  for (const part of parts) {
    const box = headBox(part), distance = Math.hypot(clientX - box.left - box.width / 2, clientY - box.top - box.height / 2);
    if (box.width && distance < least) [best, least] = [part, distance];
  }
  return best;
}

score.addEventListener("pointermove", (event) => {
  if (event.pointerType !== "mouse") return;
  const part = nearest(event);
  if (!part) hide();
  else if (Number(part.dataset.event) !== chosen) show(Number(part.dataset.event), part);
});
score.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && hide());
score.addEventListener("mousedown", (event) => event.preventDefault()); // a click beside a note keeps the focus
score.addEventListener("click", (event) => {
  const part = nearest(event);
  if (!part) return hide();
  const index = Number(part.dataset.event), isAgain = index === chosen;
  part.focus({ preventScroll: true });
  show(index, part);
  if (event.pointerType === "mouse" || isAgain) playFrom(music.events[index].onset);
});
addEventListener("scroll", hide, { passive: true });

// Keys: the score is one stop of the Tab key, arrow keys move from note to note in it

let stops = [];

function setStop(index) {
  stops.forEach((part) => part.setAttribute("tabindex", "-1"));
  stops = ["wide", "narrow"].map((kind) => partsOf[index].find((part) => part.closest(`.${kind}`))).filter(Boolean);
  stops.forEach((part) => part.setAttribute("tabindex", "0"));
}

parts.forEach((part) => {
  const { name, location, surprise, alternatives } = music.events[part.dataset.event];
  const likeliest = alternatives.map(([sound, , percent, isWritten]) => `${sound} ${percent}${isWritten ? ", written" : ""}`);
  part.setAttribute("role", "button");
  part.setAttribute("aria-label", `${name}. ${location}. ${surprise}. ${likeliest.join("; ")}`);
  part.setAttribute("tabindex", "-1");
});
setStop(0);

function neighbor(index, key) {
  const { voice, onset } = music.events[index], other = voice + (key === "ArrowDown" ? 1 : -1);
  if (key === "ArrowRight") return music.events.findIndex((event, i) => i > index && event.voice === voice);
  if (key === "ArrowLeft") return music.events.findLastIndex((event, i) => i < index && event.voice === voice);
  if (key !== "ArrowDown" && key !== "ArrowUp") return -1;
  return music.events.findLastIndex((event) => event.voice === other && event.onset <= onset);
}

score.addEventListener("focusin", ({ target }) => {
  setStop(Number(target.dataset.event));
  if (target.matches(":focus-visible")) show(Number(target.dataset.event), target);
});
score.addEventListener("focusout", hide);
score.addEventListener("keydown", (event) => {
  const index = Number(event.target.dataset.event), next = neighbor(index, event.key);
  if (event.key === "Enter") playFrom(music.events[index].onset);
  else if (next >= 0) {
    const part = shownPart(next);
    part.focus({ preventScroll: true });
    part.scrollIntoView({ block: "nearest" });
    requestAnimationFrame(() => show(next, part)); // after the scroll event, which hides the card
  }
  if (event.key === "Enter" || event.key.startsWith("Arrow")) event.preventDefault();
});
addEventListener("keydown", (event) => {
  if (event.key === "Escape") hide();
  if (event.key !== " " || event.target.matches("button, input")) return;
  event.preventDefault();
  isPlaying ? pause() : play();
});

// Playback

const AHEAD = 1.5; // seconds; a tab in the background runs its timers once a second
let sound, context, master, bus, timer, isPlaying = false;
let tick = 0, startedAt = 0, next = 0; // tick while silent; time of tick 0; index of the next event to play
const tickNow = () => (isPlaying ? Math.max(0, (context.currentTime - startedAt) / music.secondsPerTick) : tick);

function prepare() {
  sound = openSound((loudness.value / 100) ** 2);
  ({ context, master } = sound);
}

function playEvent({ voice, pitch, onset, duration }) {
  const start = Math.max(context.currentTime, startedAt + onset * music.secondsPerTick);
  const end = startedAt + (onset + duration) * music.secondsPerTick - 0.02;
  if (end > start) playTone(sound, bus, { pitch, start, end, voice, voiceCount: music.voiceCount });
}

function schedule() {
  const until = (context.currentTime + AHEAD - startedAt) / music.secondsPerTick;
  for (; next < music.events.length && music.events[next].onset <= until; next += 1) {
    const event = music.events[next];
    if (event.pitch !== null) playEvent(event);
  }
  if (tickNow() >= music.endTick) stop();
}

async function play() {
  if (!context) prepare();
  await context.resume();
  if (isPlaying) return;
  bus = new GainNode(context);
  bus.connect(master);
  startedAt = context.currentTime + 0.08 - tick * music.secondsPerTick;
  next = 0; // events that are over stay silent
  isPlaying = true;
  timer = setInterval(schedule, 200);
  schedule();
  requestAnimationFrame(follow);
}

function pause() {
  const old = bus;
  tick = tickNow();
  isPlaying = false;
  clearInterval(timer);
  old.gain.setTargetAtTime(0, context.currentTime, 0.02);
  setTimeout(() => old.disconnect(), 200);
  showPosition();
}

function stop() {
  if (isPlaying) pause();
  tick = 0;
  highlight(-1);
  cursor.hidden = true;
  showPosition();
}

function playFrom(onset) {
  if (isPlaying) pause();
  tick = onset;
  play();
}

// Position: the notes that sound, and a cursor that moves from onset to onset, system by system

const ends = music.events.map(({ onset, duration }) => onset + duration);
let onsets = [], highlighted = [];

function locateOnsets() {
  const frame = score.getBoundingClientRect(), found = new Map();
  for (const part of score.querySelectorAll("[data-tick]")) {
    const box = headBox(part), at = Number(part.dataset.tick), x = box.left + box.width / 2 - frame.left;
    if (!box.width || (found.has(at) && (part.matches(".rest") || x >= found.get(at).x))) continue;
    const system = part.closest(".system"), { top, height, right } = system.getBoundingClientRect();
    found.set(at, { at, x, system, top: top - frame.top, height, right: right - frame.left });
  }
  onsets = [...found.values()].sort((a, b) => a.at - b.at);
}

function follow() {
  if (!isPlaying) return;
  const now = tickNow(), index = Math.max(0, onsets.findLastIndex((onset) => onset.at <= now));
  const here = onsets[index], after = onsets[index + 1] ?? { at: music.endTick };
  const share = reducesMotion.matches ? 0 : Math.max(0, Math.min(1, (now - here.at) / (after.at - here.at)));
  const x = here.x + share * ((after.system === here.system ? after.x : here.right) - here.x);
  if (cursor.hidden || cursor.style.top !== `${here.top}px`) here.system.scrollIntoView({ block: "nearest" });
  cursor.hidden = false;
  Object.assign(cursor.style, { left: `${x}px`, top: `${here.top}px`, height: `${here.height}px` });
  highlight(now);
  showPosition();
  requestAnimationFrame(follow);
}

function highlight(now) {
  const sounding = partsOf.filter((_, index) => now >= music.events[index].onset && now < ends[index]).flat();
  if (sounding.length === highlighted.length && sounding.every((part, i) => part === highlighted[i])) return;
  highlighted.forEach((part) => part.classList.remove("sounding"));
  sounding.forEach((part) => part.classList.add("sounding"));
  highlighted = sounding;
}

function showPosition() {
  const now = tickNow(), [, bar] = music.bars.findLast(([onset]) => onset <= now), [, last] = music.bars.at(-1);
  byId("where").textContent = bar ? `bar ${bar} of ${last}` : "pickup";
  playButton.textContent = isPlaying ? "❚❚" : "▶";
  playButton.setAttribute("aria-label", isPlaying ? "Pause" : "Play");
}

playButton.addEventListener("click", () => (isPlaying ? pause() : play()));
byId("stop").addEventListener("click", stop);
loudness.addEventListener("input", () => master?.gain.setTargetAtTime((loudness.value / 100) ** 2, context.currentTime, 0.02));
document.addEventListener("click", ({ target }) => target.dataset.play && playFrom(Number(target.dataset.play)));
addEventListener("resize", locateOnsets);
locateOnsets();
showPosition();
