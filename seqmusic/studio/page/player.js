// One player for the page: it plays a sheet, or several without a gap, and moves the cursor.
import { Sound } from "./sound.js";

const AHEAD = 20; // seconds that are handed to the sound at once, so that a tab in the background plays on
const LEAD = 0.06; // seconds from a click to the first note of a score

class Player extends EventTarget {
  sound = null;
  instrument = "organ";
  volumes = [];
  tempo = 84; // quarters a minute
  items = []; // {sheet, notes, start, voiceCount, ...} in order; start in seconds of the context
  isPlaying = false;
  current = null;
  tick = 0;
  more = null; // gives the next item, or null

  get secondsPerTick() {
    return 60 / this.tempo / 24;
  }

  open() {
    if (!this.sound) {
      this.sound = new Sound();
      this.volumes.forEach((volume, voice) => this.sound.setVolume(voice, volume));
    }
    this.sound.instrument = this.instrument;
    return this.sound;
  }

  strike(pitch) {
    const sound = this.open();
    if (sound.context.state === "running") sound.strike(pitch);
    else sound.context.resume().then(() => sound.strike(pitch));
  }

  now() {
    return this.sound ? this.sound.context.currentTime : 0;
  }

  tickOf(item) {
    return Math.max(0, (this.now() - item.start) / this.secondsPerTick);
  }

  async play(sheet, from = 0, more = null) {
    this.halt();
    const sound = this.open();
    await sound.context.resume();
    const start = sound.context.currentTime + LEAD - from * this.secondsPerTick;
    this.items = [this.#item(sheet, start, from)];
    [this.more, this.isPlaying, this.current] = [more, true, this.items[0]];
    this.#schedule();
    this.timer = setInterval(() => this.#schedule(), 250);
    requestAnimationFrame(() => this.#follow());
    this.#changed();
  }

  // A score that follows the last one without a gap.
  append(sheet) {
    const last = this.items.at(-1);
    if (!this.isPlaying || !last) return;
    const end = last.start + last.end * this.secondsPerTick; // later only where composing took longer than the music
    this.items.push(this.#item(sheet, end > this.now() ? end : this.now() + LEAD, 0));
    this.#schedule();
  }

  get secondsLeft() { // of what is known
    const last = this.items.at(-1);
    return this.isPlaying && last ? last.start + last.end * this.secondsPerTick - this.now() : 0;
  }

  #item(sheet, start, from) {
    const { view } = sheet;
    return { sheet, start, end: view.end_ticks, notes: view.notes.filter((note) => note[1] + note[2] > from), next: 0, voiceCount: view.voices.length };
  }

  #schedule() {
    if (!this.isPlaying) return;
    const now = this.now(), tickSeconds = this.secondsPerTick;
    for (const item of this.items) {
      for (; item.next < item.notes.length; item.next += 1) {
        const [voice, onset, duration, pitch] = item.notes[item.next], start = Math.max(now, item.start + onset * tickSeconds), end = item.start + (onset + duration) * tickSeconds;
        if (start > now + AHEAD) break;
        if (end > now + 0.02) this.sound.play({ pitch, start, end, voice, voiceCount: item.voiceCount });
      }
    }
    const last = this.items.at(-1);
    if (now > last.start + last.end * tickSeconds + 0.1 && !this.more) this.stop();
    this.dispatchEvent(new Event("schedule"));
  }

  #follow() {
    if (!this.isPlaying) return;
    const now = this.now(), item = this.items.findLast((one) => one.start <= now + 0.001) ?? this.items[0];
    if (item !== this.current) {
      this.current?.sheet.hideCursor();
      this.current = item;
      this.items = this.items.slice(this.items.indexOf(item));
      this.dispatchEvent(new Event("item"));
    }
    this.tick = Math.min(this.tickOf(item), item.end);
    item.sheet.show(this.tick, !matchMedia("(prefers-reduced-motion: reduce)").matches);
    this.dispatchEvent(new Event("move"));
    requestAnimationFrame(() => this.#follow());
  }

  // Silence now; where it was is kept.
  halt() {
    if (!this.isPlaying) return;
    this.isPlaying = false;
    clearInterval(this.timer);
    this.sound.closeBus();
  }

  pause() {
    if (!this.isPlaying) return;
    this.halt();
    this.#changed();
  }

  stop() {
    this.halt();
    this.current?.sheet.hideCursor();
    [this.tick, this.items, this.more] = [0, [], null];
    this.#changed();
  }

  setTempo(tempo) {
    const { current, tick, isPlaying, more } = this;
    this.tempo = tempo;
    if (isPlaying && current) this.play(current.sheet, tick, more);
  }

  setVolume(voice, volume) {
    this.volumes[voice] = volume;
    this.sound?.setVolume(voice, volume);
  }

  setInstrument(name) {
    this.instrument = name;
    const { current, tick, isPlaying, more } = this;
    if (this.sound) this.sound.instrument = name;
    if (isPlaying && current) this.play(current.sheet, tick, more);
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

export const player = new Player();
