import { rowsAgainstMergeMap, timesAsFastAsMergeMap } from './mergeMap.mjs';

export const title = 'Promises as inner sources: times as fast as mergeMap of RxJS';

export const rows = () =>
  rowsAgainstMergeMap(import.meta.url, ['Promise.resolve(x)', 'async function'], { atLeast: 4 });

export const measure = (inner, concurrent) => timesAsFastAsMergeMap(inner, Number(concurrent));
