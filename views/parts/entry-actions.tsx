import { formatBytes } from '../format.ts';
import type { PageContext } from '../page-context.ts';
import type { EntryProps } from './entry.tsx';

export type EntryActionsProps = { page: PageContext; entry: EntryProps; complete: boolean };

/**
 * Real forms: they work without JavaScript, and htmx answers them in place. What comes and goes by itself stands behind
 * what stays, so that no button moves under a finger; the dangerous one stands apart.
 */
export function EntryActions({ page, entry, complete }: EntryActionsProps) {
  const address = (verb: string) => `${page.basePath}/entries/${entry.id}/${verb}`;
  const name = `${entry.title}, ${entry.quality}`;
  return (
    <div class="actions">
      <ActionForm
        action={address(entry.pinned ? 'unpin' : 'pin')}
        label={entry.pinned ? 'Unpin' : 'Pin'}
        name={name}
        title={entry.pinned ? 'It may be removed to make room again' : 'It is never removed to make room'}
      />
      <ActionForm action={address('recheck')} label="Check with the origin" name={name} />
      {complete ? null : entry.fetchQueued ? (
        <ActionForm action={address('stop')} label="Stop fetching" name={name} />
      ) : (
        <ActionForm action={address('fetch')} label="Fetch the rest" name={name} />
      )}
      {entry.cachedBytes === 0 ? null : (
        <details class="confirm">
          <summary aria-label={`Remove bytes: ${name}`}>Remove bytes…</summary>
          <p>
            Takes {formatBytes(entry.cachedBytes)} off this disk. The source keeps its file; what is played again is
            fetched again.
          </p>
          <ActionForm
            action={address('remove')}
            label={`Remove ${formatBytes(entry.cachedBytes)}`}
            name={name}
            dangerous
          />
        </details>
      )}
    </div>
  );
}

type ActionFormProps = { action: string; label: string; name: string; title?: string; dangerous?: boolean };

function ActionForm({ action, label, name, title, dangerous = false }: ActionFormProps) {
  return (
    <form method="post" action={action} hx-post={action} hx-swap="none">
      <button type="submit" class={dangerous ? 'danger' : undefined} aria-label={`${label}: ${name}`} title={title}>
        {label}
      </button>
    </form>
  );
}
