// A page that stays true while it is open. One function gives its regions: for the first rendering, for the page's
// event stream, and for the answer to an action that was sent from it.

import type { PageContext } from '../../views/page-context.ts';
import type { NoticeProps } from '../../views/parts/notice.tsx';
import type { Rendered } from '../../views/render.ts';
import type { Caller, Need } from './caller.ts';

export interface PageRequest {
  readonly page: PageContext;
  readonly caller: Caller;
  /** Of the page's path, decoded: `/items/:id` gives `id`. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
}

/** A list of which only the rows that read differently are told, as long as `key` stays: which rows, in which order. */
export interface Listing {
  readonly key: string;
  readonly whole: Rendered;
  /** Element id of each row, and what is inside. */
  readonly rows: Readonly<Record<string, Rendered>>;
}

/** By the id of the element that each fills. */
export type Regions = Readonly<Record<string, Rendered | Listing>>;

export interface LivePage {
  /** Below the base path; a segment that begins with `:` is a parameter. */
  readonly path: string;
  readonly need: Need;
  /** Before somebody is shown the page, and not when it is told anew: what is worth a look at its source. */
  readonly opened?: (request: PageRequest) => Promise<void>;
  /** Null when there is no such thing: the page answers 404. */
  readonly regions: (request: PageRequest) => Promise<Regions | null>;
  /** The whole page around its regions, each rendered as `whole` says it. */
  readonly render: (
    request: PageRequest,
    regions: Readonly<Record<string, Rendered>>,
    notice: NoticeProps | null,
  ) => Rendered | Promise<Rendered>;
}

export function isListing(region: Rendered | Listing): region is Listing {
  return typeof region === 'object' && 'whole' in region;
}

export function wholeRegions(regions: Regions): Record<string, Rendered> {
  return Object.fromEntries(
    Object.entries(regions).map(([id, region]) => [id, isListing(region) ? region.whole : region]),
  );
}

/** The parameters of `path` when it is of the form of `pattern`, else null. */
export function matchPath(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split('/');
  const given = path.split('/');
  if (wanted.length !== given.length) return null;
  const params: Record<string, string> = {};
  for (const [index, segment] of wanted.entries()) {
    const value = given[index]!;
    if (!segment.startsWith(':')) {
      if (segment !== value) return null;
      continue;
    }
    try {
      params[segment.slice(1)] = decodeURIComponent(value);
    } catch {
      return null;
    }
  }
  return params;
}
