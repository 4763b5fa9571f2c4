// @ts-check
// The requests of an invented shop.

const hosts = Array.from({ length: 12 }, (_, index) => `web-${String(index + 1).padStart(2, '0')}`);
const routes = ['/', '/search', '/cart', '/checkout', '/orders', '/account', '/images', '/prices'];
const causes = [
  'timeout of the database',
  'stock service is busy',
  'payment was refused',
  'memory limit',
  'bad gateway',
];
const failureShare = 0.003;

/**
 * @typedef {object} ServedRequest
 * @property {number} id
 * @property {number} at when it was served, in ms
 * @property {string} host
 * @property {string} route
 * @property {number} status
 * @property {number} ms how long it took
 * @property {number} bytes
 */

const second = 1000;
const day = 24 * 60 * 60 * second;

/**
 * So many requests a second, numbered since midnight (UTC): the shop goes on serving while this server is away, so that
 * whoever reads on later can tell how many he has missed.
 */
export class Traffic {
  #midnight = Math.floor(Date.now() / day) * day;
  #random = mulberry32(1);
  #rate;
  #last;

  /** @param {number} rate */
  constructor(rate) {
    this.#rate = rate;
    this.#last = this.#due();
  }

  /** Those since the last time; of one second at the most, also if the machine has slept. */
  take() {
    const due = this.#due();
    this.#last = Math.max(this.#last, due - this.#rate);
    return Array.from({ length: due - this.#last }, () => this.#next());
  }

  #due() {
    return Math.floor(((performance.timeOrigin + performance.now() - this.#midnight) * this.#rate) / second);
  }

  /** @returns {ServedRequest} */
  #next() {
    const id = ++this.#last;
    const seconds = id / this.#rate;
    const random = this.#random;
    const failed = random() < failureShare;
    const load = 1 + 0.35 * Math.sin(seconds / 3) + 0.2 * Math.sin(seconds / 0.9);
    return {
      id,
      at: Math.round((this.#midnight + seconds * second) * 10) / 10,
      host: pick(hosts, random()),
      route: pick(routes, random()),
      status: failed ? 503 : random() < 0.04 ? 404 : 200,
      ms: Math.round((8 - 30 * load * Math.log(1 - random())) * 10) / 10,
      bytes: Math.round(400 + 6000 * random() * load),
    };
  }
}

/** From 40 to 199 ms. @param {number} id */
export const detailDelay = (id) => 40 + Math.floor(160 * mulberry32(id)());

/** @param {number} id */
export const detailOf = (id) => ({ id, cause: pick(causes, mulberry32(id ^ 0x5bd1e995)()) });

/**
 * @template T
 * @param {readonly T[]} list
 * @param {number} share
 * @returns {T}
 */
const pick = (list, share) => /** @type {T} */ (list[Math.floor(share * list.length)]);

/**
 * T. Ettinger's generator: small, and the same numbers on every machine.
 * @param {number} state
 */
function mulberry32(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}
