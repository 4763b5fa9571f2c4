import { aliases, notOperators, reachTable, type Reach, type Row } from './table.js';
import { rxjsVersion, supportedVersions } from './versions.js';

type Finding = Extract<Reach, string> | 'bounded by k';

const legend: Record<Finding, readonly [meaning: string, advice: string]> = {
  exact: [
    'No value comes that the consumer has not asked for, and the source emits no more than the outputs need (`filter` or `toArray` need several values for one).',
    '',
  ],
  'bounded by k': [
    'What is made of one value, or is given by the operator itself, comes at once: up to k − 1 values too many. Then the source waits.',
    '',
  ],
  'holds values': [
    'While the consumer has room the source runs ahead, without a bound. What is inside comes later, whether or not there is room.',
    'Let a `bufferedMergeMap` do the work that takes time.',
  ],
  'drops values': [
    'No more reaches the consumer than it has asked for. But while the operator gives nothing, the source is read on as fast as it answers, and all this is dropped, as it is meant to be.',
    'Where each value counts, a `bufferedMergeMap`. Else use it for sources that have a pace of their own.',
  ],
  'side input': [
    'It gives the consumer no values, but a full consumer holds it back: it comes too late.',
    '`notifier.pipe(ungated())`',
  ],
  cut: ['The gate is not found. The source runs ungated.', '`gatedBy(gate)` above it, or `fromPull(source, { gate })`'],
  'cannot wait': [
    'It makes its values itself, whatever the gate says. They wait in the consumer, up to its `bufferSize`.',
    '`fromPull`, for what is an iterable or a generator',
  ],
  'no values': ['There is nothing to hold back.', ''],
};

const finding = (reach: Reach): Finding => (typeof reach === 'string' ? reach : 'bounded by k');

const counts = (rows: readonly Row[]) => {
  const found = rows.flatMap(({ positions }) => positions.map(({ reach }) => finding(reach)));
  return (each: Finding) => found.filter((one) => one === each).length;
};

const line = (...cells: readonly string[]) => `| ${cells.join(' | ')} |`;

const table = (head: readonly string[], rows: readonly (readonly string[])[]) =>
  [line(...head), line(...head.map(() => '---')), ...rows.map((cells) => line(...cells))].join('\n');

const code = (name: string) => `\`${name}\``;

function title({ name, entry, since }: Row): string {
  const also = Object.keys(aliases).filter((alias) => aliases[alias] === name);
  return [
    [name, ...also].map(code).join(', '),
    entry ? ` of ${code(entry)}` : '',
    since === undefined ? '' : ` (since ${since})`,
  ].join('');
}

function rowsOf(kind: Row['kind']): string {
  const rows = reachTable.filter((row) => row.kind === kind).sort((a, b) => a.name.localeCompare(b.name, 'en'));
  return table(
    ['', 'place of the source', 'reach', ''],
    rows.flatMap((row) =>
      row.positions.map((position, i) => [
        i === 0 ? title(row) : '',
        position.name,
        finding(position.reach),
        position.remark,
      ]),
    ),
  );
}

/** The page that says what was found. */
export function renderReach(): string {
  const count = counts(reachTable);
  return `<!-- Written from test/reach/table.ts: npx vitest run --project unit test/reach -u -->

# How far backpressure reaches

A consumer that can be full has a gate. A source that can wait (\`fromPull\`, the operators of this package) finds it through
the RxJS operators in between. Here is each operator and each creation function of RxJS ${rxjsVersion}, with each place
where a source can stand, and what was found there.

It was found by a test: a \`fromPull\` of 300 values stands in the place, over a synchronous and over an asynchronous
iterator; below is a gate that opens for one value at a time, then for three, after pauses shorter and longer than the timers in
the operator. The test counts what comes out and what the source has emitted. It finds the same with RxJS
${supportedVersions.slice(0, -1).join(', ')} and ${rxjsVersion}.

${table(
  ['reach', 'what it means', 'what to do', 'places'],
  (Object.keys(legend) as Finding[]).map((each) => [`**${each}**`, ...legend[each], String(count(each))]),
)}

## Operators

${rowsOf('operator')}

## Creation functions

${rowsOf('creation')}

## Written by hand, and of this package

${rowsOf('by hand')}

## What has no row

${table(
  ['', 'because it is'],
  Object.entries(notOperators).map(([reason, names]) => [names.map(code).join(', '), reason]),
)}
`;
}
