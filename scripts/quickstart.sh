#!/usr/bin/env bash
# Goes from a bare clone to the continuation of a theme: installs seqmusic, prepares the chorales, trains a small model and
# continues a theme with it. A second run does only what is missing, and continues the theme once more.

set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/environment.sh"

THEME="G4 A4 B4 C5 | D5:1/2 B4"
RUN="runs/quick"

# Prints the first of NAME, NAME-2, NAME-3 ... that does not exist, so that no earlier result is overwritten.
unused_folder() {
    local folder="$1" number=2
    while [[ -e "$folder" ]]; do
        folder="$1-$number"
        number=$((number + 1))
    done
    printf '%s\n' "$folder"
}

train() {
    if [[ -e "$RUN/card.md" ]]; then
        announce "2 of 3  The model in $RUN is trained already (to train it anew, delete that folder)"
    elif [[ -d "$RUN/resume" ]]; then
        announce "2 of 3  Resuming the training of $RUN"
        "$SEQMUSIC" train configs/quick.toml --out "$RUN" --resume
    else
        announce "2 of 3  Training a small model (about two minutes on two cores)"
        "$SEQMUSIC" train configs/quick.toml --out "$RUN"
    fi
}

prepare_environment score,report,web
SEQMUSIC="$VENV/bin/seqmusic"

announce "1 of 3  Preparing the chorales"
"$SEQMUSIC" data prepare
train
OUT="$(unused_folder continuations/first)"
announce "3 of 3  Continuing the theme  $THEME"
"$SEQMUSIC" continue "$THEME" --model "$RUN" --voices satb --bars 8 -n 3 --seed 7 --out "$OUT"

cat <<END

Done. The theme and three continuations are here, as MIDI, MusicXML, LilyPond and a picture:
    $REPOSITORY/$OUT
To try next (after '. .venv/bin/activate', or with .venv/bin/ before the name):
    seqmusic continue "C4 D4 Eb4 F4 | G4" --model $RUN --key "C minor"
                               a theme of your own, in one voice
    seqmusic harmonize "G4 A4 B4 C5 | D5:1/2 B4 | A4:1 | G4:1" --explain
                               a melody of your own in four voices, by the included model, with a page that plays it
    seqmusic continue --help   voices, temperature, meter and all other options
    seqmusic data describe     the works that the model was trained on
    seqmusic doctor            the installed parts, and how fast they run here
END
