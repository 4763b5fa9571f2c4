/**
 * A number from 0 to 1 that belongs to these integers: the same for the same ones, in whatever order they are asked for. So what
 * befalls a record does not depend on which request comes first, and can be had again. The mixing is that of MurmurHash3 (A. Appleby).
 */
export function draw(...integers) {
  let hash = 0;
  for (const integer of integers) {
    hash ^= Math.imul(rotate(Math.imul(integer, 0xcc9e2d51), 15), 0x1b873593);
    hash = (Math.imul(rotate(hash, 13), 5) + 0xe6546b64) | 0;
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

const rotate = (bits, by) => (bits << by) | (bits >>> (32 - by));

/** One of the keys, each as often as its weight says. `share` is from 0 to 1. */
export function pick(weights, share) {
  let rest = share * Object.values(weights).reduce((sum, weight) => sum + weight);
  return Object.keys(weights).find((key) => (rest -= weights[key]) < 0);
}

/** From `low` to `high`, where each order of magnitude is as likely. */
export const between = (low, high, share) => Math.round(low * (high / low) ** share);
