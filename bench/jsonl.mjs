import { readFileSync } from 'node:fs';
import { fromPull, parseJsonLines } from '../dist/esm/index.js';
import { rounds, timesAsFast } from './compare.mjs';
import { inProcesses } from './processes.mjs';
import { row } from './row.mjs';

export const title =
  'JSON lines, from bytes in memory to objects: times as fast as split and JSON.parse in a bare loop';

const baselines = {
  'decode all, split, loop': (chunks) => {
    let count = 0;
    for (const line of Buffer.concat(chunks).toString().split('\n')) {
      if (line) {
        JSON.parse(line);
        count++;
      }
    }
    return count;
  },
  'decode a chunk, split, loop': (chunks) => {
    const decoder = new TextDecoder();
    let count = 0;
    let rest = '';
    for (const chunk of chunks) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = lines.pop();
      for (const line of lines) {
        JSON.parse(line);
        count++;
      }
    }
    return count;
  },
};

export async function* rows() {
  const processes = await inProcesses(import.meta.url, []);
  for (const name of Object.keys(baselines)) {
    yield row(
      name,
      processes.map((ratios) => ratios[name]),
      { atLeast: 0.9 },
    );
  }
}

export async function measure() {
  const file = new URL('../examples/data/cities.jsonl', import.meta.url);
  const bytes = readFileSync(file).subarray(0, 4 * 2 ** 20);
  const whole = bytes.subarray(0, bytes.lastIndexOf('\n') + 1);
  const chunks = Array.from({ length: Math.ceil(whole.length / 65_536) }, (_, i) =>
    whole.subarray(i * 65_536, (i + 1) * 65_536),
  );
  const subjects = {
    ours: () =>
      new Promise((resolve, reject) => {
        let count = 0;
        fromPull(chunks)
          .pipe(parseJsonLines())
          .subscribe({
            next: () => {
              count++;
            },
            error: reject,
            complete: () => {
              resolve(count);
            },
          });
      }),
    ...Object.fromEntries(Object.entries(baselines).map(([name, parse]) => [name, () => parse(chunks)])),
  };
  const { ours, ...others } = await rounds(subjects, { count: 15 });
  return Object.fromEntries(Object.entries(others).map(([name, times]) => [name, timesAsFast(ours, times)]));
}
