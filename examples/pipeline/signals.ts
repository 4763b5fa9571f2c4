import { fromEvent, map, merge, share, throttleTime, type Observable } from 'rxjs';

export type StopSignal = 'SIGINT' | 'SIGTERM';

const on = (signal: StopSignal) => fromEvent(process, signal).pipe(map(() => signal));

/** Each request to stop. One Ctrl-C under `npm start` comes twice, from the terminal and from npm: that is one request. */
export const stopSignals$: Observable<StopSignal> = merge(on('SIGINT'), on('SIGTERM')).pipe(throttleTime(500), share());
