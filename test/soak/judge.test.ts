import { describe, expect, it } from 'vitest';
import { judge } from '../../soak/judge.mjs';

const found = { located: 9, setAside: 1, missing: [] as number[], doubled: [] as number[], wrong: [] as string[] };
const report = {
  'records in': 10,
  'records out': 9,
  'bad records': 1,
  dropped: 0,
  retries: 3,
  'most that waited': 64,
};
const run = {
  ...{ code: 0 as number | null, signal: null as string | null, stdout: '', stderr: '', skip: 90, requests: 12 },
  ...{ hung: false, stopTime: undefined as number | undefined, complaints: [] as string[] },
  ...{ report: report as typeof report | undefined, faults: new Map([['reset', 3]]), weather: { isDown: false } },
};
const nothing = { located: 0, setAside: 0, missing: [], doubled: [], wrong: [] };

type Changes = Omit<Partial<typeof run>, 'report'> & { report?: Partial<typeof report> | undefined };

const verdictOn = (changes: Changes, onDisk: Partial<typeof found> = {}, count = 100) =>
  judge(
    {
      ...run,
      ...changes,
      report: 'report' in changes && !changes.report ? undefined : { ...report, ...changes.report },
    },
    { read: () => ({ ...found, ...onDisk }) },
    count,
  );

const stopped = { code: 143, stopTime: 5 };
const down = {
  ...{ code: 1, stderr: 'pipeline: the service answered 503', weather: { isDown: true } },
  report: { 'records out': 5, dropped: 4 },
};
const half = { located: 4, missing: [3, 4, 5, 6, 7] };

describe('a run keeps its promises', () => {
  it.each([
    ['to the end', 'done', {}, {}],
    ['to a signal', 'stopped', stopped, {}],
    ['to a signal that comes after the last record', 'stopped', { ...stopped, code: null, signal: 'SIGTERM' }, {}],
    [
      'to a signal that comes before it listens',
      'stopped',
      { code: null, signal: 'SIGTERM', stopTime: 5, requests: 0, report: undefined },
      nothing,
    ],
    ['until the service is down', 'failed', down, half],
    ['until the service is down while it stops', 'failed', { ...down, ...stopped }, half],
  ])('%s', (_, end, changes, onDisk) => {
    expect(verdictOn(changes, onDisk)).toMatchObject({ end, broken: [] });
  });
});

describe('a run breaks a promise when', () => {
  it.each<[string, Changes, Partial<typeof found>?, number?]>([
    ['a record is lost', {}, { missing: [3] }],
    ['a record is doubled', {}, { doubled: [3] }],
    ['a record is doubled before it fails', down, { ...half, doubled: [3] }],
    ['a line is wrong', {}, { wrong: ['x'] }],
    [
      'a line is wrong without a report',
      { code: null, signal: 'SIGTERM', stopTime: 5, requests: 0, report: undefined },
      { ...nothing, wrong: ['x'] },
    ],
    ['more is on disk than it says', {}, { located: 10 }],
    ['more bad records are on disk than it says', {}, { setAside: 2 }],
    ['its figures do not add up', { report: { 'records in': 11 } }, {}, 101],
    ['it ends before the end of the input', {}, {}, 101],
    ['it goes beyond the end of the input', {}, {}, 99],
    ['more records wait than may', { report: { 'most that waited': 65 } }],
    ['it does not report a retry', { report: { retries: 2 } }],
    ['it writes to standard output', { stdout: '.' }],
    ['it hangs', { hung: true }],
    ['the service complains', { complaints: ['too early'] }],
    ['it fails for no reason', { code: 1 }],
    ['it stops for no reason', { code: 143 }],
    ['it crashes', { code: null, signal: 'SIGSEGV', report: undefined, requests: 0 }, nothing],
    [
      'it has asked, and is killed without a report',
      { code: null, signal: 'SIGTERM', stopTime: 5, report: undefined },
      nothing,
    ],
    ['it drops records of a service that is up', { ...down, weather: { isDown: false } }, half],
    ['it drops records, and the exit code is 0', { ...down, code: 0 }, half],
    ['it does not say why it fails', { ...down, stderr: '' }, half],
    ['it fails, and more is on disk than it says', down, { ...half, located: 6 }],
    ['it fails, and says that more is missing than is', down, { ...half, missing: [3] }],
  ])('%s', (_, changes, onDisk, count) => {
    expect(verdictOn(changes, onDisk, count).broken).toHaveLength(1);
  });
});
