// Sound: three instruments made of partials, a small room, and a volume for each voice.

const INSTRUMENTS = {
  organ: { partials: [1, 0.55, 0.35, 0.3, 0.06, 0.12, 0.02, 0.12], attack: 0.035, decay: 0, release: 0.11, level: 0.5, cutoff: 4200, vibrato: 0 },
  choir: { partials: [1, 0.62, 0.4, 0.16, 0.12, 0.04, 0.02], attack: 0.1, decay: 0, release: 0.22, level: 0.62, cutoff: 1700, vibrato: 4 },
  piano: { partials: [1, 0.46, 0.28, 0.2, 0.1, 0.08, 0.04, 0.02], attack: 0.004, decay: 1.5, release: 0.16, level: 0.95, cutoff: 5200, vibrato: 0 },
};
export const INSTRUMENT_NAMES = Object.keys(INSTRUMENTS);
const ROOM_SECONDS = 1.1, ROOM_LEVEL = 0.2;
export const frequencyOf = (pitch) => 440 * 2 ** ((pitch - 69) / 12);

// The noise of a room that dies away; the same each time, so that sound can be compared.
function roomImpulse(context) {
  const length = Math.round(ROOM_SECONDS * context.sampleRate), impulse = context.createBuffer(2, length, context.sampleRate);
  let state = 1;
  for (let channel = 0; channel < 2; channel += 1) {
    const samples = impulse.getChannelData(channel);
    for (let i = 0; i < length; i += 1) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      samples[i] = (state / 2 ** 31 - 1) * (1 - i / length) ** 3.2 * Math.min(1, i / 400);
    }
  }
  return impulse;
}

export class Sound {
  constructor(context = new AudioContext({ latencyHint: "interactive" })) {
    this.context = context;
    this.instrument = "organ";
    this.master = new GainNode(context, { gain: 0.9 });
    this.room = new ConvolverNode(context, { buffer: roomImpulse(context) });
    const compressor = new DynamicsCompressorNode(context, { threshold: -14, ratio: 4 });
    this.master.connect(compressor).connect(context.destination);
    this.master.connect(this.room).connect(new GainNode(context, { gain: ROOM_LEVEL })).connect(compressor);
    this.volumes = [];
    this.waves = {};
    this.bus = null;
    this.openBus();
  }

  // All notes of a playback go through one bus, which can be closed at once.
  openBus() {
    const { context } = this;
    this.bus = new GainNode(context);
    this.bus.connect(this.master);
    this.channels = [];
  }

  closeBus() {
    const old = this.bus;
    old.gain.setTargetAtTime(0, this.context.currentTime, 0.025);
    setTimeout(() => old.disconnect(), 300);
    this.openBus();
  }

  channel(voice, voiceCount) {
    if (!this.channels[voice]) {
      const pan = voiceCount > 1 ? 0.45 - (0.9 * voice) / (voiceCount - 1) : 0;
      const gain = new GainNode(this.context, { gain: this.volumes[voice] ?? 1 });
      gain.connect(new StereoPannerNode(this.context, { pan: -pan })).connect(this.bus);
      this.channels[voice] = gain;
    }
    return this.channels[voice];
  }

  setVolume(voice, volume) { // 0..1
    this.volumes[voice] = volume;
    this.channels[voice]?.gain.setTargetAtTime(volume, this.context.currentTime, 0.02);
  }

  play({ pitch, start, end, voice = 0, voiceCount = 1 }) { // start and end in seconds of the context
    const { context } = this, it = INSTRUMENTS[this.instrument];
    this.waves[this.instrument] ??= new PeriodicWave(context, { imag: [0, ...it.partials] });
    const frequency = frequencyOf(pitch), level = (it.level * 0.9) / (1 + 0.55 * voiceCount) * (1.25 - Math.min(0.5, Math.max(0, (pitch - 48) / 100)));
    const tone = new OscillatorNode(context, { frequency, periodicWave: this.waves[this.instrument] });
    const filter = new BiquadFilterNode(context, { type: "lowpass", frequency: Math.min(it.cutoff + 1.5 * frequency, 12000, context.sampleRate / 2), Q: 0.4 });
    const envelope = new GainNode(context, { gain: 0 }), rise = Math.min(start + it.attack, end);
    envelope.gain.setValueAtTime(0, start);
    envelope.gain.linearRampToValueAtTime(level, rise);
    if (it.decay) envelope.gain.setTargetAtTime(level * 0.05, rise, it.decay * 2 ** ((60 - pitch) / 24));
    envelope.gain.setTargetAtTime(0, Math.max(end - 0.03, rise), it.release / 2);
    if (it.vibrato) {
      const shake = new OscillatorNode(context, { frequency: 4.8 + 0.3 * voice }), depth = new GainNode(context, { gain: 0 });
      depth.gain.setValueAtTime(0, start);
      depth.gain.linearRampToValueAtTime(it.vibrato, start + 0.6);
      shake.connect(depth).connect(tone.detune);
      shake.start(start);
      shake.stop(end + it.release * 3);
    }
    tone.connect(filter).connect(envelope).connect(this.channel(voice, voiceCount));
    tone.start(start);
    tone.stop(end + it.release * 3);
  }

  strike(pitch, seconds = 0.5) { // at once, as when a key is pressed
    const now = this.context.currentTime;
    this.play({ pitch, start: now, end: now + seconds });
  }
}

// The samples of some notes, without playing them: [{pitch, start, end}] in seconds.
export async function renderOffline(notes, instrument = "organ", rate = 22050) {
  const seconds = Math.max(...notes.map((note) => note.end)) + 1;
  const context = new OfflineAudioContext(1, Math.ceil(seconds * rate), rate), sound = new Sound(context);
  sound.instrument = instrument;
  notes.forEach((note) => sound.play(note));
  return (await context.startRendering()).getChannelData(0);
}
