import type { PageContext } from '../page-context.ts';
import { typeWords } from './library-item.tsx';

/** Sides in pixels, so that its place is there before it comes. */
const sizes = { portrait: [160, 240], square: [200, 200], wide: [256, 144] } as const;

function shapeOf(type: string): keyof typeof sizes {
  if (type === 'episode') return 'wide';
  return type === 'album' || type === 'track' || type === 'audio' ? 'square' : 'portrait';
}

type PosterProps = {
  page: PageContext;
  type: string;
  /** Below the base path; null without one. */
  path: string | null;
};

/** A picture for the eye alone: what it shows is said beside it. One that is missing, or does not come, leaves a word. */
export function Poster({ page, type, path }: PosterProps) {
  const shape = shapeOf(type);
  const [width, height] = sizes[shape];
  const word = typeWords[type] ?? type;
  return (
    <span class={`poster ${shape}`}>
      <span aria-hidden="true">{word}</span>
      {path === null ? null : (
        <img
          src={page.basePath + path}
          alt=""
          width={width}
          height={height}
          loading="lazy"
          decoding="async"
          data-word={word}
        />
      )}
    </span>
  );
}
