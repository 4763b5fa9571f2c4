import { expect, it } from 'vitest';
import { afterwards, Place, type PlaceState } from '../../src/machines/Place.js';

it('takes nothing of a pool before it is given a state', () => {
  expect(new Place().state).toBe('gone');
});

it.each<[PlaceState, PlaceState[]]>([
  ['creating', ['abandoned', 'gone']],
  ['idle', ['destroying', 'gone']],
  ['checking', ['destroying', 'gone']],
  ['used', []],
])('from %s goes on to %j when nothing happens', (state, states) => {
  const found = [state];
  for (let last = state; afterwards[last] !== last && found.length < 9; found.push(last)) last = afterwards[last];
  expect(found.slice(1)).toEqual(states);
});
