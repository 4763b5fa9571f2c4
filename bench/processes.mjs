import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const measureFile = fileURLToPath(new URL('measure.mjs', import.meta.url));

/**
 * What `measure(...job)` of the file at `url` gives in so many fresh processes, one after the other.
 *
 * V8 compiles the same code differently each time, so one process says little. They run with the default flags of Node, as
 * users do.
 */
export async function inProcesses(url, job, { processes = 5, flags = [] } = {}) {
  const results = [];
  for (let i = 0; i < processes; i++) {
    const { stdout } = await promisify(execFile)(process.execPath, [...flags, measureFile, url, ...job.map(String)]);
    results.push(JSON.parse(stdout));
  }
  return results;
}
