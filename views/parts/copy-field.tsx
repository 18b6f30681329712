export type CopyFieldProps = {
  id: string;
  /** Names the field for who cannot see what stands around it. */
  label: string;
  value: string;
  lines?: number;
};

/** Something to copy: by its button where the browser allows that, else by selecting what is in the field. */
export function CopyField({ id, label, value, lines = 1 }: CopyFieldProps) {
  return (
    <div class="copy">
      {lines > 1 ? (
        <textarea id={id} aria-label={label} readonly rows={Math.min(lines, 14)} spellcheck={false}>
          {value}
        </textarea>
      ) : (
        <input id={id} aria-label={label} type="text" readonly value={value} spellcheck={false} />
      )}
      <button type="button" data-copy={id} aria-label={`Copy: ${label}`} hidden>
        Copy
      </button>
    </div>
  );
}
