import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { draw } from './draw.mjs';
import { warmUp } from './memory.mjs';
import { Program } from './Program.mjs';
import { SlowDisk } from './SlowDisk.mjs';

/** How long an answer may take, in ms: longer than any that comes, shorter than all that do not. */
const timeout = 1000;
/**
 * Garbage is collected at once. By default V8 lets the young generation grow for as long as it likes the pace, for a minute on a
 * busy machine, and that looks as if something was kept.
 */
const leanHeap = ['--max-semi-space-size=1'];
/** With nothing asked for so long, in ms, it hangs. It drains for 30 s at most. */
const patience = 45_000;

/** One process, from its start to its end, in its weather. */
export class Run {
  number;
  weather;
  /** How many records are read already. */
  skip;
  stalls = 0;
  /** When it was told to stop, and how long that took, in ms. */
  stopTime;
  stopMs;
  hung = false;
  /** How many samples of its memory there were when it was warm. */
  warmAt;
  #program;
  #service;

  constructor(number, weather, skip, service) {
    this.number = number;
    this.weather = weather;
    this.skip = skip;
    this.#service = service;
  }

  /** Runs to the end, but not beyond `deadline`, at which it is told to stop. */
  async go({ folder, input, out, rejected, seed, deadline }) {
    const { weather, skip } = this;
    this.#service.begin(weather, (request) => {
      if (request === weather.stop.request) this.stop();
      if (request === warmUp) this.warmAt = this.#program.memory.length;
    });
    const roll =
      (file) =>
      (...turn) =>
        draw(seed, this.number, file, ...turn);
    const disks = weather.slowDisk
      ? [
          new SlowDisk(join(folder, 'out.pipe'), out, roll(100)),
          new SlowDisk(join(folder, 'rejected.pipe'), rejected, roll(101)),
        ]
      : [];
    const [outPath, rejectedPath] = disks.length > 0 ? disks.map(({ path }) => path) : [out, rejected];
    const start = performance.now();
    const args = [
      ...[input, '--out', outPath, '--rejected', rejectedPath, '--service', this.#service.url],
      ...['--timeout', String(timeout), ...(skip > 0 ? ['--skip', String(skip)] : [])],
    ];
    const program = (this.#program = new Program(args, weather.isLong ? leanHeap : []));
    const watch = setInterval(() => this.#watch(deadline), 100);
    const early = weather.stop.ms === undefined ? undefined : setTimeout(() => this.stop(), weather.stop.ms);
    try {
      Object.assign(this, await program.ended);
    } finally {
      clearInterval(watch);
      clearTimeout(early);
      await Promise.all(disks.map((disk) => disk.end()));
    }
    const end = performance.now();
    this.seconds = (end - start) / 1000;
    if (this.stopTime !== undefined) this.stopMs = end - this.stopTime;
    this.stalls = disks.reduce((sum, { stalls }) => sum + stalls, 0);
    const { report, stderr, stdout, memory } = program;
    const { faults, requests, complaints } = this.#service;
    Object.assign(this, { report, stderr, stdout, memory, faults, requests, complaints });
    await sleep(0); // the connections of the program close
  }

  stop() {
    if (this.stopTime !== undefined) return;
    this.stopTime = performance.now();
    this.#program.kill('SIGTERM');
  }

  kill() {
    this.#program?.kill('SIGKILL');
  }

  #watch(deadline) {
    const now = performance.now();
    if (now >= deadline) this.stop();
    if (now - this.#service.lastRequest < patience) return;
    this.hung = true;
    this.kill();
  }
}
