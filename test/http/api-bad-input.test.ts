// Invariant 10 for the whole API: what its schemas do not accept is refused by a problem that names the field, and
// changes nothing. The bad inputs are derived from the OpenAPI document, so that a new route is tested by being there.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { BadValues, type OpenApiDocument, type Operation, type Schema } from '../support/bad-values.ts';
import { startOrigin, type TestOrigin } from '../support/origin.ts';
import { routeRecords } from '../support/route-records.ts';
import { rawRequest } from './raw-client.ts';
import { type RunningLarder, startLarder } from './running-larder.ts';
import { until } from './small-machine.ts';

let origin: TestOrigin;
let larder: RunningLarder;
let document: OpenApiDocument;
let bad: BadValues;

beforeAll(async () => {
  origin = await startOrigin({ files: { 'Some Film (2020).mkv': { sizeBytes: 1_000 } } });
  larder = await startLarder({ args: ['--source', `films=${origin.url}`] });
  await rawRequest(larder.port, '/s/films/Some%20Film%20(2020).mkv');
  // The player has its bytes before they are on the disk and counted.
  await until('the film is whole', async () =>
    (await (await ask('GET', '/api/v1/entries')).text()).includes('"complete":true'),
  );
  document = (await (await ask('GET', '/api/v1/openapi.json')).json()) as OpenApiDocument;
  bad = new BadValues(document);
});

afterAll(async () => {
  await larder[Symbol.asyncDispose]();
  await origin.stop();
});

/** The one place that signs in. */
function ask(method: string, path: string, body?: string, type = 'application/json'): Promise<Response> {
  const headers = { ...larder.owner.headers, ...(body === undefined ? {} : { 'Content-Type': type }) };
  return fetch(`http://localhost:${larder.port}${path}`, { method, headers, ...(body === undefined ? {} : { body }) });
}

interface Problem {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
}

/** What is wrong with the answer; null when it is a problem that names `field`. */
async function fault(response: Response, field: string | null): Promise<string | null> {
  const text = await response.text();
  if (response.status < 400 || response.status > 499) return `answers ${response.status} ${text.slice(0, 200)}`;
  const type = response.headers.get('Content-Type') ?? '';
  if (!type.startsWith('application/problem+json')) return `answers ${response.status} as ${type}`;
  const problem = JSON.parse(text) as Problem;
  if (problem.status !== response.status || problem.code === '' || problem.detail === '')
    return `is no problem: ${text}`;
  return field === null || text.includes(field) ? null : `does not name ${field}: ${text.slice(0, 300)}`;
}

interface Route {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

function routes(): Route[] {
  return Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
}

/** The path with each parameter filled in: `given` where it is named there, something that could be otherwise. */
function fill({ path, operation }: Route, given: Readonly<Record<string, string>> = {}): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const schema = operation.parameters?.find((parameter) => parameter.name === name)?.schema ?? {};
    const fitting = ['1', 'films', 'none'].find(
      (text) => bad.accepts(schema, text) || bad.accepts(schema, Number(text)),
    );
    return encodeURIComponent(given[name] ?? fitting ?? '1');
  });
}

function bodySchema({ operation }: Route): Schema | null {
  const schema = operation.requestBody?.content['application/json']?.schema;
  return schema === undefined ? null : bad.resolve(schema);
}

/** All that can be listed, without what time alone changes. */
async function snapshot(): Promise<string> {
  const volatile = /^\/api\/v1\/(?:status|doctor|about|events|openapi|readers|history|jobs|storage)/;
  const lists = routes().filter(({ method, path }) => method === 'GET' && !path.includes('{') && !volatile.test(path));
  const texts = await Promise.all(
    lists.map(async (route) => `${route.path} ${await (await ask('GET', route.path)).text()}`),
  );
  return texts.join('\n').replace(/"\w+At":[^,}\]]*/g, '');
}

/** Each route with each bad input, all faults together. */
async function faultsOf(inputs: (route: Route) => Promise<(string | null)[]>): Promise<string[]> {
  const before = await snapshot();
  const faults: string[] = [];
  for (const route of routes()) {
    const found = (await inputs(route)).filter((text) => text !== null);
    faults.push(...found.map((text) => `${route.method} ${route.path}: ${text}`));
  }
  expect(await snapshot()).toBe(before);
  return faults;
}

describe('the OpenAPI document', () => {
  test('is of version 3.1 and has every route of the API, with what each needs and answers', () => {
    expect(document.openapi).toMatch(/^3\.1\./);
    const listed = routes().map(({ method, path }) => `${method} ${path}`);
    const registered = routeRecords()
      .filter(({ path }) => path.startsWith('/api/v1/') && path !== '/api/v1/openapi.json')
      .map(({ method, path }) => `${method} ${path.replace(/:(\w+)(?:\{[^/]*\})?/g, '{$1}')}`);
    expect(listed.sort()).toEqual(registered.sort());
  });

  test('says of every parameter in a path what it is, has no dangling reference, and lets every route fail', () => {
    const text = JSON.stringify(document);
    const names = Object.keys(document.components?.schemas ?? {});
    const referred = [...text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name!);
    expect(referred.filter((name) => !names.includes(name))).toEqual([]);
    for (const { method, path, operation } of routes()) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);
      const known = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path').map(({ name }) => name);
      expect({ method, path, known: known.sort() }).toEqual({ method, path, known: inPath.sort() });
      expect(operation.responses.default).toBeDefined();
      expect(Object.keys(operation.responses).some((status) => /^[23]\d\d$/.test(status))).toBe(true);
      expect(operation).toHaveProperty('summary');
    }
  });
});

describe('bad input', () => {
  test('a parameter that its schema does not accept is named, and nothing changes', async () => {
    let count = 0;
    const faults = await faultsOf(async (route) => {
      const found: (string | null)[] = [];
      for (const { name, in: place, schema } of route.operation.parameters ?? []) {
        for (const value of bad.ofText(schema)) {
          const path =
            place === 'path'
              ? fill(route, { [name]: value })
              : `${fill(route)}?${new URLSearchParams({ [name]: value })}`;
          const body = bodySchema(route) === null ? undefined : '{}';
          count += 1;
          const wrong = await fault(await ask(route.method, path, body), name);
          found.push(wrong === null ? null : `${name}=${value.slice(0, 40)} ${wrong}`);
        }
      }
      return found;
    });
    expect(faults).toEqual([]);
    expect(count).toBeGreaterThan(0);
  });

  test('a field of a body that its schema does not accept is named, and nothing changes', async () => {
    let count = 0;
    const faults = await faultsOf(async (route) => {
      const schema = bodySchema(route);
      if (schema === null) return [];
      const found: (string | null)[] = [];
      for (const [name, property] of Object.entries(schema.properties ?? {})) {
        for (const value of bad.ofJson(property)) {
          count += 1;
          const body = JSON.stringify({ [name]: value });
          const wrong = await fault(await ask(route.method, fill(route), body), name);
          found.push(wrong === null ? null : `${body.slice(0, 60)} ${wrong}`);
        }
      }
      for (const name of schema.required ?? []) {
        const wrong = await fault(await ask(route.method, fill(route), '{}'), name);
        found.push(wrong === null ? null : `{} ${wrong}`);
      }
      return found;
    });
    expect(faults).toEqual([]);
    expect(count).toBeGreaterThan(0);
  });

  test('a field that is not known, what is no JSON, of another type, no object or too long is refused', async () => {
    const faults = await faultsOf(async (route) => {
      const schema = bodySchema(route);
      if (schema === null) return [];
      const path = fill(route);
      const { method } = route;
      const isStrict = schema.additionalProperties === false;
      return [
        isStrict ? await fault(await ask(method, path, '{"noSuchField":1}'), 'noSuchField') : null,
        await fault(await ask(method, path, '{"noSuchField":'), null),
        await fault(await ask(method, path, '[]'), null),
        await fault(await ask(method, path, 'null'), null),
        await fault(await ask(method, path, '"text"'), null),
        await fault(await ask(method, path, '{}', 'text/plain'), null),
        await fault(await ask(method, path, 'a=b', 'application/x-www-form-urlencoded'), null),
        await fault(await ask(method, path, `{"noSuchField":"${'x'.repeat(2_000_000)}"}`), null),
        await fault(await ask(method, path, `${'['.repeat(20_000)}`), null),
      ];
    });
    expect(faults).toEqual([]);
  }, 30_000);

  test('every body refuses fields that it does not know', () => {
    const open = routes().filter((route) => {
      const schema = bodySchema(route);
      return schema?.properties !== undefined && schema.additionalProperties !== false;
    });
    expect(open.map(({ method, path }) => `${method} ${path}`)).toEqual([]);
  });

  test('what is not there, and methods that are not, answer a problem', async () => {
    expect(await fault(await ask('GET', '/api/v1/no-such-thing'), null)).toBeNull();
    expect(await fault(await ask('DELETE', '/api/v1/status'), null)).toBeNull();
    expect(await fault(await ask('GET', '/api/v1/entries/999999999'), null)).toBeNull();
    expect(await fault(await ask('GET', '/api/v1/%00'), null)).toBeNull();
  });
});

describe('BadValues', () => {
  test('finds what a schema refuses, and never what it accepts', () => {
    const schema: Schema = { anyOf: [{ type: 'integer', minimum: 3 }, { type: 'null' }] };
    const values = bad.ofJson(schema);
    expect(values).toContain(2);
    expect(values).toContain('no such thing');
    expect(values).not.toContain(null);
    expect(bad.ofText({ type: 'string', enum: ['a'] })).toContain('no such thing');
    expect(bad.ofText({ type: 'integer', exclusiveMinimum: 0 })).toEqual(expect.arrayContaining(['-1', '0', '1.5']));
  });
});
