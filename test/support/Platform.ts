import { vi } from 'vitest';

/** Where there is no browser: as much of one as tells whether the page is visible and the network is there. */
export class Platform {
  readonly document = Object.assign(new CountedTarget(), { visibilityState: 'visible' });
  readonly window = new CountedTarget();
  private readonly navigator = { onLine: true };

  /** Until `vi.unstubAllGlobals()`. */
  install(): this {
    vi.stubGlobal('document', this.document);
    vi.stubGlobal('navigator', this.navigator);
    vi.stubGlobal('addEventListener', this.window.addEventListener.bind(this.window));
    vi.stubGlobal('removeEventListener', this.window.removeEventListener.bind(this.window));
    return this;
  }

  set visible(visible: boolean) {
    this.document.visibilityState = visible ? 'visible' : 'hidden';
    this.document.dispatchEvent(new Event('visibilitychange'));
  }

  set online(online: boolean) {
    this.navigator.onLine = online;
    this.window.dispatchEvent(new Event(online ? 'online' : 'offline'));
  }
}

class CountedTarget extends EventTarget {
  listeners = 0;

  override addEventListener(...parameters: Parameters<EventTarget['addEventListener']>): void {
    this.listeners++;
    super.addEventListener(...parameters);
  }

  override removeEventListener(...parameters: Parameters<EventTarget['removeEventListener']>): void {
    this.listeners--;
    super.removeEventListener(...parameters);
  }
}
