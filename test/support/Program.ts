import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, onTestFinished } from 'vitest';

const temp = fileURLToPath(new URL('../../.temp', import.meta.url));

/** How a process has ended: by itself, or by a signal. */
export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** From the last signal that the test has sent to the end, in ms. */
  readonly ms: number;
}

/** A program of ours, as plain JavaScript with the sources of today, in a process of its own. */
export class Program {
  stdout = '';
  stderr = '';
  readonly ended: Promise<Outcome>;
  private askedAt = performance.now();
  private readonly onOutput = new Set<() => void>();

  constructor(
    readonly child: ChildProcessWithoutNullStreams,
    { reads = true }: { reads?: boolean } = {},
  ) {
    if (reads) {
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        this.stdout += text;
        this.tell();
      });
    }
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      this.tell();
    });
    child.stdin.on('error', () => {}); // of what nobody has read
    this.ended = this.end(reads ? 'close' : 'exit');
  }

  /** Waits until it has written `words`, to standard output or standard error, `times` times. */
  async says(words: string, times = 1): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const look = () => {
        if (`${this.stdout}${this.stderr}`.split(words).length <= times) return;
        this.onOutput.delete(look);
        resolve();
      };
      this.onOutput.add(look);
      look();
      void this.ended.then(({ code, signal }) => {
        reject(new Error(`ended (${code ?? signal}) before it said '${words}':\n${this.stdout}\n${this.stderr}`));
      });
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.askedAt = performance.now();
    this.child.kill(signal);
  }

  private tell(): void {
    for (const look of this.onOutput) look();
  }

  private async end(event: 'close' | 'exit'): Promise<Outcome> {
    const [code, signal] = (await once(this.child, event)) as [number | null, NodeJS.Signals | null];
    return { code, signal, ms: performance.now() - this.askedAt };
  }
}

/** Compiles a program, and gives what starts it; to be called where tests are described. */
export function programOf(file: URL): (scenario: object, options?: { reads?: boolean }) => Promise<Program> {
  let folder: string | undefined; // below the root, so that rxjs is found
  let compiled: Promise<string> | undefined;
  const compile = async () => {
    mkdirSync(temp, { recursive: true });
    folder = mkdtempSync(join(temp, 'program-'));
    const outfile = join(folder, 'program.mjs');
    await build({
      entryPoints: [fileURLToPath(file)],
      outfile,
      ...{ bundle: true, platform: 'node', format: 'esm', target: 'node20', external: ['rxjs'], logLevel: 'silent' },
    });
    return outfile;
  };
  afterAll(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });
  return async (scenario, options) => {
    const outfile = await (compiled ??= compile());
    const program = new Program(spawn(process.execPath, [outfile, JSON.stringify(scenario)]), options);
    onTestFinished(() => {
      program.child.kill('SIGKILL');
    });
    return program;
  };
}
