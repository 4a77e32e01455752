"use strict";
// Sound: each note has a few soft harmonics, each voice its position from left to right.

function openSound(loudness) {
  const context = new AudioContext(), master = new GainNode(context, { gain: loudness });
  master.connect(new DynamicsCompressorNode(context)).connect(context.destination);
  return { context, master, wave: new PeriodicWave(context, { imag: [0, 1, 0.42, 0.24, 0.1, 0.06, 0.03] }) };
}

function playTone({ context, wave }, bus, { pitch, start, end, voice, voiceCount }) { // start and end in seconds of the context
  const level = 0.8 / (voiceCount + 1), pan = voiceCount > 1 ? 0.5 - voice / (voiceCount - 1) : 0;
  const tone = new OscillatorNode(context, { periodicWave: wave, frequency: 440 * 2 ** ((pitch - 69) / 12) });
  const envelope = new GainNode(context, { gain: 0 }), rise = Math.min(start + 0.03, end);
  envelope.gain.setValueAtTime(0, start).linearRampToValueAtTime(level, rise);
  envelope.gain.setTargetAtTime(level * 0.6, rise, 0.5).setTargetAtTime(0, end, 0.06);
  tone.connect(envelope).connect(new StereoPannerNode(context, { pan })).connect(bus);
  tone.start(start);
  tone.stop(end + 0.5);
}

