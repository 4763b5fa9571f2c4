import { between, draw, pick } from './draw.mjs';

/** The faults of single answers, and how often each is. */
const kinds = {
  500: 3,
  '502 in HTML': 2,
  503: 3,
  '503, Retry-After': 1,
  '429, Retry-After': 1,
  reset: 3,
  'cut off': 2,
  garbage: 2,
  nothing: 2,
  'half, then hangs': 1,
  hangs: 2,
};

/** As many attempts of a record may fail; with one more the example gives up. */
const mostRetries = 5;

/**
 * What befalls a run, all of it drawn from the seed and the number of the run: `faultOf` a record at an attempt, `delayOf` an
 * answer, whether the disk is slow, and when SIGTERM comes. The first run is a long one, of `longRun` ms, in which memory has
 * the time to grow.
 */
export function weatherOf(seed, run, { skip, count, longRun }) {
  const roll = (what, ...more) => draw(seed, run, what, ...more);
  const isLong = run === 1;
  const share = isLong
    ? 0.005
    : { calm: 0.002, rough: 0.02, storm: 0.1 }[pick({ calm: 5, rough: 4, storm: 2 }, roll(1))];
  const reach = Math.max(1, count - skip);
  // All fail for some attempts, and come back in time.
  const outage = roll(2) < 0.3 ? skip + Math.floor(Math.min(reach, 3000) * roll(3)) : Infinity;
  // All fail, and none comes back: the example has to give up, and to say so.
  const down = !isLong && roll(4) < 0.15 ? skip + Math.floor(Math.min(reach, 3000) * roll(5)) : Infinity;

  const failuresOf = (id) => {
    if (id >= down) return Infinity;
    if (id >= outage && id < outage + 40) return 3;
    return roll(6, id) < share ? 1 + Math.floor(mostRetries * roll(7, id) ** 3) : 0;
  };
  return {
    isLong,
    isDown: down < Infinity,
    slowDisk: !isLong && roll(8) < 0.4,
    /** What happens to the nth attempt, from 1, or `undefined` if it is answered. */
    faultOf: (id, attempt) => {
      if (attempt > failuresOf(id)) return undefined;
      return id >= down ? '503' : pick(kinds, roll(9, id, attempt));
    },
    /** In ms. One in 500 is slow, but not too slow. */
    delayOf: (id, attempt) => (roll(10, id, attempt) < 0.002 ? 300 : 1) + 4 * roll(11, id, attempt),
    stop: isLong ? { ms: longRun } : stopOf(roll),
  };
}

/** When SIGTERM comes: with the nth request, so many ms after the start, or not at all. */
function stopOf(roll) {
  switch (pick({ request: 7, start: 1, never: 2 }, roll(12))) {
    case 'request':
      return { request: between(10, 10_000, roll(13)) };
    case 'start':
      return { ms: between(20, 1500, roll(13)) };
    default:
      return {};
  }
}
