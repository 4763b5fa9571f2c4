import { constants } from 'node:os';
import { Subject, takeUntil } from 'rxjs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { processSignals } from '../../src/node/processSignals.js';
import { record } from '../support/record.js';

// Signals that the test runner does not listen to. `process.emit` is how Node tells of one; real ones are for shutdown.test.ts.
const raise = (signal: NodeJS.Signals) => process.emit(signal, signal);
const listeners = (signal: NodeJS.Signals) => process.listenerCount(signal);

afterEach(() => {
  expect([listeners('SIGHUP'), listeners('SIGUSR2')], 'listeners are left').toEqual([0, 0]);
});

describe('processSignals', () => {
  it('emits each signal that comes', () => {
    const { log, subscription } = record(processSignals(['SIGHUP', 'SIGUSR2']));
    raise('SIGHUP');
    raise('SIGUSR2');
    raise('SIGUSR2');
    expect(log).toEqual(['SIGHUP', 'SIGUSR2', 'SIGUSR2']);
    subscription.unsubscribe();
  });

  it('listens to SIGINT and SIGTERM where nothing is said', () => {
    const before = [listeners('SIGINT'), listeners('SIGTERM')];
    const { subscription } = record(processSignals());
    expect([listeners('SIGINT'), listeners('SIGTERM')]).toEqual(before.map((count) => count + 1));
    subscription.unsubscribe();
    expect([listeners('SIGINT'), listeners('SIGTERM')]).toEqual(before);
  });

  it('listens only while somebody is subscribed, and anew for who comes then', () => {
    const signals$ = processSignals(['SIGHUP']);
    expect(listeners('SIGHUP')).toBe(0);
    const { subscription } = record(signals$);
    expect(listeners('SIGHUP')).toBe(1);
    subscription.unsubscribe();
    expect(listeners('SIGHUP')).toBe(0);
    const { log, subscription: second } = record(signals$);
    raise('SIGHUP');
    expect(log).toEqual(['SIGHUP']);
    second.unsubscribe();
  });

  it('has one listener for all, so that Node never warns of a leak', () => {
    const warn = vi.spyOn(process, 'emitWarning');
    const all = Array.from({ length: 50 }, () => record(processSignals(['SIGHUP', 'SIGUSR2'])));
    expect([listeners('SIGHUP'), listeners('SIGUSR2')]).toEqual([1, 1]);
    raise('SIGHUP');
    expect(all.map(({ log }) => log)).toEqual(all.map(() => ['SIGHUP']));
    for (const { subscription } of all.slice(1)) subscription.unsubscribe();
    expect([listeners('SIGHUP'), listeners('SIGUSR2')]).toEqual([1, 1]);
    all[0]?.subscription.unsubscribe();
    expect(warn).not.toHaveBeenCalled();
    warn.mockRestore();
  });

  it('takes a signal that is named twice as one', () => {
    const { log, subscription } = record(processSignals(['SIGHUP', 'SIGHUP']));
    raise('SIGHUP');
    expect(log).toEqual(['SIGHUP']);
    subscription.unsubscribe();
  });

  it('may be unsubscribed by what a signal leads to', () => {
    const log: string[] = [];
    const stop$ = new Subject<void>();
    processSignals(['SIGHUP', 'SIGUSR2'])
      .pipe(takeUntil(stop$))
      .subscribe((signal) => {
        log.push(signal);
        stop$.next();
      });
    const other = record(processSignals(['SIGHUP']));
    raise('SIGHUP');
    raise('SIGUSR2');
    expect(log).toEqual(['SIGHUP']);
    expect(other.log).toEqual(['SIGHUP']);
    other.subscription.unsubscribe();
  });

  it('may be subscribed to by what a signal leads to, for the next one', () => {
    const log: string[] = [];
    const subscription = processSignals(['SIGHUP']).subscribe(() => {
      subscription.add(processSignals(['SIGHUP']).subscribe((signal) => log.push(signal)));
    });
    raise('SIGHUP');
    expect(log).toEqual([]);
    subscription.unsubscribe();
  });

  it.each([
    ['SIGINT', TypeError, "signals must be an array of names of signals, got 'SIGINT'"],
    [null, TypeError, 'signals must be an array of names of signals, got null'],
    [[], RangeError, 'signals must name at least one signal, got none'],
    [['SIGFOO'], RangeError, "signals must have names of signals of this platform, such as 'SIGTERM', got 'SIGFOO'"],
    [['SIGHUP', 'sigint'], RangeError, "such as 'SIGTERM', got 'sigint'"],
    [['toString'], RangeError, "got 'toString'"],
    [[['SIGTERM']], RangeError, "such as 'SIGTERM', got an array"],
    [[constants.signals.SIGINT], RangeError, "such as 'SIGTERM', got 2"],
    [['SIGKILL'], RangeError, "signals must not have 'SIGKILL': no process can handle it"],
    [['SIGTERM', 'SIGSTOP'], RangeError, "signals must not have 'SIGSTOP'"],
  ] as const)('refuses %j at the call', (signals, Kind, message) => {
    const call = () => processSignals(signals as never);
    expect(call).toThrow(Kind);
    expect(call).toThrow(message);
  });
});
