import { HttpException, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { createRateLimiter } from '../../src/index.js';

/** 100 requests a minute for each client: `@UseGuards(ClientLimit)`, or `APP_GUARD` for the whole application. */
@Injectable()
export class ClientLimit implements CanActivate {
  private readonly limiter = createRateLimiter({ limit: 100, interval: 60_000 });

  canActivate(context: ExecutionContext): boolean {
    const { ip } = context.switchToHttp().getRequest<{ readonly ip: string }>();
    if (this.limiter.tryAcquire({ key: ip })) return true;
    throw new HttpException('Too many requests', 429);
  }
}
