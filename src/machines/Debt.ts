/**
 * What has been taken and not yet been paid back, at `rate` units in each ms.
 *
 * Clocks count whole ms. So the part of a ms by which somebody came late, because he could not come earlier, is not lost but
 * counts for the next; else three in ten ms would become three in twelve. (The tolerance of the generic cell rate algorithm,
 * ITU-T I.371.) In whole numbers it is exact, however long it runs.
 */
export class Debt {
  private amount = 0;
  private since = -Infinity;

  constructor(private readonly rate: number) {}

  at(now: number): number {
    const amount = this.amount - (now - this.since) * this.rate;
    return amount > -this.rate ? amount : 0;
  }

  add(now: number, amount: number): void {
    this.amount = this.at(now) + amount;
    this.since = now;
  }
}
