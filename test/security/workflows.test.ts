import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

interface Step {
  uses?: string;
  run?: string;
  with?: Record<string, unknown>;
  env?: Record<string, unknown>;
}
interface Job {
  'runs-on': string;
  'timeout-minutes'?: number;
  needs?: string;
  permissions?: Record<string, string>;
  steps: Step[];
}
interface Workflow {
  on: Record<string, { types?: string[] } | { cron: string }[] | null>;
  permissions: Record<string, string>;
  jobs: Record<string, Job>;
}

const folder = '.github/workflows';
const names = readdirSync(folder);
const textOf = (name: string) => readFileSync(`${folder}/${name}`, 'utf8');
const workflowOf = (name: string) => parse(textOf(name)) as Workflow;
const jobsOf = (name: string) => Object.entries(workflowOf(name).jobs);
const runsOf = (job: Job | undefined) => job?.steps.flatMap(({ run }) => run ?? []) ?? [];

it('there are those that are described here', () => {
  expect(names.sort()).toEqual(['audit.yml', 'ci.yml', 'release.yml']);
});

describe.each(names)('%s', (name) => {
  it('is granted nothing but what a job says', () => {
    expect(workflowOf(name).permissions).toEqual({});
    for (const [job, { permissions = {} }] of jobsOf(name))
      expect(permissions, job).toEqual(
        name === 'release.yml' && job === 'publish' ? { contents: 'read', 'id-token': 'write' } : { contents: 'read' },
      );
  });

  it('pins each action by the hash of a commit, and says of which version', () => {
    const lines = textOf(name)
      .split('\n')
      .filter((line) => line.includes('uses:'));
    expect(lines).toHaveLength(jobsOf(name).flatMap(([, { steps }]) => steps.filter(({ uses }) => uses)).length);
    for (const line of lines) expect(line).toMatch(/uses: actions\/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  it('keeps no credentials, takes nothing from a cache, and ends', () => {
    for (const [, job] of jobsOf(name)) {
      expect(job['timeout-minutes']).toBeLessThanOrEqual(30);
      for (const { uses = '', with: inputs = {} } of job.steps) {
        if (uses.startsWith('actions/checkout@')) expect(inputs['persist-credentials']).toBe(false);
        if (uses.startsWith('actions/setup-node@')) expect(inputs['package-manager-cache']).toBe(false);
        expect(inputs['cache']).toBeUndefined();
      }
    }
  });

  it('knows no secret, and runs no text that comes from outside', () => {
    expect(textOf(name)).not.toMatch(/secrets\.|_TOKEN|pull_request_target|workflow_run/);
    for (const [, job] of jobsOf(name)) for (const run of runsOf(job)) expect(run).not.toContain('${{');
  });

  it('runs scripts that there are', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
    for (const [, job] of jobsOf(name))
      for (const run of runsOf(job)) {
        const script = /^npm run ([\w:]+)/.exec(run)?.[1];
        if (script !== undefined) expect(scripts).toHaveProperty([script]);
        const file = /^bash (\S+)/.exec(run)?.[1];
        if (file !== undefined) expect(existsSync(file), file).toBe(true);
      }
  });
});

it('a change has to pass .ci/run, on the oldest Node', () => {
  const { on, jobs } = workflowOf('ci.yml');
  expect(Object.keys(on)).toEqual(['push', 'pull_request']);
  expect(runsOf(jobs['checks'])).toEqual(['bash .ci/run']);
  const { engines } = JSON.parse(readFileSync('package.json', 'utf8')) as { engines: { node: string } };
  const node = jobs['checks']?.steps.find(({ uses }) => uses?.includes('setup-node'))?.with?.['node-version'];
  expect(`>=${String(node)}`).toBe(engines.node);
});

it('advisories are asked for once a week, and before each release', () => {
  const { on, jobs } = workflowOf('audit.yml');
  const everyMonday = /^\d+ \d+ \* \* 1$/;
  expect(on['schedule']).toEqual([{ cron: expect.stringMatching(everyMonday) as string }]);
  expect(runsOf(jobs['audit'])).toEqual(['npm run check:audit']);
  expect(runsOf(workflowOf('release.yml').jobs['publish'])).toContain('npm run check:audit');
});

describe('the release', () => {
  const { on, jobs } = workflowOf('release.yml');
  const publish = jobs['publish'] as Job;

  it('begins with a release, and after the same checks', () => {
    expect(on).toEqual({ release: { types: ['published'] } });
    expect(publish.needs).toBe('checks');
    expect(jobs['checks']?.steps).toEqual(workflowOf('ci.yml').jobs['checks']?.steps);
  });

  it('has an npm that can publish without a token', () => {
    expect(publish.steps[1]?.with?.['node-version']).toBe(24);
  });

  it('compares tag and version before anything is installed, and publishes last, with provenance', () => {
    const runs = runsOf(publish);
    expect(runs[0]).toContain('test "$GITHUB_REF_NAME" = "v$(node -p');
    expect(runs.findIndex((run) => run.startsWith('npm ci'))).toBeGreaterThan(0);
    expect(runs.find((run) => run.startsWith('npm ci'))).toBe('npm ci --ignore-scripts');
    expect(runs.at(-1)).toBe('npm publish --provenance --access public');
    expect(
      names
        .flatMap((name) => jobsOf(name))
        .flatMap(([, job]) => runsOf(job))
        .filter((run) => run.includes('publish')),
    ).toHaveLength(1);
  });
});
