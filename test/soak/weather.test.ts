import { describe, expect, it } from 'vitest';
import { draw, pick } from '../../soak/draw.mjs';
import { weatherOf } from '../../soak/weather.mjs';

const stretch = { skip: 1000, count: 9000, longRun: 5000 };
const ids = Array.from({ length: 4000 }, (_, i) => 1000 + i);
const runs = Array.from({ length: 40 }, (_, i) => i + 1);

/** What befalls each record, attempt by attempt. */
const fatesIn = ({ faultOf }: ReturnType<typeof weatherOf>, which = ids) =>
  which.map((id) => [1, 2, 3, 4, 5, 6].map((attempt) => faultOf(id, attempt)));

describe('the weather', () => {
  it('is the same for the same seed and run, in whatever order it is asked', () => {
    const [first, second] = [weatherOf(7, 3, stretch), weatherOf(7, 3, stretch)];
    expect(fatesIn(second, [...ids].reverse()).reverse()).toEqual(fatesIn(first));
    expect(second.stop).toEqual(first.stop);
  });

  it('is another one for another seed or run', () => {
    const fates = fatesIn(weatherOf(7, 3, stretch));
    expect(fatesIn(weatherOf(8, 3, stretch))).not.toEqual(fates);
    expect(fatesIn(weatherOf(7, 4, stretch))).not.toEqual(fates);
  });

  it('lets each record through at the sixth attempt, unless the service is down', () => {
    for (const run of runs) {
      const weather = weatherOf(1, run, stretch);
      const stuck = fatesIn(weather).filter(([, , , , , last]) => last !== undefined);
      expect(stuck.length > 0).toBe(weather.isDown);
    }
  });

  it('knows every fault, slow and fast disks, and all ways to stop', () => {
    const weathers = runs.map((run) => weatherOf(1, run, stretch));
    const faults = new Set(weathers.flatMap((weather) => fatesIn(weather)).flat());
    expect(faults.size).toBe(11 + 1); // and none
    expect(new Set(weathers.map(({ slowDisk }) => slowDisk)).size).toBe(2);
    expect(new Set(weathers.map(({ stop }) => Object.keys(stop).join())).size).toBe(3);
  });

  it('begins with a long run that is not held up', () => {
    expect(weatherOf(5, 1, stretch)).toMatchObject({ isDown: false, slowDisk: false, stop: { ms: 5000 } });
  });
});

it('draws each tenth as often, and picks as weighed', () => {
  const tenths = new Map<number, number>();
  const picked = { rare: 0, often: 0 };
  for (let i = 0; i < 20_000; i++) {
    const share = draw(3, i);
    tenths.set(Math.floor(10 * share), (tenths.get(Math.floor(10 * share)) ?? 0) + 1);
    picked[pick({ rare: 1, often: 3 }, share) as keyof typeof picked]++;
  }
  expect(tenths.size).toBe(10);
  for (const times of tenths.values()) expect(Math.abs(times - 2000)).toBeLessThan(200);
  expect(Math.abs(picked.rare - 5000)).toBeLessThan(300);
});
