// What every handler of the API finds in its context.
import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import type { PageContext } from '../../../views/page-context.ts';
import type { Caller } from '../caller.ts';

export interface ApiEnvironment {
  /** `caller` and `page` are handed over by the app that the API is part of. */
  Bindings: HttpBindings & { caller: Caller; page: PageContext };
  Variables: { caller: Caller; page: PageContext };
}

export type ApiContext = Context<ApiEnvironment>;
