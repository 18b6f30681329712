// The JSON API: everything the pages can do, for scripts. Routes are typed by their schemas, from which the OpenAPI
// document is made; every error is a problem detail (RFC 9457). Like pages, a route says what right it needs.
import { OpenAPIHono, type RouteConfig, type RouteHandler } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import { hasBody, isSafeMethod } from '../../access/own-request.ts';
import { describeError, LarderError } from '../../errors.ts';
import { statusOf } from '../../proxy/error-response.ts';
import { API_PREFIX } from '../api-prefix.ts';
import type { BodyReader } from '../body-reader.ts';
import { may, type Need } from '../caller.ts';
import { factsOf } from '../request-facts.ts';
import type { Method, RouteRecord } from '../routes.ts';
import type { WebServices } from '../services.ts';
import { addAccessRoutes } from './access.ts';
import type { ApiEnvironment } from './api-environment.ts';
import { addDoctorRoutes } from './doctor.ts';
import { addEventRoutes } from './events.ts';
import { addLibraryRoutes } from './library.ts';
import { type FieldProblem, problem, problemResponses } from './problem.ts';
import { addReaderRoutes } from './readers.ts';
import { addSettingsRoutes } from './settings.ts';
import { addSourceRoutes } from './sources.ts';
import { addStatusRoutes } from './status.ts';
import { addStorageRoutes } from './storage.ts';
import { addSyncRoutes } from './syncs.ts';

export interface Api {
  readonly hono: OpenAPIHono<ApiEnvironment>;
  /** Every route of the API, below the base path. */
  readonly records: readonly RouteRecord[];
}

/** What a route module is given to add its routes to. */
export interface ApiRoutes {
  /** `config.path` is below `/api/v1`, in OpenAPI's notation (`/entries/{id}`). A body must be `required`. */
  route<Config extends RouteConfig>(config: Config, need: Need, handler: RouteHandler<Config, ApiEnvironment>): void;
}

export function createApi(services: WebServices, bodies: BodyReader): Api {
  const log = services.log.part('api');
  const records: RouteRecord[] = [];
  const hono = new OpenAPIHono<ApiEnvironment>({
    strict: false,
    defaultHook: (result, context) => {
      if (result.success) return undefined;
      const fields: FieldProblem[] = result.error.issues.map((issue) => ({
        field: issue.path.join('.'),
        in: result.target,
        detail: issue.message,
      }));
      const named = fields.map(({ field, detail }) => (field === '' ? detail : `${field}: ${detail}`)).join('; ');
      return problem(context, { status: 422, code: 'invalid', detail: named, fields });
    },
  }).basePath(services.basePath + API_PREFIX) as OpenAPIHono<ApiEnvironment>;

  hono.use('*', async (context, next) => {
    context.set('caller', context.env.caller);
    context.set('page', context.env.page);
    await next();
    if (!context.res.headers.has('Cache-Control')) context.res.headers.set('Cache-Control', 'no-store');
  });
  function guard(need: Need): MiddlewareHandler<ApiEnvironment> {
    return async (context, next) => {
      const { caller } = context.var;
      if (!may(caller, need)) {
        if (caller.kind !== 'nobody') {
          const detail = `this needs the right of an ${need}`;
          return problem(context, { status: 403, code: 'not-allowed', detail, hint: 'use a token of a wider scope' });
        }
        context.header('WWW-Authenticate', 'Bearer realm="Larder"');
        const hint = 'send Authorization: Bearer TOKEN; "larder token create" makes one';
        return problem(context, { status: 401, code: 'not-allowed', detail: 'this needs a token', hint });
      }
      // Of the request as it came: what hono shows of one may have been made anew on the way.
      const request = factsOf(context.env.incoming);
      if (!isSafeMethod(request.method)) {
        const { control } = services.access;
        const foreign = control.refusalOf(request, control.clientOf(request));
        if (foreign !== null) {
          const detail = `a request with a cookie must come from a page of Larder itself, and ${foreign}`;
          return problem(context, { status: 403, code: 'not-allowed', detail, hint: 'scripts use a token' });
        }
        // The validator passes over a body of another type as if there were none.
        if (hasBody(request.headers) && !/^application\/json\b/i.test(request.headers['content-type'] ?? '')) {
          const detail = 'the body must be JSON';
          const hint = 'send Content-Type: application/json';
          return problem(context, { status: 415, code: 'invalid', detail, hint });
        }
      }
      const fault = await bodies.take(context);
      if (fault !== null) {
        context.header('Connection', 'close');
        return problem(context, { status: fault.status, code: 'invalid', detail: fault.reason });
      }
      return next();
    };
  }

  const routes: ApiRoutes = {
    route(config, need, handler) {
      const path = config.path.replace(/\{(\w+)\}/g, ':$1');
      records.push({ method: config.method.toUpperCase() as Method, path: API_PREFIX + path, need });
      const given = config.middleware;
      const middleware = [guard(need), ...(given === undefined ? [] : Array.isArray(given) ? given : [given])];
      const responses = { ...problemResponses, ...config.responses };
      const security = need === 'public' ? [] : [{ bearer: [] }];
      // The cast restores the exact type that the spread has widened.
      hono.openapi({ ...config, middleware, responses, security } as unknown as typeof config, handler as never);
    },
  };

  addSourceRoutes(routes, services);
  addSyncRoutes(routes, services);
  addStatusRoutes(routes, services);
  addAccessRoutes(routes, services);
  addSettingsRoutes(routes, services);
  addDoctorRoutes(routes, services);
  addLibraryRoutes(routes, services);
  addReaderRoutes(routes, services);
  addStorageRoutes(routes, services);
  addEventRoutes(routes, services);

  hono.openAPIRegistry.registerComponent('securitySchemes', 'bearer', { type: 'http', scheme: 'bearer' });
  hono.get('/openapi.json', guard('viewer'), (context) =>
    context.json(
      hono.getOpenAPI31Document({
        openapi: '3.1.0',
        info: { title: 'Larder', version: services.version, license: { name: 'MIT' } },
        servers: [{ url: services.basePath === '' ? '/' : services.basePath }],
      }),
    ),
  );
  records.push({ method: 'GET', path: `${API_PREFIX}/openapi.json`, need: 'viewer' });

  hono.notFound((context) =>
    problem(context, {
      status: 404,
      code: 'missing',
      detail: `there is nothing at ${context.req.method} ${context.req.path}`,
      hint: `${services.basePath}${API_PREFIX}/openapi.json lists what there is`,
    }),
  );
  hono.onError((error, context) => {
    if (error instanceof LarderError) return problem(context, problemOf(error));
    const status = (error as { status?: unknown }).status;
    if (status === 400) {
      return problem(context, { status: 400, code: 'invalid', detail: 'the body is not valid JSON' });
    }
    log.error('a request failed', { path: context.req.path, error: describeError(error), stack: error.stack });
    return problem(context, {
      status: 500,
      code: 'failed',
      detail: 'Larder failed to answer',
      hint: 'its log says why',
    });
  });
  return { hono, records };
}

function problemOf(error: LarderError) {
  return {
    status: statusOf(error),
    code: error.code,
    detail: error.message,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
  };
}
