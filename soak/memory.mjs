/** How much more a long run may hold at its end than when it was warm. Where nothing is kept it is some percent more or less. */
export const mostGrowth = 1.25;
/** After so many requests all that is needed has been compiled and made; it takes as many more to see what each of them leaves. */
export const warmUp = 10_000;

/**
 * What a run held in its last quarter, as a multiple of what it held in its first (medians), where `memory` is counted from
 * sample `warmAt` on, when it was warm; `undefined` if it has done too little to tell.
 */
export function growthOf({ memory, warmAt, requests }) {
  const samples = memory.slice(warmAt);
  if (requests < 2 * warmUp || samples.length < 20) return undefined;
  const quarter = Math.floor(samples.length / 4);
  return quantile(samples.slice(-quarter), 0.5) / quantile(samples.slice(0, quarter), 0.5);
}

export function quantile(numbers, share) {
  const sorted = Float64Array.from(numbers).sort();
  return sorted[Math.round((sorted.length - 1) * share)];
}
