#!/usr/bin/env bash
# From a bare clone to the continuation of a theme: installs, prepares the chorales, trains a small model, continues a theme.
# A second run does only what is missing, and continues the theme once more.

set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/environment.sh"

THEME="G4 A4 B4 C5 | D5:1/2 B4"
RUN="runs/quick"

# The first of NAME, NAME-2, NAME-3 ... that does not exist: what an earlier run made stays as it is.
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
        say "2 of 3  The model in $RUN is trained already (to train it anew, delete that folder)"
    elif [[ -d "$RUN/resume" ]]; then
        say "2 of 3  Going on with the training of $RUN"
        "$SEQMUSIC" train configs/quick.toml --out "$RUN" --resume
    else
        say "2 of 3  Training a small model (about two minutes on two cores)"
        "$SEQMUSIC" train configs/quick.toml --out "$RUN"
    fi
}

prepare_environment score,report
SEQMUSIC="$VENV/bin/seqmusic"

say "1 of 3  Preparing the chorales"
"$SEQMUSIC" data prepare
train
OUT="$(unused_folder continuations/first)"
say "3 of 3  Continuing the theme  $THEME"
"$SEQMUSIC" continue "$THEME" --model "$RUN" --voices satb --bars 8 -n 3 --seed 7 --out "$OUT"

cat <<END

Done. The theme and three ways on, as MIDI, MusicXML, LilyPond and a picture, lie in
    $REPOSITORY/$OUT
To try next (after '. .venv/bin/activate', or with .venv/bin/ before the name):
    seqmusic continue "C4 D4 Eb4 F4 | G4" --model $RUN --key "C minor"
                               a theme of your own, in one voice
    seqmusic harmonize "G4 A4 B4 C5 | D5:1/2 B4 | A4:1 | G4:1" --explain
                               a melody of your own in four voices, with the model that comes with seqmusic, and a page that plays it
    seqmusic continue --help   voices, temperature, meter, and the rest
    seqmusic data describe     what the model learned from
    seqmusic doctor            what is installed, and how fast it is here
END
