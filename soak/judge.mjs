/** The most records that may wait for a slot: the `highWaterMark` of the example. */
const mostWaiting = 64;

/**
 * What a run has done, against what is promised for it. Gives how many records of it count, which promises are `broken`, and its
 * `end`:
 *
 * - `done`, exit code 0: all of the input is on disk.
 * - `stopped`, exit code 143 or killed by SIGTERM before it listens to that: each record that was read is on disk, once, and the
 *   next run goes on behind them.
 * - `failed`, exit code 1, or 143 if it was told to stop as well: the service was down. What is on disk is right, and the report
 *   says how many records are not. It counts as if it had not been.
 */
export function judge(run, ledger, count) {
  const broken = [...run.complaints];
  const check = (holds, what) => {
    if (!holds) broken.push(what);
  };
  const { code, signal, report, skip, weather } = run;
  const how = signal === null ? `exit code ${code}` : `killed by ${signal}`;
  check(!run.hung, 'it hung');
  check(run.stdout === '', 'it wrote to standard output');
  if (!report) {
    // It listens to signals when it has opened its files.
    const found = ledger.read(skip, skip);
    check(signal === 'SIGTERM' && run.stopTime !== undefined && run.requests === 0, `${how}, and no report`);
    checkLines(found, check);
    return { end: 'stopped', read: 0, found, broken };
  }

  const read = report['records in'];
  const failed = report.dropped > 0;
  const found = ledger.read(skip, skip + read, { mayBeCut: failed });
  checkLines(found, check);
  check(skip + read <= count, `it has read ${skip + read} of ${count} records`);
  check(report['most that waited'] <= mostWaiting, `${report['most that waited']} records waited`);
  check(
    report['records out'] + report['bad records'] + report.dropped === read,
    'the figures of the report do not add up',
  );
  if (failed) {
    check(weather.isDown, `${report.dropped} records dropped, though the service was not down`);
    check(code === 1 || (code === 143 && run.stopTime !== undefined), `${how} after a failure`);
    check(run.stderr.includes('the service answered 503'), 'it does not say why it has failed');
    check(
      found.located <= report['records out'],
      `${found.located} records on disk, but reported ${report['records out']}`,
    );
    check(found.missing.length >= report.dropped, 'more records are reported as dropped than are missing');
    return { end: 'failed', read, found, broken };
  }
  const stopped = code === 143 || signal === 'SIGTERM';
  check(stopped ? run.stopTime !== undefined : code === 0, how);
  check(stopped || skip + read >= count, `it ended after ${skip + read} of ${count} records`);
  check(found.missing.length === 0, `lost: ${list(found.missing)}`);
  check(
    found.located === report['records out'],
    `${found.located} records on disk, but reported ${report['records out']}`,
  );
  check(
    found.setAside === report['bad records'],
    `${found.setAside} bad records on disk, but reported ${report['bad records']}`,
  );
  const faults = sum(run.faults.values());
  check(report.retries >= faults, `${faults} requests failed, but ${report.retries} retries are reported`);
  return { end: stopped ? 'stopped' : 'done', read, found, broken };
}

/** Of any run, however it has ended. */
function checkLines({ doubled, wrong }, check) {
  check(doubled.length === 0, `doubled: ${list(doubled)}`);
  check(wrong.length === 0, `wrong: ${list(wrong)}`);
}

const list = (items) => `${items.length} records (${items.slice(0, 5).join(', ')}${items.length > 5 ? ', ...' : ''})`;

export const sum = (numbers) => [...numbers].reduce((total, number) => total + number, 0);
