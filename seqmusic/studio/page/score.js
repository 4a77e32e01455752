// A sheet: an engraved score that is read, played, selected and changed, with mouse, touch and keys.
import { countBars, keyName, pitchName, t, valueName, voiceName } from "./words.js";

let sheetCount = 0;
const NOTE = { voice: 0, onset: 1, duration: 2, pitch: 3, name: 4, given: 5 };
export const cellName = (voice, bar) => `${voice}:${bar}`;

export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

export class Sheet {
  // Options: onNote(note, element) when a note is opened, onBar(bar index, event) when a bar is clicked.
  constructor(container, { onNote = null, onBar = null } = {}) {
    Object.assign(this, { onNote, onBar, view: null, notes: [], selected: new Set(), frozen: new Set() });
    this.prefix = `s${(sheetCount += 1)}`;
    this.element = make("div", { class: "sheet" });
    this.under = make("div", { class: "layer", "aria-hidden": "true" });
    this.pages = make("div");
    this.over = make("div", { class: "layer", "aria-hidden": "true" });
    this.cursor = make("i", { class: "cursor" });
    this.cursor.hidden = true;
    this.over.append(this.cursor);
    this.element.append(this.under, this.pages, this.over);
    container.replaceChildren(this.element);
    this.element.addEventListener("keydown", (event) => this.#key(event));
    this.element.addEventListener("click", (event) => this.#click(event));
    new ResizeObserver(() => this.#placed()).observe(this.element);
  }

  get width() {
    return Math.max(300, Math.round(this.element.clientWidth / 40) * 40 || 800);
  }

  render(view) {
    this.view = view;
    this.cursor.hidden = true;
    const parser = new DOMParser();
    this.pages.replaceChildren(...view.svg.map((text, page) => {
      const svg = parser.parseFromString(text.replaceAll(`page${page}`, `${this.prefix}p${page}`), "image/svg+xml").documentElement;
      return document.importNode(svg, true);
    }));
    this.pages.setAttribute("role", this.onNote ? "group" : "img");
    this.pages.setAttribute("aria-label", t("score_label", { bars: view.bars.length, key: keyName(view.key), meter: view.time_signature }));
    this.parts = [...this.pages.querySelectorAll("[data-voice]")];
    this.notes = view.notes.map((row, index) => ({ index, voice: row[NOTE.voice], onset: row[NOTE.onset], duration: row[NOTE.duration], pitch: row[NOTE.pitch], name: row[NOTE.name], given: Boolean(row[NOTE.given]), parts: [] }));
    this.#linkParts();
    this.#placed();
  }

  // Each printed notehead belongs to the note that sounds there in its voice; a tied note has several.
  #linkParts() {
    for (const part of this.parts) {
      const voice = Number(part.dataset.voice), tick = Number(part.dataset.tick);
      const note = this.notes.find((one) => one.voice === voice && one.onset <= tick && tick < one.onset + one.duration);
      if (!note || part.classList.contains("rest")) continue;
      note.parts.push(part);
      part.dataset.note = note.index;
      part.classList.toggle("given", note.given);
      if (!this.onNote) continue;
      part.setAttribute("role", "button");
      part.setAttribute("tabindex", "-1");
      part.setAttribute("aria-label", this.noteLabel(note));
    }
    this.#setStop(this.notes[0]);
  }

  barOf(tick) {
    return Math.max(0, this.view.bars.findLastIndex(([, onset]) => onset <= tick));
  }

  barLabel(index) {
    const [number] = this.view.bars[index];
    return number ? t("bar", { n: number }) : t("pickup");
  }

  noteLabel(note) {
    const origin = note.given ? `, ${t("given")}` : "";
    const bits = note.bits === undefined ? "" : `, ${t("note_bits", { bits: note.bits.toFixed(1), word: bitsWord(note.bits) })}`;
    return `${pitchName(note.name)} ${valueName(note.duration)}, ${voiceName(this.view.voices[note.voice])}, ${this.barLabel(this.barOf(note.onset))}${origin}${bits}`;
  }

  // Music as text, bar by bar
  textList() {
    const items = this.view.bars.map(([, onset, end], bar) => {
      const lines = this.view.voices.map((name, voice) => {
        const notes = this.notes.filter((note) => note.voice === voice && note.onset >= onset && note.onset < end);
        return `${voiceName(name)}: ${notes.map((note) => `${pitchName(note.name)} ${valueName(note.duration)}${note.given ? ` (${t("given")})` : ""}`).join(", ") || "–"}. `;
      });
      return make("li", {}, make("strong", {}, this.barLabel(bar)), make("br"), lines.join(""));
    });
    return make("ol", { class: "bar-text" }, ...items);
  }

  // Where things are, relative to the sheet
  #box(element) {
    const box = element.getBoundingClientRect(), frame = this.element.getBoundingClientRect();
    return { left: box.left - frame.left, top: box.top - frame.top, width: box.width, height: box.height, right: box.right - frame.left, bottom: box.bottom - frame.top };
  }

  headBox(part) {
    return this.#box(part.querySelector(".notehead") ?? part);
  }

  #placed() {
    if (!this.view || !this.element.clientWidth) return;
    const measures = [...this.pages.querySelectorAll(".measure")];
    this.bars = measures.map((measure) => {
      const staves = [...measure.querySelectorAll(".staff")].map((staff) => {
        const lines = [...staff.children].filter((child) => child.tagName === "path").map((line) => this.#box(line));
        return { top: Math.min(...lines.map((l) => l.top)), bottom: Math.max(...lines.map((l) => l.bottom)), left: lines[0].left, right: lines[0].right };
      });
      return { staves, system: measure.closest(".system") };
    });
    const onsets = new Map();
    for (const part of this.parts) {
      const at = Number(part.dataset.tick), box = this.headBox(part), x = box.left + box.width / 2;
      const isRest = part.classList.contains("rest");
      if (!box.width || (onsets.has(at) && (isRest || x >= onsets.get(at).x))) continue;
      const system = part.closest(".system"), frame = this.#box(system);
      onsets.set(at, { at, x, system, top: frame.top, height: frame.height, right: frame.right });
    }
    this.onsets = [...onsets.values()].sort((a, b) => a.at - b.at);
    this.drawLayers();
  }

  cellBox(voice, bar) {
    const place = this.bars?.[bar];
    if (!place?.staves.length) return null;
    const { staves } = place, shared = staves.length < this.view.voices.length, pad = 9;
    const staff = staves[shared ? Math.floor((voice * staves.length) / this.view.voices.length) : voice];
    if (!staff) return null;
    const middle = (staff.top + staff.bottom) / 2, isUpper = voice % 2 === 0;
    const top = shared && !isUpper ? middle : staff.top - pad, bottom = shared && isUpper ? middle : staff.bottom + pad;
    return { left: staff.left, top, width: staff.right - staff.left, height: bottom - top };
  }

  drawLayers() {
    const marks = [];
    const put = (className, box) => {
      const mark = make("i", { class: className });
      for (const side of ["left", "top", "width", "height"]) if (box[side] !== undefined) mark.style[side] = `${box[side]}px`;
      marks.push(mark);
      return mark;
    };
    for (const [cells, className] of [[this.frozen, "ice"], [this.selected, "picked"]]) {
      for (const cell of cells) {
        const [voice, bar] = cell.split(":").map(Number), box = this.cellBox(voice, bar);
        if (box) put(className, box);
      }
    }
    for (const note of this.notes) {
      for (const part of note.parts) {
        const head = this.headBox(part);
        if (note.given && head.width) put("underline", { left: head.left - 1, top: note.voice % 2 && this.view.voices.length > 1 ? head.top - 5 : head.top + head.height + 2, width: head.width + 2 });
        if (note.bits >= 1 && part === note.parts[0]) {
          const size = 12 + 4.2 * Math.min(note.bits, 8);
          put("disc", { left: head.left + head.width / 2, top: head.top + head.height / 2, width: size, height: size }).style.background = surpriseColor(note.bits);
        }
      }
    }
    this.under.replaceChildren(...marks);
  }

  showSurprise(events) { // null hides it
    for (const note of this.notes) {
      const event = events?.find((one) => one.voice === note.voice && one.onset === note.onset && one.pitch === note.pitch);
      note.bits = event?.bits;
      note.alternatives = event?.alternatives;
      if (this.onNote) note.parts.forEach((part) => part.setAttribute("aria-label", this.noteLabel(note)));
    }
    this.drawLayers();
  }

  // The cursor and the notes that sound
  show(tick, glides = true) {
    if (!this.onsets?.length) return;
    const index = Math.max(0, this.onsets.findLastIndex((one) => one.at <= tick)), here = this.onsets[index];
    const next = this.onsets[index + 1] ?? { at: this.view.end_ticks };
    const share = glides ? Math.min(1, Math.max(0, (tick - here.at) / Math.max(1, next.at - here.at))) : 0;
    const x = here.x + share * ((next.system === here.system ? next.x : here.right) - here.x);
    if (this.cursor.hidden || this.cursor.style.top !== `${here.top}px`) here.system.scrollIntoView({ block: "nearest", behavior: glides ? "smooth" : "auto" });
    this.cursor.hidden = false;
    Object.assign(this.cursor.style, { left: `${x}px`, top: `${here.top}px`, height: `${here.height}px` });
    for (const note of this.notes) {
      const sounds = note.onset <= tick && tick < note.onset + note.duration;
      if (sounds !== Boolean(note.sounds)) note.parts.forEach((part) => part.classList.toggle("sounding", sounds));
      note.sounds = sounds;
    }
  }

  hideCursor() {
    this.cursor.hidden = true;
    for (const note of this.notes) {
      if (note.sounds) note.parts.forEach((part) => part.classList.remove("sounding"));
      note.sounds = false;
    }
  }

  // Keys: the score is one stop of the Tab key, arrows move from note to note
  #setStop(note) {
    this.stop?.parts.forEach((part) => part.setAttribute("tabindex", "-1"));
    this.stop = note;
    if (this.onNote) note?.parts[0]?.setAttribute("tabindex", "0");
  }

  focus(note) {
    if (!note?.parts.length) return;
    this.#setStop(note);
    note.parts[0].focus();
  }

  #key(event) {
    const note = this.notes[event.target.dataset?.note];
    if (!note || !this.onNote) return;
    const line = this.notes.filter((one) => one.voice === note.voice), at = line.indexOf(note);
    const neighbor = { ArrowRight: () => line[at + 1], ArrowLeft: () => line[at - 1], ArrowDown: () => this.#across(note, 1), ArrowUp: () => this.#across(note, -1) }[event.key];
    if (neighbor) this.focus(neighbor());
    else if (event.key === "Enter") this.onNote(note, event.target);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #across(note, direction) {
    return this.notes.findLast((one) => one.voice === note.voice + direction && one.onset <= note.onset);
  }

  #click(event) {
    const { x, y } = event, frame = this.element.getBoundingClientRect();
    let best = null, least = event.pointerType === "touch" ? 22 : 13;
    if (this.onNote) {
      for (const note of this.notes) {
        for (const part of note.parts) {
          const box = this.headBox(part), distance = Math.hypot(x - frame.left - box.left - box.width / 2, y - frame.top - box.top - box.height / 2);
          if (distance < least) [best, least] = [[note, part], distance];
        }
      }
    }
    if (best) {
      this.#setStop(best[0]);
      best[1].focus();
      this.onNote(...best);
    } else if (this.onBar && this.bars) {
      const bar = this.bars.findIndex(({ staves }) => staves.length && x - frame.left >= staves[0].left && x - frame.left < staves[0].right && y - frame.top >= staves[0].top - 24 && y - frame.top <= staves.at(-1).bottom + 24);
      if (bar >= 0) this.onBar(bar, event);
    }
  }
}

export function bitsWord(bits) {
  return bits < 2.5 ? t("expected") : bits < 5 ? t("unexpected") : t("very_unexpected");
}

function surpriseColor(bits) {
  const ramp = [[255, 247, 205], [255, 218, 120], [250, 164, 66], [236, 108, 58], [206, 66, 62]], at = (Math.min(Math.max(bits, 0), 8) / 8) * 4, low = Math.min(Math.floor(at), 3);
  return `rgb(${ramp[low].map((value, i) => Math.round(value + (ramp[low + 1][i] - value) * (at - low))).join(" ")} / 85%)`;
}

export const titleOf = (view) => t("desk_title", { key: keyName(view.key), meter: view.time_signature, bars: countBars(view.bars.filter(([n]) => n > 0).length) });
