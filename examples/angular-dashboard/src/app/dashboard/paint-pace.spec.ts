import { conflate } from 'rxjs-flow-control';
import { TestScheduler } from 'rxjs/testing';
import { paintPace } from './paint-pace';

const marbles = (test: Parameters<TestScheduler['run']>[0]) => {
  new TestScheduler((actual, expected) => {
    expect(actual).toEqual(expected);
  }).run(test);
};

const add = (one: string, other: string) => one + other;

describe('paintPace', () => {
  it('lets a value out in the next frame, and conflates what comes until then and while it rests', () => {
    marbles(({ animate, hot, expectObservable }) => {
      animate('           ---f---f---f---f--');
      const values = hot('-a-bc-d-----e-----');
      const painted = '   ---a---x---d---e--';
      const observed = values.pipe(conflate(add), paintPace(2));
      expectObservable(observed, '-----------------!').toBe(painted, { a: 'a', x: 'bc', d: 'd', e: 'e' });
    });
  });

  it('lets nothing out of a page that has no frames', () => {
    marbles(({ animate, hot, expectObservable }) => {
      animate('           -----------f--');
      const values = hot('-a-bc-d-------');
      expectObservable(values.pipe(conflate(add), paintPace()), '-------------!').toBe('-----------a--');
    });
  });
});
