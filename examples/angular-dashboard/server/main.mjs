// @ts-check
// Serves the production build, and the events and details that it shows, on the loopback interface.
//   node server/main.mjs --port 0 --rate 5000 --minutes 60
// It ends after so many minutes, on SIGINT and SIGTERM, and when the process that started it has gone.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createDashboardServer } from './createDashboardServer.mjs';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    rate: { type: 'string', default: '5000' },
    minutes: { type: 'string', default: '60' },
  },
});
const port = whole('port', values.port, 0, 65_535);
const rate = whole('rate', values.rate, 1, 1_000_000);
const minutes = whole('minutes', values.minutes, 1, 10_000);

const pages = fileURLToPath(new URL('../dist/', import.meta.url));
if (!existsSync(`${pages}index.html`)) stopWith('there is no build to serve: run `npm start`, or `npm run build`');

const parent = process.ppid;
const server = createDashboardServer({ pages, rate });
server.on('error', (/** @type {Error} */ error) => {
  stopWith(error.message);
});
server.listen(port, '127.0.0.1', () => {
  const address = /** @type {import('node:net').AddressInfo} */ (server.address());
  console.log(`http://127.0.0.1:${String(address.port)}/`);
});

const stop = () => process.exit();
process.on('SIGINT', stop).on('SIGTERM', stop);
setTimeout(stop, minutes * 60_000);
setInterval(() => {
  if (process.ppid !== parent) stop();
}, 1000);

/**
 * @param {string} name
 * @param {string} text
 * @param {number} least
 * @param {number} most
 */
function whole(name, text, least, most) {
  const number = Number(text);
  if (text.trim() !== '' && Number.isInteger(number) && number >= least && number <= most) return number;
  return stopWith(`--${name} must be a whole number from ${String(least)} to ${String(most)}, got ${text}`);
}

/**
 * @param {string} message
 * @returns {never}
 */
function stopWith(message) {
  console.error(message);
  process.exit(2);
}
