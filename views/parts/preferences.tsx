import type { PageContext } from '../page-context.ts';

export type PreferencesProps = { backgroundFill: boolean };

export function Preferences({ page, backgroundFill }: PreferencesProps & { page: PageContext }) {
  const action = `${page.basePath}/preferences`;
  return (
    <>
      <h2>
        Background fill{' '}
        <span class={`badge ${backgroundFill ? 'well' : 'neutral'}`}>{backgroundFill ? 'On' : 'Off'}</span>
      </h2>
      <p>When nobody waits, the rest of what was begun is fetched.</p>
      <form method="post" action={action} hx-post={action} hx-swap="none">
        <button type="submit" name="backgroundFill" value={backgroundFill ? 'off' : 'on'}>
          {backgroundFill ? 'Turn off' : 'Turn on'}
        </button>
      </form>
    </>
  );
}
