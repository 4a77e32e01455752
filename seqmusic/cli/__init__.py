"""The command line: a thin shell over the package, one module for each family of commands.

A command imports what it needs when it is called, so that help is fast.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError

from seqmusic import __version__
from seqmusic.cli import (
    align,
    benchmark,
    compare,
    compose,
    convert,
    data,
    evaluate,
    experiment,
    recognize,
    studio,
    train,
    transform,
)
from seqmusic.cli.messages import shown_messages
from seqmusic.errors import SeqmusicError

app = App(
    name="seqmusic",
    help="Learns from scores, predicts the next note, and continues a partial theme.\n\n"
    'For example: seqmusic continue "G4 A4 B4 C5 | D5:1/2 B4"',
    version=__version__,
    help_format="markdown",
    result_action="return_value",
    suppress_keyboard_interrupt=False,
)
app.command(data.app)
app.command(convert.convert)
app.command(train.train)
app.command(compose.continue_, name="continue")
app.command(compose.harmonize)
app.command(compose.regenerate)
app.command(compose.replay)
app.command(transform.transform)
app.command(studio.studio)
app.command(studio.forever)
app.command(evaluate.evaluate)
app.command(recognize.recognize)
app.command(benchmark.app)
app.command(experiment.app)
app.command(experiment.improve)
app.command(align.align)
app.command(compare.compare)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status: 0, 2 for wrong input (one line), 130 for Ctrl-C."""
    try:
        with shown_messages():
            app(
                list(sys.argv[1:] if arguments is None else arguments),
                exit_on_error=False,
                print_error=False,
            )
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("seqmusic: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of a pipe, such as `head`, has closed it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (SeqmusicError, CycloptsError, ValueError, OSError) as error:
        print(f"seqmusic: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    return 0


@app.command
def doctor() -> None:
    """Report versions, devices, optional parts and how to install them, and the speed of composing.

    For example: seqmusic doctor
    """
    from seqmusic.cli.composing_speed import composing_speed
    from seqmusic.cli.environment import environment_report
    from seqmusic.model.settings import ModelSettings
    from seqmusic.model.transformer import Transformer
    from seqmusic.runs.pretrained import VOCABULARY

    print(environment_report(composing_speed(Transformer(ModelSettings(), VOCABULARY).eval())))
