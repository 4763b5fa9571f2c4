import type { ShutdownSummary } from 'rxjs-flow-control';

const { stderr } = process;
stderr.on('error', () => undefined); // who does not want to read it does not have to

export function showMessage(message: string): void {
  stderr.write(`node-service: ${message}\n`);
}

/** Tells what has become of the requests that ran when it was stopped. */
export function showReport({ reason, clean, drains, resources, ms }: ShutdownSummary): void {
  for (const { name, state } of drains) showMessage(`${name}: ${state}`);
  for (const { name, state, error } of resources)
    if (state !== 'closed') showMessage(`${name}: ${state}: ${String(error)}`);
  showMessage(`stopped by ${String(reason)} ${clean ? 'cleanly' : 'with losses'} in ${(ms / 1000).toFixed(1)} s`);
}
