import '@angular/compiler';
import { HttpTestingController, provideHttpClientTesting } from '@angular/common/http/testing';
import { provideHttpClient } from '@angular/common/http';
import {
  ApplicationModule,
  ApplicationRef,
  createComponent,
  EnvironmentInjector,
  ErrorHandler,
  NgModule,
  platformCore,
  RendererFactory2,
  ɵINJECTOR_SCOPE as INJECTOR_SCOPE,
  type EnvironmentProviders,
  type Provider,
  type Renderer2,
} from '@angular/core';
import { TestBed, TestComponentRenderer } from '@angular/core/testing';
import { onTestFinished } from 'vitest';

/** Of a page that only a test looks at. */
class PageNode {
  readonly children: PageNode[] = [];

  constructor(public text = '') {}

  get shown(): string {
    return this.text + this.children.map(({ shown }) => shown).join('');
  }
}

/** As much of a renderer as templates of text need. */
const renderer = {
  data: {},
  selectRootElement: (host: PageNode) => host,
  createElement: () => new PageNode(),
  createText: (text: string) => new PageNode(text),
  createComment: () => new PageNode(),
  appendChild: (parent: PageNode, child: PageNode) => parent.children.push(child),
  setValue: (node: PageNode, text: string) => {
    node.text = text;
  },
  setAttribute: () => undefined,
  removeChild: () => undefined,
  destroy: () => undefined,
} as unknown as Renderer2;

class TestPlatform {
  readonly name = 'test';
}
NgModule({
  imports: [ApplicationModule],
  exports: [ApplicationModule],
  // What BrowserModule brings besides the browser.
  providers: [
    ErrorHandler,
    { provide: INJECTOR_SCOPE, useValue: 'root' },
    { provide: RendererFactory2, useValue: { createRenderer: () => renderer } },
    { provide: TestComponentRenderer, useValue: { insertRootElement: () => undefined } },
  ],
})(TestPlatform);

TestBed.initTestEnvironment(TestPlatform, platformCore());

/** A zoneless application of Angular, without a browser, for the rest of the test. */
export function angularApp(...providers: (Provider | EnvironmentProviders)[]): {
  readonly http: HttpTestingController;
  /** Destroys services and components, as the end of the application does. */
  readonly destroy: () => void;
} {
  TestBed.resetTestingModule();
  TestBed.configureTestingModule({ providers: [provideHttpClient(), provideHttpClientTesting(), ...providers] });
  const destroy = () => {
    TestBed.resetTestingModule();
  };
  onTestFinished(destroy);
  return { http: TestBed.inject(HttpTestingController), destroy };
}

/** Creates a component in the application, and gives what its page shows. */
export function show<T>(component: new () => T): {
  readonly component: T;
  readonly shown: () => string;
  readonly destroy: () => void;
} {
  const host = new PageNode();
  const created = createComponent(component, {
    environmentInjector: TestBed.inject(EnvironmentInjector),
    hostElement: host as unknown as Element,
  });
  TestBed.inject(ApplicationRef).attachView(created.hostView);
  TestBed.tick();
  return {
    component: created.instance,
    shown: () => host.shown,
    destroy: () => {
      created.destroy();
    },
  };
}
