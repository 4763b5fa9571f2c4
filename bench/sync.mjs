import { rowsAgainstMergeMap, timesAsFastAsMergeMap } from './mergeMap.mjs';

export const title = 'Synchronous inner sources: times as fast as mergeMap of RxJS';

export const rows = () => rowsAgainstMergeMap(import.meta.url, ['of(x)', '[x]'], { atLeast: 2 });

export const measure = (inner, concurrent) => timesAsFastAsMergeMap(inner, Number(concurrent));
