// Words of the page in English and French; names of notes, values, keys and bars; errors as sentences.

const EN = {
  skip: "Skip to the score", studio: "studio", tabs: "What to do", help: "Keys and help", language: "Français",
  continue: "Continue", harmonize: "Harmonize", learn: "Learn", forever: "Forever", recognize: "Recognize", motet: "Motet", judge: "Judge",
  tools: "Tools of the score", undo: "Undo", redo: "Redo", surprise: "Surprise", lanes: "Select bars and voices",
  lanes_hint: "Select cells here, or bars on the score (Shift extends). Frozen cells are kept whenever something is composed anew.",
  recompose: "Compose anew", freeze: "Freeze", thaw: "Unfreeze", harmonize_selection: "Harmonize: keep these, compose the other voices", select_none: "Select nothing",
  as_text: "The music as text", write_theme: "Write, play or open a theme", theme: "Theme",
  theme_help: "Notes with octaves: G4 A4 Bb4 or sol4 la4 sib4. A value after a colon: D5:1/2. R is a rest, | a bar line, ; the next voice.",
  note_value: "Note value", piano: "Piano keys", piano_hint: "Click on the staff or the keys. With a piano key focused, A W S E D F T G Y H U J K play it from the computer's keyboard; Z and X change the octave.",
  theme_back: "Take back the last note", theme_clear: "Empty", midi_in: "Connect a MIDI keyboard", midi_on: "MIDI keyboard connected", midi_none: "No MIDI keyboard was found, or the browser does not allow it.",
  open_file: "Open a file", drop_hint: "Or drop a file anywhere: MIDI, MusicXML, MEI, kern, ABC, CSV.",
  staff_pad: "Staff: a click adds a note at that height", steering: "Steering",
  bars_in_all: "Bars in all", voices: "Voices", four_voices: "Four voices", one_voice: "One voice", given_voice: "Given voice",
  soprano: "Soprano", alto: "Alto", tenor: "Tenor", bass: "Bass", temperature: "Temperature", key: "Key", key_auto: "as it sounds", meter: "Meter", style: "Style", style_none: "any", model: "Model",
  model_default: "The included model", model_learned: "Learned here, no. {n}", rules: "Rules", strict: "Strict: no parallels, no crossings", scale: "Notes of the scale only", cadence: "End on the tonic", seed: "Seed", effort: "Effort", effort_0: "0: drawn once", effort_n: "{n}: best of {of}", effort_text: "A judge chooses; four voices only.",
  compose_continue: "Continue", compose_harmonize: "Harmonize", stop_composing: "Stop composing",
  composing: "Composing {i} of {n} …", composed: "{n} alternatives composed.", composed_one: "One alternative composed.", stopped: "Stopped.",
  meaning: "At {t}, the model alone: {surprise} nats of surprise per note (Bach {b_surprise}), voices cross in {crossings} % of the steps (Bach {b_crossings} %), longest copy {copy} notes (Bach {b_copy}). {word}",
  meaning_low: "Plain and safe.", meaning_mid: "Close to Bach on most measures.", meaning_high: "As free as the chorales, with more slips.", meaning_wild: "Wild.",
  alternative: "Alternative {n}", choose: "Put on the desk", bits: "{bits} bits per note · seed {seed} · effort {effort}", download: "Download {format}",
  play: "Play", pause: "Pause", stop: "Stop", instrument: "Instrument", organ: "Organ", choir: "Choir", piano_sound: "Piano", mixer: "Voices", mute: "Mute", volume: "Volume of {voice}", tempo: "Tempo", transport: "Playback",
  where: "bar {bar} of {last}", pickup: "pickup", bar: "Bar {n}", score_label: "Score, {bars} bars, {key}, {meter}", given: "given", rest: "rest",
  note_card: "A note", note_bits: "{bits} bits of surprise: {word}", expected: "expected", unexpected: "unexpected", very_unexpected: "very unexpected", instead: "What else was likely here; choose one to put it in:", written: "written",
  go_on: "Compose on from here", higher: "Step up", lower: "Step down", longer: "Longer", shorter: "Shorter", play_here: "Play from here", close: "Close",
  surprise_hint: "The larger the disc, the less the model expected the note: {bits} bits per note.",
  lane_cell: "{voice}, bar {bar}", lane_frozen: "frozen", all_of_bar: "all of bar {bar}", all_of_voice: "all of {voice}", n_selected: "{n} cells selected", 
  desk_title: "{key}, {meter}, {bars}", n_bars: "{n} bars", one_bar: "1 bar", opened: "{name} is open.", repaired: "{name} is open; in it was repaired or left out: {what}",
  keys_title: "Keys", shortcuts_on: "Single keys act", k_space: "play, pause", k_c: "continue, or harmonize", k_numbers: "play alternative 1 … 6", k_shift_numbers: "put alternative 1 … 6 on the desk", k_z: "undo", k_arrows: "on the score: from note to note", k_enter: "on a note: its card", k_f: "freeze the selection", k_escape: "close, stop",
  forever_composing: "Composing …",
  learn_title: "A model learns, here", learn_text: "Four hundred chorales are read, and a small network learns to predict the next note. The curve is its loss in nats: how surprised it still is. On this machine, in minutes; then you can compose with it.",
  minutes: "Minutes", learn_start: "Begin", learn_stop: "Stop", learn_use: "Compose with it", learn_table: "The curve as numbers", learn_begins: "Reading the chorales …", learn_state: "Batch {step}: loss {loss} nats per note event", learn_validation: "; on chorales it never sees {validation} nats per cell", learn_done: "Done. The model is kept under “Model”.", learn_stopped: "Stopped. What was best so far is kept.", learn_batch: "Batch", learn_loss: "Loss", learn_valid: "Validation, nats per cell", learn_curve: "Loss against batches",
  forever_title: "Forever", forever_text: "A chorale without end. Keys and returning themes are planned; every eight bars obey the strict rules, and whatever copies more than 15 notes from a training work is drawn again.",
  plan: "What comes", another_stream: "Another stream", forever_address: "Address of this moment", figures: "What it does, beside Bach", forever_now: "Segment {n}: theme {theme}, {key}", returns: "returns from {n}", new_theme: "new", here: "now",
  fig_parallels: "Parallel fifths and octaves, of moves of two voices", fig_crossings: "Crossed voices, of steps", fig_steps: "Stepwise motion, of moves", fig_root_position: "Triads in root position, of beats", fig_dominant_tonic: "Dominant to tonic, of beats", fig_copy: "Longest passage shared with a training work, notes", fig_name: "Figure", fig_here: "Last {n} segments", fig_bach: "Bach",
  restored: "Your work is back.", saved_elsewhere: "The server has forgotten this session; your work was kept by the page and is back.",
  e_offline: "The studio does not answer. Is it still running? Your work is kept in this page; start it again with: seqmusic studio", e_busy: "The studio is busy; try again in a moment.",
};

const FR = {
  skip: "Aller à la partition", studio: "studio", tabs: "Que faire", help: "Touches et aide", language: "English",
  continue: "Continuer", harmonize: "Harmoniser", learn: "Apprendre", forever: "Sans fin", recognize: "Reconnaître", motet: "Motet", judge: "Juger",
  tools: "Outils de la partition", undo: "Annuler", redo: "Rétablir", surprise: "Surprise", lanes: "Choisir des mesures et des voix",
  lanes_hint: "Choisissez des cases ici, ou des mesures sur la partition (Maj étend le choix). Les cases gelées restent quand on recompose.",
  recompose: "Recomposer", freeze: "Geler", thaw: "Dégeler", harmonize_selection: "Harmoniser : garder ceci, composer les autres voix", select_none: "Ne rien choisir",
  as_text: "La musique en texte", write_theme: "Écrire, jouer ou ouvrir un thème", theme: "Thème",
  theme_help: "Notes avec octave : sol4 la4 sib4 ou G4 A4 Bb4. Une valeur après deux-points : ré5:1/2. R est un silence, | une barre de mesure, ; la voix suivante.",
  note_value: "Valeur", piano: "Touches du piano", piano_hint: "Cliquez sur la portée ou les touches. Quand une touche du piano a le focus, A W S E D F T G Y H U J K la jouent depuis le clavier de l’ordinateur ; Z et X changent l’octave.",
  theme_back: "Reprendre la dernière note", theme_clear: "Vider", midi_in: "Brancher un clavier MIDI", midi_on: "Clavier MIDI branché", midi_none: "Aucun clavier MIDI trouvé, ou le navigateur ne le permet pas.",
  open_file: "Ouvrir un fichier", drop_hint: "Ou déposez un fichier n’importe où : MIDI, MusicXML, MEI, kern, ABC, CSV.",
  staff_pad: "Portée : un clic ajoute une note à cette hauteur", steering: "Réglages",
  bars_in_all: "Mesures en tout", voices: "Voix", four_voices: "Quatre voix", one_voice: "Une voix", given_voice: "Voix donnée",
  soprano: "Soprano", alto: "Alto", tenor: "Ténor", bass: "Basse", temperature: "Température", key: "Tonalité", key_auto: "comme elle sonne", meter: "Mesure", style: "Style", style_none: "tous", model: "Modèle",
  model_default: "Le modèle inclus", model_learned: "Appris ici, n° {n}", rules: "Règles", strict: "Strict : ni parallèles ni croisements", scale: "Notes de la gamme seulement", cadence: "Finir sur la tonique", seed: "Graine", effort: "Effort", effort_0: "0 : tirée une fois", effort_n: "{n} : la meilleure de {of}", effort_text: "Un juge choisit ; à quatre voix seulement.",
  compose_continue: "Continuer", compose_harmonize: "Harmoniser", stop_composing: "Arrêter",
  composing: "Composition {i} sur {n} …", composed: "{n} propositions composées.", composed_one: "Une proposition composée.", stopped: "Arrêté.",
  meaning: "À {t}, le modèle seul : {surprise} nats de surprise par note (Bach {b_surprise}), les voix se croisent dans {crossings} % des pas (Bach {b_crossings} %), plus longue copie {copy} notes (Bach {b_copy}). {word}",
  meaning_low: "Sage et sûr.", meaning_mid: "Proche de Bach pour la plupart des mesures.", meaning_high: "Aussi libre que les chorals, avec plus de faux pas.", meaning_wild: "Sauvage.",
  alternative: "Proposition {n}", choose: "Mettre sur le pupitre", bits: "{bits} bits par note · graine {seed} · effort {effort}", download: "Télécharger {format}",
  play: "Jouer", pause: "Pause", stop: "Arrêt", instrument: "Instrument", organ: "Orgue", choir: "Chœur", piano_sound: "Piano", mixer: "Voix", mute: "Muet", volume: "Volume : {voice}", tempo: "Tempo", transport: "Lecture",
  where: "mesure {bar} sur {last}", pickup: "levée", bar: "Mesure {n}", score_label: "Partition, {bars} mesures, {key}, {meter}", given: "donnée", rest: "silence",
  note_card: "Une note", note_bits: "{bits} bits de surprise : {word}", expected: "attendue", unexpected: "inattendue", very_unexpected: "très inattendue", instead: "Ce qui était probable ici ; choisissez pour le mettre :", written: "écrite",
  go_on: "Composer la suite d’ici", higher: "Plus haut", lower: "Plus bas", longer: "Plus longue", shorter: "Plus courte", play_here: "Jouer d’ici", close: "Fermer",
  surprise_hint: "Plus le disque est grand, moins le modèle attendait la note : {bits} bits par note.",
  lane_cell: "{voice}, mesure {bar}", lane_frozen: "gelée", all_of_bar: "toute la mesure {bar}", all_of_voice: "toute la voix : {voice}", n_selected: "{n} cases choisies",
  desk_title: "{key}, {meter}, {bars}", n_bars: "{n} mesures", one_bar: "1 mesure", opened: "{name} est ouvert.", repaired: "{name} est ouvert ; y ont été réparés ou omis : {what}",
  keys_title: "Touches", shortcuts_on: "Les touches simples agissent", k_space: "jouer, pause", k_c: "continuer, ou harmoniser", k_numbers: "jouer la proposition 1 … 6", k_shift_numbers: "mettre la proposition 1 … 6 sur le pupitre", k_z: "annuler", k_arrows: "sur la partition : de note en note", k_enter: "sur une note : sa fiche", k_f: "geler le choix", k_escape: "fermer, arrêter",
  forever_composing: "Composition …",
  learn_title: "Un modèle apprend, ici", learn_text: "Quatre cents chorals sont lus, et un petit réseau apprend à prédire la note suivante. La courbe est sa perte en nats : combien il s’étonne encore. Sur cette machine, en quelques minutes ; ensuite vous composez avec lui.",
  minutes: "Minutes", learn_start: "Commencer", learn_stop: "Arrêter", learn_use: "Composer avec lui", learn_table: "La courbe en chiffres", learn_begins: "Lecture des chorals …", learn_state: "Lot {step} : perte de {loss} nats par événement", learn_validation: " ; sur des chorals jamais vus {validation} nats par case", learn_done: "Terminé. Le modèle se trouve sous « Modèle ».", learn_stopped: "Arrêté. Le meilleur état est gardé.", learn_batch: "Lot", learn_loss: "Perte", learn_valid: "Validation, nats par case", learn_curve: "Perte selon les lots",
  forever_title: "Sans fin", forever_text: "Un choral sans fin. Tonalités et retours de thèmes suivent un plan ; toutes les huit mesures obéissent aux règles strictes, et ce qui copie plus de 15 notes d’une œuvre d’apprentissage est retiré.",
  plan: "Ce qui vient", another_stream: "Un autre flux", forever_address: "Adresse de cet instant", figures: "Ce qu’il fait, à côté de Bach", forever_now: "Segment {n} : thème {theme}, {key}", returns: "retour du {n}", new_theme: "nouveau", here: "maintenant",
  fig_parallels: "Quintes et octaves parallèles, par mouvement de deux voix", fig_crossings: "Voix croisées, des pas", fig_steps: "Mouvement conjoint, des mouvements", fig_root_position: "Accords à l’état fondamental, des temps", fig_dominant_tonic: "De la dominante à la tonique, des temps", fig_copy: "Plus long passage commun avec une œuvre d’apprentissage, notes", fig_name: "Mesure", fig_here: "{n} derniers segments", fig_bach: "Bach",
  restored: "Votre travail est revenu.", saved_elsewhere: "Le serveur a oublié cette session ; la page avait gardé votre travail, le voici.",
  e_offline: "Le studio ne répond pas. Tourne-t-il encore ? Votre travail est gardé dans cette page ; relancez : seqmusic studio", e_busy: "Le studio est occupé ; réessayez dans un instant.",
};

export let language = "en";
const WORDS = { en: EN, fr: FR };
export const languages = Object.keys(WORDS);

export function t(name, values = {}) {
  const text = WORDS[language][name] ?? EN[name] ?? name;
  return text.replace(/\{(\w+)\}/g, (whole, key) => values[key] ?? whole);
}

export function number(value, digits = 1) {
  return Number(value).toLocaleString(language, { maximumFractionDigits: digits, minimumFractionDigits: 0 });
}

export function addWords(more) { // {en: {...}, fr: {...}} of a tab
  for (const name of languages) Object.assign(WORDS[name], more[name]);
}

export function setLanguage(name, root = document) {
  language = name === "fr" ? "fr" : "en";
  document.documentElement.lang = language;
  root.querySelectorAll("[data-t]").forEach((element) => { element.textContent = t(element.dataset.t); });
  root.querySelectorAll("[data-t-label]").forEach((element) => element.setAttribute("aria-label", t(element.dataset.tLabel)));
  root.querySelectorAll("[data-t-title]").forEach((element) => element.setAttribute("title", t(element.dataset.tTitle)));
}

// Music in words

const STEPS_FR = { C: "do", D: "ré", E: "mi", F: "fa", G: "sol", A: "la", B: "si" };

export function pitchName(text) { // "Bb4" as B♭4, or si♭4
  const match = /^([A-G])(#*|b*)(-?\d+)$/.exec(text);
  if (!match) return text === "rest" || text === "R" ? t("rest") : text;
  const step = language === "fr" ? STEPS_FR[match[1]] : match[1];
  return step + match[2].replaceAll("#", "♯").replaceAll("b", "♭") + match[3];
}

const VALUES = [
  [96, "whole", "ronde"], [72, "dotted half", "blanche pointée"], [48, "half", "blanche"], [36, "dotted quarter", "noire pointée"], [24, "quarter", "noire"],
  [18, "dotted eighth", "croche pointée"], [16, "triplet quarter", "noire de triolet"], [12, "eighth", "croche"], [9, "dotted sixteenth", "double croche pointée"], [8, "triplet eighth", "croche de triolet"],
  [6, "sixteenth", "double croche"], [4, "triplet sixteenth", "double croche de triolet"], [3, "thirty-second", "triple croche"],
];

export function valueName(ticks) {
  const parts = [];
  let rest = ticks;
  while (rest > 0) {
    const found = VALUES.find(([value]) => value <= rest);
    if (!found) break;
    parts.push(found[language === "fr" ? 2 : 1]);
    rest -= found[0];
  }
  return parts.join(" + ");
}

export function keyName(name) { // "Bb major" as B♭ major, or si♭ majeur
  const match = /^([A-G])(#*|b*) (major|minor)$/.exec(name ?? "");
  if (!match) return name ?? "";
  const signs = match[2].replaceAll("#", "♯").replaceAll("b", "♭");
  if (language === "fr") return `${STEPS_FR[match[1]]}${signs} ${match[3] === "major" ? "majeur" : "mineur"}`;
  return `${match[1]}${signs} ${match[3]}`;
}

export function voiceName(name) {
  const known = { Soprano: "soprano", Alto: "alto", Tenor: "tenor", Bass: "bass" }[name];
  return known ? t(known) : name;
}

export const countBars = (n) => (n === 1 ? t("one_bar") : t("n_bars", { n }));

// Errors: the server says them in English, and in French where it can.

const FRENCH_KINDS = { format: "Ce fichier ne peut être lu comme une partition", corruptfile: "Ce fichier est abîmé", theme: "Le thème a une faute", request: "Cette demande ne peut être satisfaite", checkpoint: "Le modèle ne peut être chargé", unencodable: "Le modèle ne sait pas exprimer cette musique", too_large: "C’est trop grand", missingextra: "Il manque une partie facultative", value: "Une valeur est hors limites" };

// A sentence of the server: in French where it is known, else marked as English.
export function inLanguage(english, french) {
  const span = document.createElement("span"), isForeign = language === "fr" && !french;
  span.textContent = language === "fr" && french ? french : english;
  if (isForeign) span.lang = "en";
  return span;
}

export function errorText(error) {
  if (error.kind === "offline") return t("e_offline");
  if (error.kind === "busy") return t("e_busy");
  const message = error.message ?? String(error);
  if (language === "en") return message.charAt(0).toUpperCase() + message.slice(1);
  return error.french ? error.french.charAt(0).toUpperCase() + error.french.slice(1) : `${FRENCH_KINDS[error.kind] ?? "Une demande a échoué"} (« ${message} »)`;
}
