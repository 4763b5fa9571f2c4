import { Observable } from 'rxjs';

/** What the server writes at a time: some hundred requests. The text is not looked into before somebody wants to see it. */
export interface EventMessage {
  readonly first: number;
  readonly last: number;
  readonly text: string;
}

export const countOf = ({ first, last }: EventMessage): number => last - first + 1;

/** The messages, as they come: an `EventSource` cannot wait. It errors when the connection is lost, and does not reconnect by itself. */
export function eventMessages(url: string): Observable<EventMessage> {
  return new Observable((subscriber) => {
    const events = new EventSource(url);
    events.onmessage = ({ lastEventId, data }: MessageEvent<string>) => {
      const [first = NaN, last = NaN] = lastEventId.split('-').map(Number);
      subscriber.next({ first, last, text: data });
    };
    events.onerror = () => {
      subscriber.error(new Error(`the connection to ${url} is lost`));
    };
    return () => {
      events.close();
    };
  });
}
