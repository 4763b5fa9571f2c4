import { existsSync, readFileSync, writeFileSync } from 'node:fs';

const file = new URL('expected.json', import.meta.url);

/** A ratio may fall to so much of what is expected; what is better when it is less may rise by as much. */
export const tolerance = 0.85;

/** The ratios that are held, by claim and by what was measured. */
export function readExpected() {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
}

/** Of the claims that were run, all of what is held is what was measured now; the others stay as they are. */
export function writeExpected(measured) {
  const all = { ...readExpected(), ...measured };
  const sorted = Object.fromEntries(Object.entries(all).sort(([a], [b]) => a.localeCompare(b)));
  writeFileSync(file, `${JSON.stringify(sorted, null, 2)}\n`);
}

/** `1`: as expected; more is better, whichever way the ratio itself goes. */
export function shareOf(expected, { value, better }) {
  return better === 'more' ? value / expected : expected / value;
}

/** What is worse than tolerated, and what is missing on either side: as sentences, none if all is well. */
export function regressions(expected, rows) {
  const found = [];
  for (const row of rows) {
    const ratio = expected[row.what];
    if (ratio === undefined) found.push(`${row.what}: no ratio is expected yet (--record)`);
    else if (shareOf(ratio, row) < tolerance) {
      found.push(`${row.what}: ${row.result}, where ${ratio} x is expected (${row.better} is better)`);
    }
  }
  const measured = new Set(rows.map(({ what }) => what));
  for (const what of Object.keys(expected)) {
    if (!measured.has(what)) found.push(`${what}: expected, but not measured any more (--record)`);
  }
  return found;
}

/** Of several runs of a claim, the best of each row: a regression is there each time, noise is not. */
export function bestOf(runs) {
  const [first = [], ...others] = runs;
  return first.map((row) =>
    others
      .flatMap((rows) => rows.filter(({ what }) => what === row.what))
      .reduce((best, other) => (shareOf(best.value, other) > 1 ? other : best), row),
  );
}
