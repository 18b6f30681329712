// Settings: read with where each comes from, and changed all or none.
import { createRoute, z } from '@hono/zod-openapi';
import { textsOf } from '../../config.ts';
import { options, settingGroups, settingNames } from '../../options.ts';
import type { SettingState, SettingsService } from '../../settings/settings-service.ts';
import { describeCaller } from '../describe-caller.ts';
import type { WebServices } from '../services.ts';
import type { ApiRoutes } from './api.ts';
import { taggedJson } from './entity-tag.ts';
import { jsonAnswer, jsonBody } from './paging.ts';
import { problem } from './problem.ts';

const LIST_MAX = 100;
const TEXT_MAX = 1_000;

const texts = z.array(z.string()).openapi({ description: 'As it is written on the command line; one text each' });

const settingSchema = z
  .object({
    name: z.enum(settingNames as [string, ...string[]]),
    label: z.string(),
    description: z.string(),
    group: z.enum(Object.keys(settingGroups) as [string, ...string[]]),
    flag: z.string(),
    variable: z.string(),
    value: texts.nullable().openapi({ description: 'Null for a secret' }),
    inForce: texts.nullable().openapi({ description: 'Differs from `value` while a restart is waited for' }),
    default: texts,
    isSet: z.boolean(),
    origin: z.enum(['flag', 'environment', 'file', 'database', 'default']),
    place: z.string().nullable().openapi({ description: 'What fixes it outside', example: 'LARDER_PORT' }),
    locked: z.enum(['outside', 'at start']).nullable().openapi({ description: 'Why it cannot be changed here' }),
    takesEffect: z.enum(['at once', 'after a restart']),
    isPending: z.boolean(),
  })
  .openapi('Setting');

const listSchema = z.object({ items: z.array(settingSchema), next: z.null() });

const valueSchema = z
  .union([z.string().max(TEXT_MAX), z.number(), z.boolean(), z.array(z.string().max(TEXT_MAX)).max(LIST_MAX), z.null()])
  .openapi({ description: 'As on the command line, such as "64MiB", 3 or true; null goes back to the default' });

const changesSchema = z
  .strictObject(Object.fromEntries(settingNames.map((name) => [name, valueSchema.optional()])))
  .openapi('SettingChanges', { example: { readAhead: '32MiB', backgroundFill: true, logLevel: null } });

const resultSchema = z.object({
  changed: z.array(z.string()),
  restartNeeded: z.array(z.string()).openapi({ description: 'In force after the next start only' }),
  items: z.array(settingSchema),
});

const getSettings = createRoute({
  method: 'get',
  path: '/settings',
  summary: 'Every setting, and where its value comes from',
  responses: { 200: jsonAnswer('The settings', listSchema) },
});

const patchSettings = createRoute({
  method: 'patch',
  path: '/settings',
  summary: 'Change settings, all of the named ones or none',
  request: { body: jsonBody(changesSchema) },
  responses: { 200: jsonAnswer('What was changed, and all settings as they are now', resultSchema) },
});

export function addSettingsRoutes(api: ApiRoutes, { settings }: Pick<WebServices, 'settings'>): void {
  api.route(getSettings, 'owner', (context) => taggedJson(context, { items: itemsOf(settings), next: null }));

  api.route(patchSettings, 'owner', async (context) => {
    const changes = Object.fromEntries(
      Object.entries(context.req.valid('json')).map(([name, value]) => [name, value === null ? null : textsOf(value)]),
    );
    const result = await settings.change(changes, describeCaller(context.var.caller));
    if (!result.ok) {
      const [first] = result.problems;
      return problem(context, {
        status: 422,
        code: 'invalid',
        detail: first?.message ?? 'a setting cannot be changed so',
        ...(first?.hint === undefined ? {} : { hint: first.hint }),
        fields: result.problems.map(({ name, message }) => ({ field: name, in: 'body', detail: message })),
      });
    }
    const { changed, restartNeeded } = result;
    return context.json({ changed: [...changed], restartNeeded: [...restartNeeded], items: itemsOf(settings) }, 200);
  });
}

function itemsOf(settings: SettingsService) {
  return settings.list().map(toItem);
}

function toItem(state: SettingState) {
  const { name, label, description, group, flag, variable, isSet, origin, place, locked, takesEffect, isPending } =
    state;
  return {
    ...{ name, label, description, group, flag, variable, isSet, origin, place, locked, takesEffect, isPending },
    value: state.isSecret ? null : [...state.texts],
    inForce: state.isSecret ? null : [...state.textsInForce],
    default: options[name].secret === true ? [] : [...state.fallbackTexts],
  };
}
