// Every route of pages and API, as the site registers them, without an appliance.
import type { RouteRecord } from '../../src/web/routes.ts';
import type { WebServices } from '../../src/web/services.ts';
import { createSite } from '../../src/web/site.tsx';

/** Answers anything with itself: routes are registered without asking a service for more than its name. */
function anything(): unknown {
  const self: unknown = new Proxy(() => undefined, {
    get: (_target, name) => (name === Symbol.toPrimitive ? () => '' : name === 'then' ? undefined : self),
    apply: () => self,
  });
  return self;
}

export function routeRecords(): readonly RouteRecord[] {
  const services = new Proxy({} as WebServices, {
    get: (_target, name) => (name === 'basePath' ? '' : name === 'version' ? 'test' : anything()),
  });
  const site = createSite(services);
  site.stop();
  return site.records;
}
