import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const run = promisify(execFile);

it('does not say that all is well where there was no time to test anything', async () => {
  const soak = run(process.execPath, ['soak/run.mjs', '--minutes', '0.000001']);
  await expect(soak).rejects.toMatchObject({
    code: 1,
    stdout: expect.stringContaining('Nothing was tested: no record was read in this time.\n') as string,
  });
});
