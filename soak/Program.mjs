import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../examples/dist/pipeline/main.js', import.meta.url));

/** The example, in a process of its own, as `npm start` runs it. */
export class Program {
  stderr = '';
  stdout = '';
  /** Memory that it held, in MB, every quarter of a second; nothing where there is no /proc. */
  memory = [];
  #child;

  /** `flags` are for Node. */
  constructor(args, flags) {
    this.#child = spawn(process.execPath, [...flags, main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child.stdout.setEncoding('utf8').on('data', (text) => (this.stdout += text));
    this.#child.stderr.setEncoding('utf8').on('data', (text) => (this.stderr += text));
    const sampler = setInterval(() => this.#sample(), 250);
    const kill = () => this.kill('SIGKILL');
    process.on('exit', kill); // it does not outlive us
    /** Its exit code and the signal that killed it, one of which is `null`. */
    this.ended = new Promise((resolve, reject) => {
      this.#child.on('error', reject);
      this.#child.on('close', (code, signal) => {
        clearInterval(sampler);
        process.off('exit', kill);
        resolve({ code, signal });
      });
    });
  }

  kill(signal) {
    this.#child.kill(signal);
  }

  /** The figures of its table, if it has printed that. */
  get report() {
    const rows = [...this.stderr.matchAll(/│ (\w[\w ]*\w) +│ +(?:at most )?([\d,.]+)/g)];
    if (!rows.some(([, name]) => name === 'peak memory')) return undefined;
    return Object.fromEntries(rows.map(([, name, figure]) => [name, Number(figure.replaceAll(',', ''))]));
  }

  #sample() {
    try {
      const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${this.#child.pid}/status`, 'utf8'));
      this.memory.push(kilobytes / 1024);
    } catch {
      // it has just ended
    }
  }
}
