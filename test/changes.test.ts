import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { assemble, fragmentsOf, parseFragment } from '../scripts/changelog.mjs';

it.each(fragmentsOf('changes'))('changes/%s has the form of a fragment', (name) => {
  expect(() => parseFragment(name, readFileSync(`changes/${name}`, 'utf8'))).not.toThrow();
});

it('puts fragments together under one heading each', () => {
  const first = parseFragment('0001-one.md', '### Added\n\n- one\n  and more\n\n### Fixed\n\n- two\n');
  const second = parseFragment('0002-two.md', '### Added\n\n- three\n- four\n');
  expect(assemble([first, second])).toBe('### Added\n\n- one\n  and more\n- three\n- four\n\n### Fixed\n\n- two\n');
});

it.each([
  ['Added.md', '### Added\n\n- a\n', /name/],
  ['0001-a.md', 'text\n', /start with a heading/],
  ['0001-a.md', '### New\n\n- a\n', /"New" is none of/],
  ['0001-a.md', '### Fixed\n\n- a\n\n### Added\n\n- b\n', /too late/],
  ['0001-a.md', '### Added\n\n- a\n\n### Added\n\n- b\n', /twice/],
  ['0001-a.md', '### Added\n\nsome words\n', /must be a list/],
  ['0001-a.md', '### Added\n', /must be a list/],
])('refuses %s with %j', (name, text, reason) => {
  expect(() => parseFragment(name, text)).toThrow(reason);
});
