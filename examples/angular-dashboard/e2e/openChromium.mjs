// @ts-check
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright';
import { findChromium } from '../../../scripts/chromium.mjs';

/**
 * A headless Chromium whose tabs are really hidden when another is brought to the front. In one that playwright launches
 * itself no page is ever hidden: it emulates the focus of every page.
 */
export async function openChromium() {
  const path = findChromium();
  if (path === undefined) throw new Error('no Chromium was found; set CHROMIUM to the path of one');
  const profile = mkdtempSync(join(tmpdir(), 'angular-dashboard-'));
  const flags = ['--headless', '--no-sandbox', '--no-first-run', '--window-size=1280,1000', '--hide-scrollbars'];
  const args = [...flags, '--remote-debugging-port=0', `--user-data-dir=${profile}`, 'about:blank'];
  const child = spawn(path, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  process.once('exit', () => child.kill());
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
  const browser = await chromium.connectOverCDP(await addressOf(child), { noDefaults: true });
  const [context] = browser.contexts();
  if (!context) throw new Error('Chromium has no window');

  return {
    context,
    version: browser.version(),
    async close() {
      await browser.close();
      child.kill();
      await ended;
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/**
 * Where it can be spoken to, as it says itself.
 * @param {import('node:child_process').ChildProcessByStdio<null, null, import('node:stream').Readable>} child
 * @returns {Promise<string>}
 */
function addressOf(child) {
  return new Promise((resolve, reject) => {
    let said = '';
    child.stderr.on('data', (/** @type {Buffer} */ chunk) => {
      said += chunk.toString();
      const [, address] = /DevTools listening on (ws:\S+)/.exec(said) ?? [];
      if (address !== undefined) resolve(address);
    });
    child.once('error', reject);
    child.once('exit', () => {
      reject(new Error(`Chromium did not start: ${said}`));
    });
  });
}
