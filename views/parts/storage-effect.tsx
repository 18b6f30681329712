import { formatBytes, formatCount } from '../format.ts';
import type { PageContext } from '../page-context.ts';
import { EntriesToGo, type EntryToGoProps } from './next-to-go.tsx';

export type StorageEffectProps = {
  /** What the form says; goes on to the form that saves it. */
  changes: Readonly<Record<string, string>>;
  /** What cannot be read of it, in words; null when all can. */
  problem: string | null;
  isChanged: boolean;
  capBytes: number;
  floorBytes: number;
  goesCount: number;
  goesBytes: number;
  goes: readonly EntryToGoProps[];
  shortBytes: number;
  /** Of them in the cache, and held by other programs. */
  shortOwnBytes: number;
  shortOtherBytes: number;
  roomBytes: number;
  remarks: readonly string[];
};

/** What a change would do, with the button that does it. Null before anything was typed. */
export function StorageEffect({ page, effect }: { page: PageContext; effect: StorageEffectProps | null }) {
  if (effect === null) {
    return <p class="quiet">Change a value, and what would go because of it is listed here before anything happens.</p>;
  }
  if (effect.problem !== null) return <p class="error">{effect.problem}</p>;
  if (!effect.isChanged) return <p class="quiet">This changes nothing.</p>;
  const action = `${page.basePath}/storage`;
  return (
    <>
      <p>
        The cache may take <strong>{formatBytes(effect.capBytes)}</strong>, and{' '}
        <strong>{formatBytes(effect.floorBytes)}</strong> of the disk stay free. {describeOutcome(effect)}
      </p>
      {effect.remarks.map((remark) => (
        <p class="waiting">{remark}</p>
      ))}
      {effect.goesCount === 0 ? null : (
        <details open>
          <summary>What would go</summary>
          <EntriesToGo page={page} entries={effect.goes} />
          {effect.goesCount > effect.goes.length ? (
            <p class="quiet">and {formatCount(effect.goesCount - effect.goes.length, 'more entry', 'more entries')}</p>
          ) : null}
        </details>
      )}
      <form method="post" action={action}>
        {Object.entries(effect.changes).map(([name, value]) => (
          <input type="hidden" name={name} value={value} />
        ))}
        <button type="submit" class={effect.goesCount === 0 ? 'primary' : 'danger'}>
          {effect.goesCount === 0
            ? 'Save'
            : `Save and remove ${formatBytes(effect.goesBytes)} (${formatCount(effect.goesCount, 'entry', 'entries')})`}
        </button>
      </form>
    </>
  );
}

function describeOutcome(effect: StorageEffectProps): string {
  const { goesCount, goesBytes, shortBytes, shortOwnBytes, shortOtherBytes, roomBytes } = effect;
  if (shortBytes > 0) {
    const gone = goesCount === 0 ? 'Nothing can go' : `${formatBytes(goesBytes)} would go at once`;
    const reasons = [
      shortOwnBytes > 0 ? `${formatBytes(shortOwnBytes)} of the cache are pinned or in use` : null,
      shortOtherBytes > 0 ? `${formatBytes(shortOtherBytes)} are taken by other programs` : null,
    ];
    const why = reasons.filter((reason) => reason !== null).join(' and ');
    return `${gone}. Still too much would be taken: ${why}. Nothing new is kept until that changes.`;
  }
  const room = `There would be room for ${formatBytes(roomBytes)} more.`;
  return goesCount === 0 ? `Nothing goes. ${room}` : `${formatBytes(goesBytes)} would go at once. ${room}`;
}
