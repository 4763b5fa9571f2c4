import 'reflect-metadata';
import { once } from 'node:events';
import { get, type ClientRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { Controller, Get, Logger, Module, UseGuards, UseInterceptors, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { noop } from 'rxjs';
import { onTestFinished } from 'vitest';

Logger.overrideLogger(false);

interface Enhancers {
  readonly guard?: Type;
  readonly interceptor?: Type;
}

/** A controller that answers `GET /` with what the handler gives. */
export function answering(handle: () => unknown, { guard, interceptor }: Enhancers = {}): Type {
  class Answers {
    answer() {
      return handle();
    }
  }
  const method = Object.getOwnPropertyDescriptor(Answers.prototype, 'answer') as PropertyDescriptor;
  Get()(Answers.prototype, 'answer', method);
  if (guard) UseGuards(guard)(Answers);
  if (interceptor) UseInterceptors(interceptor)(Answers);
  Controller()(Answers);
  return Answers;
}

export interface Ask {
  /** Gives the response as soon as its head is there. */
  (headers?: OutgoingHttpHeaders): Promise<IncomingMessage>;
  /** Sends the request only. */
  open(): ClientRequest;
}

/** An application of NestJS over HTTP, for the rest of the test. */
export async function nestApp(...controllers: Type[]): Promise<Ask> {
  class AppModule {
    readonly name = 'app';
  }
  Module({ controllers })(AppModule);
  const app = await NestFactory.create(AppModule, new ExpressAdapter());
  await app.listen(0, '127.0.0.1');
  onTestFinished(() => app.close());
  const server = app.getHttpServer() as Server;
  const { port } = server.address() as AddressInfo;
  const open = (headers: OutgoingHttpHeaders = {}) => {
    const request = get({ host: '127.0.0.1', port, agent: false, headers });
    request.on('error', noop); // who leaves does not want to know
    return request;
  };
  const ask = async (headers?: OutgoingHttpHeaders) => {
    const [response] = (await once(open(headers), 'response')) as [IncomingMessage];
    return response;
  };
  return Object.assign(ask, { open });
}
