// @ts-check
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../server/main.mjs', import.meta.url));

/** The server, as a process of its own, so that it can be killed. @param {number} [port] */
export async function startServer(port = 0) {
  const args = [program, '--port', String(port), '--minutes', '10'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = /** @type {[Buffer]} */ (await once(child.stdout, 'data'));
  const url = line.toString().trim();

  return {
    url,
    port: Number(new URL(url).port),
    /** @returns {Promise<{ readers: number, sent: number, details: { asked: number, running: number, mostRunning: number, answered: number } }>} */
    async statistics() {
      return (await fetch(`${url}statistics`)).json();
    },
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}
