// The Chromium that runs the browser tests: $CHROMIUM, one that the system has, or the one that playwright installs.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium } from 'playwright';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const macApplications = [
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** @returns {string | undefined} */
export function findChromium() {
  const asked = process.env['CHROMIUM'];
  if (asked) return existsSync(asked) ? asked : undefined;
  const folders = (process.env['PATH'] ?? '').split(delimiter).concat('/usr/bin');
  const installed = folders.flatMap((folder) => names.map((name) => join(folder, name)));
  return [...installed, ...macApplications, chromium.executablePath()].find((path) => existsSync(path) && runs(path));
}

/** Some systems have a file of that name that only says how to install it. */
function runs(path) {
  return spawnSync(path, ['--version'], { timeout: 20_000 }).status === 0;
}

/** Finds or installs a Chromium, and says what it does. Without one the browser tests are left out; in CI that is a failure. */
export function provideChromium() {
  if (findChromium() !== undefined) return;
  const asked = process.env['CHROMIUM'];
  if (asked) leaveOut(`CHROMIUM=${asked} does not exist`);
  else if (!install()) leaveOut('no Chromium was found, and none could be installed; set CHROMIUM to the path of one');
}

function install() {
  const isDebianRoot = process.getuid?.() === 0 && existsSync('/etc/debian_version');
  const ways = [
    ...(isDebianRoot ? ['apt-get update && apt-get install -y --no-install-recommends chromium'] : []),
    'npx playwright install chromium',
  ];
  return ways.some((command) => {
    console.error(`installing Chromium for the browser tests (${command}) ...`);
    const { status } = spawnSync(command, { shell: true, stdio: ['ignore', 2, 2], timeout: 300_000 });
    return status === 0 && findChromium() !== undefined;
  });
}

function leaveOut(reason) {
  console.error(`the browser tests are left out: ${reason}`);
  if (process.env['CI']) process.exit(1);
}
