// Motet: the tune on the desk becomes the tenor of an isorhythmic motet; its taleae stand one below the other.
import { post, read, stream } from "./api.js";
import { desk, downloadButtons, say, showProblem } from "./desk.js";
import { player } from "./player.js";
import { Sheet, make } from "./score.js";
import { addWords, inLanguage, number, t } from "./words.js";

addWords({
  en: { motet_title: "A motet from a tune", motet_text: "The tune on the desk becomes the color of the tenor: a row of pitches, sung over a repeated rhythm, the talea. Around it the model composes, as in the fourteenth century.", motet_do: "Compose a motet", motet_planning: "Planning …", motet_composing: "Composing around the tenor; this takes a while …", talea: "Talea", sections: "Sections", n_voices: "Voices", hocket: "Hocket", panisorhythm: "All voices repeat their rhythm", introitus: "Bars before the tenor enters", motet_style: "Counterpoint", the_tenor: "The tenor, talea by talea", color_n: "color {n}", checks: "Checks", check_ok: "holds", check_failed: "does not hold", check_none: "reported", motet_n: "Motet {n}", on_the_desk: "Put on the desk", check_color: "color", check_tune: "tune", check_taleae: "taleae", check_proportions: "proportions", check_contratenor: "contratenor", check_speed: "speed", check_joints: "joints of taleae", check_sonorities: "sonorities", check_cadences: "cadences", check_final: "final", check_parallels: "parallels", check_compass: "compass", check_hocket: "hocket", check_panisorhythm: "panisorhythm", check_detector: "detector" },
  fr: { motet_title: "Un motet sur un air", motet_text: "L’air du pupitre devient la color du ténor : une suite de hauteurs, chantée sur un rythme répété, la talea. Autour de lui le modèle compose, comme au quatorzième siècle.", motet_do: "Composer un motet", motet_planning: "Plan …", motet_composing: "Composition autour du ténor ; cela prend un moment …", talea: "Talea", sections: "Sections", n_voices: "Voix", hocket: "Hoquet", panisorhythm: "Toutes les voix répètent leur rythme", introitus: "Mesures avant l’entrée du ténor", motet_style: "Contrepoint", the_tenor: "Le ténor, talea par talea", color_n: "color {n}", checks: "Contrôles", check_ok: "tenu", check_failed: "non tenu", check_none: "noté", motet_n: "Motet {n}", on_the_desk: "Mettre sur le pupitre", check_color: "color", check_tune: "air", check_taleae: "taleae", check_proportions: "proportions", check_contratenor: "contraténor", check_speed: "vitesse", check_joints: "jointures des taleae", check_sonorities: "sonorités", check_cadences: "cadences", check_final: "finale", check_parallels: "parallèles", check_compass: "ambitus", check_hocket: "hoquet", check_panisorhythm: "panisorythmie", check_detector: "détecteur" },
});
const byId = (id) => document.getElementById(id);

class Motet {
  motets = [];

  async start() {
    this.choices = await read("/motet");
    byId("talea").replaceChildren(...Object.entries(this.choices.taleae).map(([name]) => make("option", { value: name }, name.replaceAll("-", " "))));
    byId("motet-style").replaceChildren(...["trecento", "chorale"].map((name) => make("option", { value: name }, name)));
    byId("talea").addEventListener("change", () => this.#showTalea());
    byId("motet-do").addEventListener("click", () => this.compose());
    this.#showTalea();
  }

  #showTalea() {
    const { steps, sections } = this.choices.taleae[byId("talea").value];
    byId("talea-steps").textContent = steps;
    byId("sections").value = sections;
  }

  async compose() {
    if (this.signal) return this.signal.abort();
    this.signal = new AbortController();
    const data = { score: desk.session.score, talea: byId("talea").value, sections: byId("sections").value, voices: Number(byId("motet-voices").value), hocket: byId("hocket").checked, iso: byId("panisorhythm").checked ? "all" : "tenor", introitus: Number(byId("introitus").value) || 0, style: byId("motet-style").value, n: 1, seed: Number(byId("motet-seed").value) || 0 };
    showProblem(null);
    byId("motet-state").textContent = t("motet_planning");
    byId("motet-do").textContent = t("stop_composing");
    byId("motets").replaceChildren();
    byId("tenor").replaceChildren();
    this.motets = [];
    try {
      await stream("/motet", { data, signal: this.signal.signal, on: async (name, value) => {
        if (name === "plan") { this.plan = value; this.drawPlan(); byId("motet-state").textContent = t("motet_composing"); }
        if (name === "motet") await this.#add(value);
      } });
      byId("motet-state").textContent = "";
      say(t("motet_n", { n: this.motets.length }));
      byId("motet-seed").value = data.seed + 1;
    } catch (error) {
      byId("motet-state").textContent = error.name === "AbortError" ? t("stopped") : "";
      showProblem(error);
    } finally {
      this.signal = null;
      byId("motet-do").textContent = t("motet_do");
    }
    return null;
  }

  // Each talea is a line of blocks as long as its notes, in proportion to the talea; blocks are numbered by color.
  drawPlan() {
    if (!this.plan) return;
    const { taleae, notes, n_color: nColor, sentences, ratios } = this.plan, width = innerWidth < 900 ? 360 : 860, left = innerWidth < 900 ? 26 : 44, row = 34;
    const lines = taleae.map(([start, end], index) => {
      const scale = (width - left - 6) / (end - start), y = index * row;
      const blocks = notes.map(([onset, duration, pitch], n) => ({ onset, duration, pitch, n })).filter(({ onset }) => onset >= start && onset < end).map(({ onset, duration, pitch, n }) => {
        const color = Math.floor(n / nColor), x = left + (onset - start) * scale, w = Math.max(4, Math.min(duration, end - onset) * scale - 2), first = n % nColor === 0;
        return `<rect x="${x.toFixed(1)}" y="${y + 4}" width="${w.toFixed(1)}" height="24" rx="4" fill="${["#22527a", "#9a4a1d", "#3f6b3a", "#6a3d7c"][color % 4]}"/><text x="${(x + 6).toFixed(1)}" y="${y + 21}" font-size="12" fill="#fff">${w > 26 ? n % nColor + 1 : ""}</text>${first ? `<path d="M${(x - 1).toFixed(1)} ${y}v32" stroke="#a8361a" stroke-width="3"/>` : ""}<!--${pitch}-->`;
      });
      return `<text x="6" y="${y + 21}" font-size="15" font-weight="600">${String.fromCharCode(65 + (index % 26))}</text><path d="M${left} ${y + 31}H${width - 6}" stroke="#ddd6ca"/>${blocks.join("")}`;
    });
    const legend = ratios.map((ratio, i) => `${t("color_n", { n: i + 1 })}${ratio === "1" ? "" : ` (× ${ratio})`}`).join(", ");
    const svg = make("div", { class: "tenor-lines" });
    svg.innerHTML = `<svg viewBox="0 0 ${width} ${taleae.length * row}" role="img" aria-label="${t("the_tenor")}: ${taleae.length} taleae, ${legend}">${lines.join("")}</svg>`;
    byId("tenor").replaceChildren(make("h2", {}, t("the_tenor")), make("p", { class: "hint" }, legend), svg, make("ul", { class: "plain hint" }, ...sentences.map((pair) => make("li", {}, inLanguage(...pair)))));
  }

  async #add(data) {
    const n = this.motets.length + 1, place = make("div"), text = make("div");
    const play = make("button", { type: "button", class: "round", "aria-label": `${t("play")}: ${t("motet_n", { n })}` });
    play.innerHTML = '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M8 5v14l11-7z"/></svg>';
    const words = { true: "check_ok", false: "check_failed", null: "check_none" };
    const checks = data.checks.map(([name, passed, ...sentence]) => make("tr", {}, make("th", { scope: "row" }, t(`check_${name}`)), make("td", {}, `${{ true: "✓ ", false: "✗ ", null: "· " }[passed]}${t(words[passed])}`), make("td", {}, inLanguage(...sentence))));
    const toDesk = make("button", { type: "button", class: "choose", onclick: async () => { await desk.act("piece", { score: data.score }); document.getElementById("tab-continue").click(); } }, t("on_the_desk"));
    byId("motets").append(make("section", { class: "paper alternative", "aria-label": t("motet_n", { n }) }, make("div", { class: "paper-head" }, make("h2", {}, play, t("motet_n", { n })), make("span", { class: "figure" }, t("bits", { bits: number(data.bits_per_note), seed: data.seed, effort: 2 })), make("div", { class: "downloads" }, toDesk, ...downloadButtons(() => data.score, () => data.marks))),
      place, make("details", { class: "music-text" }, make("summary", {}, t("as_text")), text), make("details", { open: true }, make("summary", {}, t("checks")), make("table", { class: "wide" }, make("tbody", {}, ...checks)))));
    const sheet = new Sheet(place, { onBar: (bar) => player.play(sheet, sheet.view.bars[bar][1]) });
    this.motets.push({ data, sheet });
    sheet.score = data.score;
    sheet.render(await post("/view", { score: data.score, marks: data.marks, width: sheet.width }));
    text.replaceChildren(sheet.textList());
    play.addEventListener("click", () => (player.isPlaying && player.current?.sheet === sheet ? player.pause() : player.play(sheet)));
  }
}

export const motet = new Motet();
