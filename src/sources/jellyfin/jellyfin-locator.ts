// What is noted of each file, picture and subtitle so that its bytes are found again without a question: JSON without
// hosts and secrets. The item itself is named by its media key.
import { countOf, fieldsOf, guidOf, textOf } from './dto-fields.ts';

export type JellyfinLocator =
  | {
      readonly kind: 'video' | 'audio';
      /** Id of the version. */
      readonly version: string;
      readonly container: string | null;
    }
  | { readonly kind: 'image'; readonly item: string; readonly tag: string }
  | { readonly kind: 'subtitle'; readonly version: string; readonly index: number; readonly format: string };

export function encodeLocator(locator: JellyfinLocator): string {
  return JSON.stringify(locator);
}

/** Null for what was not written by this. */
export function decodeLocator(text: string): JellyfinLocator | null {
  const fields = parsed(text);
  const version = textOf(fields?.version, 128);
  switch (fields?.kind) {
    case 'video':
    case 'audio':
      return version === null ? null : { kind: fields.kind, version, container: textOf(fields.container, 10) };
    case 'image': {
      const item = guidOf(fields.item);
      const tag = textOf(fields.tag, 128);
      return item === null || tag === null ? null : { kind: 'image', item, tag };
    }
    case 'subtitle': {
      const index = countOf(fields.index);
      const format = textOf(fields.format, 10);
      return version === null || index === null || format === null
        ? null
        : { kind: 'subtitle', version, index, format };
    }
    default:
      return null;
  }
}

function parsed(text: string): ReturnType<typeof fieldsOf> {
  try {
    return fieldsOf(JSON.parse(text));
  } catch {
    return null;
  }
}
