// The markup of an update: regions of the open page that read differently now, and the answer to an action.
import { Notice, type NoticeProps } from '../../views/parts/notice.tsx';
import { renderFragment } from '../../views/render.ts';
import { assert } from '../assert.ts';

/** Morphing keeps focus, selection and what has been opened. `markup` is what our own views rendered. */
function partial(id: string, markup: string): string {
  assert(/^[\w-]+$/.test(id), 'a region has an id that needs no escaping');
  return `<hx-partial hx-target="#${id}" hx-swap="innerMorph">${markup}</hx-partial>`;
}

/** `regions`: element id of each region, and the markup inside it. Only what changed: what is left out stays. */
export function renderUpdate(regions: Readonly<Record<string, string>>, notice: NoticeProps | null = null): string {
  const parts = Object.entries(regions).map(([id, markup]) => partial(id, markup));
  if (notice !== null) parts.unshift(partial('notice', renderFragment(Notice(notice))));
  return parts.join('');
}
