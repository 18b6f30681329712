// What every handler finds in its context.
import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import type { PageContext } from '../../views/page-context.ts';
import type { EffectiveClient } from '../access/effective-client.ts';
import type { Caller } from './caller.ts';

export interface WebEnvironment {
  Bindings: HttpBindings;
  Variables: {
    caller: Caller;
    /** Who asks and under which address, seen through trusted proxies. */
    client: EffectiveClient;
    page: PageContext;
  };
}

export type WebContext = Context<WebEnvironment>;
