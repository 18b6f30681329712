/**
 * What the chunk maps are filled with, once per page. Fills are named by a presentation attribute, because a
 * `url(#…)` in the style sheet would be looked up in the style sheet. Stripes look the same however far the
 * map is stretched.
 */
export function ChunkMapPatterns() {
  return (
    <svg class="definitions" width="0" height="0" aria-hidden="true">
      <defs>
        <pattern id="chunk-in-flight" width="3" height="12" patternUnits="userSpaceOnUse">
          <rect class="stripe-back" width="3" height="12" />
          <rect class="stripe" width="1.5" height="12" />
        </pattern>
      </defs>
    </svg>
  );
}
