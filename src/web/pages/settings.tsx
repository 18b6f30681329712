// Settings: all of them, with where each value comes from; changed by the group.

import { formatSentence } from '../../../views/format.ts';
import type { PageContext } from '../../../views/page-context.ts';
import { SettingsPage } from '../../../views/pages/settings.tsx';
import { emptyForm, type FormState } from '../../../views/parts/field.tsx';
import type { NoticeProps } from '../../../views/parts/notice.tsx';
import { renderPage } from '../../../views/render.ts';
import { storageSettings } from '../../offline/storage.ts';
import { describeValue, options, type SettingName, settingGroups, settingNames } from '../../options.ts';
import { toConfigFile } from '../../settings/config-file.ts';
import type { SettingChanges, SettingsCheck, SettingsService } from '../../settings/settings-service.ts';
import { describeCaller } from '../describe-caller.ts';
import { readForm } from '../forms.ts';
import type { Routes } from '../routes.ts';
import type { WebServices } from '../services.ts';

export function addSettingsPages(
  routes: Routes,
  { settings, version }: Pick<WebServices, 'settings' | 'version'>,
): void {
  const show = (page: PageContext, form: FormState, notice: NoticeProps | null = null) => (
    <SettingsPage page={page} notice={notice} form={form} groups={groupsOf(settings)} />
  );

  routes.livePage({
    path: '/settings',
    need: 'owner',
    regions: () => Promise.resolve({}),
    render: ({ page }, _regions, notice) => show(page, emptyForm, notice),
  });

  routes.action('/settings', 'owner', async (context) => {
    const fields = await readForm(context);
    const changes = changesOf(fields);
    const bounds = boundsIn(settings.check(changes), changes);
    if (bounds !== null) return previewFirst(bounds);
    const result = await settings.change(changes, describeCaller(context.var.caller));
    if (!result.ok) {
      const form = { typed: typedOf(fields), errors: errorsOf(result) };
      return context.html(renderPage(show(context.var.page, form)), 422);
    }
    return { notice: describeChange(settings, result), goTo: '/settings' };
  });

  routes.action('/settings/reset', 'owner', async (context) => {
    const { setting } = await readForm(context);
    const bound = storageSettings.find((name) => name === setting);
    if (bound !== undefined) return previewFirst({ [bound]: 'auto' });
    const result = await settings.change({ [String(setting)]: null }, describeCaller(context.var.caller));
    const problem = result.ok ? undefined : result.problems[0];
    if (problem === undefined) return { notice: describeChange(settings, result), goTo: '/settings' };
    const hint = problem.hint === undefined ? null : formatSentence(problem.hint);
    return { notice: { tone: 'failed', text: formatSentence(problem.message), hint }, goTo: '/settings' };
  });

  routes.get('/settings/larder.toml', 'owner', (context) => {
    context.header('Content-Type', 'application/toml; charset=utf-8');
    context.header('Content-Disposition', 'attachment; filename="larder.toml"');
    return context.body(toConfigFile(settings.list(), version));
  });
}

function groupsOf(settings: SettingsService) {
  const all = settings.list().map((setting) => ({
    ...setting,
    changedAt: isBound(setting.name) ? { path: '/storage', title: 'Storage' } : null,
  }));
  return Object.entries(settingGroups)
    .map(([name, title]) => ({ name, title, settings: all.filter(({ group }) => group === name) }))
    .filter((group) => group.settings.length > 0);
}

function isBound(name: string): boolean {
  return (storageSettings as readonly string[]).includes(name);
}

/** Another cap or floor may remove films: null when the changes hold none. */
function boundsIn(check: SettingsCheck, changes: SettingChanges): Record<string, string> | null {
  const changed = check.ok ? check.changed.filter(isBound) : [];
  if (changed.length === 0) return null;
  return Object.fromEntries(changed.map((name) => [name, changes[name]?.[0] ?? 'auto']));
}

/** Nothing goes before its owner has seen what. */
function previewFirst(bounds: Record<string, string>): { notice: NoticeProps; goTo: string } {
  const text = 'Nothing was changed yet: below stands what it would do.';
  return { notice: { tone: 'failed', text }, goTo: `/storage?${new URLSearchParams(bounds)}` };
}

/** Fields of the form that are settings; what else stands in it is left alone. */
function changesOf(fields: Readonly<Record<string, string | string[]>>): SettingChanges {
  const changes: Record<string, readonly string[]> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (!isSetting(name)) continue;
    const option = options[name];
    // A box that is ticked comes behind the hidden field that speaks for one that is not.
    const last = Array.isArray(value) ? (value.at(-1) ?? '') : value;
    // A password that is not typed stays as it is.
    if (option.secret === true && last === '') continue;
    changes[name] = option.repeatable ? last.split(/\s+/).filter((part) => part !== '') : [last.trim()];
  }
  return changes;
}

function isSetting(name: string): name is SettingName {
  return (settingNames as readonly string[]).includes(name);
}

function typedOf(fields: Readonly<Record<string, string | string[]>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([name]) => isSetting(name) && options[name].secret !== true)
      .map(([name, value]) => [name, Array.isArray(value) ? (value.at(-1) ?? '') : value]),
  );
}

function errorsOf(result: Extract<SettingsCheck, { ok: false }>): Record<string, string> {
  return Object.fromEntries(
    result.problems.map(({ name, message, hint }) => [
      name,
      `${formatSentence(message)}${hint === undefined ? '' : ` ${formatSentence(hint)}`}`,
    ]),
  );
}

function describeChange(settings: SettingsService, result: SettingsCheck): NoticeProps {
  const [name, ...others] = result.ok ? result.changed : [];
  if (!result.ok || name === undefined) return { tone: 'done', text: 'Nothing was changed: all of it is as it was.' };
  const label = options[name].label;
  const value = settings.get(name).isSecret
    ? 'set'
    : settings.get(name).texts.join(', ') || describeValue(name, options[name].fallback);
  const text = others.length === 0 ? `${label} is ${value}.` : `${result.changed.length} settings were changed.`;
  const waits = result.restartNeeded.map((waiting) => options[waiting].label).join(', ');
  return { tone: 'done', text, hint: waits === '' ? null : `In force after the next start: ${waits}.` };
}
