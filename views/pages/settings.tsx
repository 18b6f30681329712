import { Layout } from '../layout.tsx';
import type { PageContext } from '../page-context.ts';
import { FormErrors, type FormState } from '../parts/field.tsx';
import type { NoticeProps } from '../parts/notice.tsx';
import { SettingField, type SettingProps } from '../parts/setting-field.tsx';

export type SettingsGroup = {
  name: string;
  title: string;
  settings: readonly SettingProps[];
};

export type SettingsPageProps = {
  page: PageContext;
  notice?: NoticeProps | null;
  groups: readonly SettingsGroup[];
  /** What was sent and not taken; its fields are of one group. */
  form: FormState;
};

/** Every setting, where its value comes from, and whether it can be changed here. One form a group. */
export function SettingsPage({ page, notice = null, groups, form }: SettingsPageProps) {
  const all = groups.flatMap(({ settings }) => settings);
  const labels = Object.fromEntries(all.map(({ name, label }) => [name, label]));
  const pending = all.filter(({ isPending }) => isPending);
  return (
    <Layout page={page} title="Settings" section="/settings" notice={notice}>
      <h1>Settings</h1>
      <FormErrors form={form} labels={labels} />
      <p class="quiet">
        A value comes from the first place that names it: a flag, the environment, the configuration file, this page,
        the default. What is fixed outside is locked here.
      </p>
      <nav aria-label="On this page">
        <ul class="jump">
          {groups.map(({ name, title }) => (
            <li>
              <a href={`#group-${name}`}>{title}</a>
            </li>
          ))}
        </ul>
      </nav>
      {pending.length === 0 ? null : (
        <p class="notice restart">
          <strong>{pending.length === 1 ? '1 change waits' : `${pending.length} changes wait`} for a restart: </strong>
          {pending.map(({ label }) => label).join(', ')}. Start Larder again when nobody watches; what is kept stays.
        </p>
      )}
      {groups.map((group) => (
        <GroupForm page={page} group={group} form={form} />
      ))}
      <section class="panel" aria-labelledby="export">
        <h2 id="export">As a file</h2>
        <p>
          The same settings as a file for <code>larder serve --config FILE</code>, to keep or to use on another machine.
          Passwords and tokens are never in it.
        </p>
        <a class="button" href={`${page.basePath}/settings/larder.toml`} download="larder.toml">
          Download larder.toml
        </a>
      </section>
      <form id="reset" method="post" action={`${page.basePath}/settings/reset`}></form>
    </Layout>
  );
}

function GroupForm({ page, group, form }: { page: PageContext; group: SettingsGroup; form: FormState }) {
  const { name, title, settings } = group;
  const canChange = settings.some(({ locked, changedAt }) => locked === null && changedAt === null);
  const fields = settings.map((setting) => <SettingField setting={setting} form={form} basePath={page.basePath} />);
  return (
    <section class="panel settings-group" aria-labelledby={`group-${name}`}>
      <h2 id={`group-${name}`}>{title}</h2>
      {canChange ? (
        <form method="post" action={`${page.basePath}/settings`} novalidate>
          {fields}
          <p class="actions">
            <button type="submit" class="primary">
              Save {title.charAt(0).toLowerCase() + title.slice(1)}
            </button>
          </p>
        </form>
      ) : (
        fields
      )}
    </section>
  );
}
