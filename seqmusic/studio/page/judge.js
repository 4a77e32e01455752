// Judge: which of two continuations is better? The answers are kept in preferences.csv, and show what you prefer.
import { post } from "./api.js";
import { engrave, say, showProblem } from "./desk.js";
import { player } from "./player.js";
import { Sheet, make } from "./score.js";
import { addWords, language, number, t } from "./words.js";

addWords({
  en: { judge_title: "Which is better?", judge_text: "Two continuations of the same beginning by Bach. Listen to both, then choose. One pair in ten comes again.", judge_begin: "Hear two", judge_waiting: "Composing two …", candidate_a: "A", candidate_b: "B", better_a: "A is better", better_b: "B is better", equal: "Equal", skip: "Skip", judge_count: "Answers so far: {n}", you_prefer: "What your answers say", nothing_yet: "Nothing certain yet: go on.", foresaw: "From your answers, {letter} was to be expected, {odds} to 1.", to_rank: "{n} more answers, and candidates can be ranked by your taste: seqmusic continue THEME --prefer {file}", ranked: "Candidates can be ranked by your taste: seqmusic continue THEME --prefer {file}", to_align: "{n} more, and a model can be aligned with it: seqmusic align", aligned: "A model can be aligned with your taste: seqmusic align --preferences {file}", agreed: "Of {n} pairs that came again, you agreed with yourself on {agreed}." },
  fr: { judge_title: "Lequel est meilleur ?", judge_text: "Deux suites du même début de Bach. Écoutez les deux, puis choisissez. Une paire sur dix revient.", judge_begin: "Écouter deux suites", judge_waiting: "Composition de deux suites …", candidate_a: "A", candidate_b: "B", better_a: "A est meilleur", better_b: "B est meilleur", equal: "Égaux", skip: "Passer", judge_count: "Réponses jusqu’ici : {n}", you_prefer: "Ce que disent vos réponses", nothing_yet: "Rien de certain encore : continuez.", foresaw: "D’après vos réponses, on attendait {letter}, à {odds} contre 1.", to_rank: "Encore {n} réponses, et les propositions pourront être classées selon votre goût : seqmusic continue THÈME --prefer {file}", ranked: "Les propositions peuvent être classées selon votre goût : seqmusic continue THÈME --prefer {file}", to_align: "Encore {n}, et un modèle pourra être aligné : seqmusic align", aligned: "Un modèle peut être aligné sur votre goût : seqmusic align --preferences {file}", agreed: "Sur {n} paires revenues, vous avez été d’accord avec vous-même {agreed} fois." },
});
const byId = (id) => document.getElementById(id);
const MEASURES_FR = { "notes in a quarter": "notes par noire", "stepwise motion": "mouvements conjoints", "root-position triads": "accords à l’état fondamental", "dominant-tonic motion": "mouvements dominante-tonique", "leading tones that rise": "sensibles qui montent", "sevenths that fall by step": "septièmes qui descendent d’un degré", "prepared dissonances": "dissonances préparées", parallels: "parallèles", "repeated bars": "mesures répétées", "notes outside the scale": "notes étrangères à la gamme", "compass of the highest voice": "ambitus de la voix supérieure" };

function sentenceIn(text) {
  if (language === "en") return text.charAt(0).toUpperCase() + text.slice(1);
  const match = /^you prefer (more|fewer or less) (.*) (\(.*\))$/.exec(text);
  return match ? `Vous préférez ${match[1] === "more" ? "plus" : "moins"} de ${MEASURES_FR[match[2]] ?? match[2]} ${match[3]}` : text;
}

class Judge {
  start() {
    byId("judge-begin").addEventListener("click", () => this.draw());
    for (const choice of ["A", "B", "equal", "skip"]) byId(`judge-${choice}`).addEventListener("click", () => this.answer(choice));
    this.sheets = ["a", "b"].map((letter) => {
      const sheet = new Sheet(byId(`judge-score-${letter}`), { onBar: (bar) => player.play(sheet, sheet.view.bars[bar][1]) });
      byId(`judge-play-${letter}`).addEventListener("click", () => sheet.view && player.play(sheet));
      return sheet;
    });
  }

  async draw() {
    player.stop();
    this.#busy(true);
    byId("judge-state").textContent = t("judge_waiting");
    try {
      this.pair = await post("/comparisons/draw");
      byId("judge-pair").hidden = false;
      byId("judge-begin").hidden = true;
      await Promise.all(["a", "b"].map((letter, i) => engrave(this.sheets[i], this.pair[letter], this.#given(letter))));
      this.since = performance.now();
      byId("judge-state").textContent = t("judge_count", { n: this.pair.n_answers });
    } catch (error) {
      byId("judge-state").textContent = "";
      showProblem(error);
    }
    this.#busy(false);
  }

  #given(letter) { // the beginning, which both share
    const score = this.pair[letter], { given_ticks: end } = this.pair;
    return { ...score, voices: score.voices.map(([name, notes]) => [name, notes.filter(([onset]) => onset < end)]) };
  }

  async answer(choice) {
    if (!this.pair) return;
    const { head, seed_a, seed_b } = this.pair;
    this.#busy(true);
    try {
      this.summary = { ...await post("/comparisons/answer", { head, seed_a, seed_b, choice, seconds: (performance.now() - this.since) / 1000 }), choice };
      this.show();
      say(t("judge_count", { n: this.summary.n_answers }));
      await this.draw();
    } catch (error) {
      showProblem(error);
      this.#busy(false);
    }
  }

  show() {
    const { summary } = this;
    if (!summary) return;
    const { n_decisive: n, to_rank: toRank, to_align: toAlign, sentences, lead_a: lead, file, consistency: [agreed, repeated] } = summary, items = [];
    if (lead !== undefined) items.push(t("foresaw", { letter: lead >= 0 ? "A" : "B", odds: number(Math.exp(Math.abs(lead)), 1) }));
    items.push(...(sentences.length ? sentences.map(sentenceIn) : [t("nothing_yet")]));
    if (repeated) items.push(t("agreed", { n: repeated, agreed }));
    items.push(n < toRank ? t("to_rank", { n: toRank - n, file }) : t("ranked", { file }), n < toAlign ? t("to_align", { n: toAlign - n }) : t("aligned", { file }));
    byId("judge-summary").replaceChildren(make("h2", {}, t("you_prefer")), make("ul", {}, ...items.map((text) => make("li", {}, text))));
  }

  #busy(isBusy) {
    for (const choice of ["A", "B", "equal", "skip"]) byId(`judge-${choice}`).disabled = isBusy;
    byId("judge-begin").disabled = isBusy;
  }
}

export const judge = new Judge();
