export type RowActionProps = {
  action: string;
  label: string;
  /** Whose row it is, for who cannot see where the button stands. */
  name: string;
  dangerous?: boolean;
  /** Sent along. */
  fields?: Readonly<Record<string, string>>;
};

/** A button of a row: a real form, which htmx answers in place. */
export function RowAction({ action, label, name, dangerous = false, fields = {} }: RowActionProps) {
  return (
    <form method="post" action={action} hx-post={action} hx-swap="none">
      {Object.entries(fields).map(([field, value]) => (
        <input type="hidden" name={field} value={value} />
      ))}
      <button type="submit" class={dangerous ? 'danger' : undefined} aria-label={`${label}: ${name}`}>
        {label}
      </button>
    </form>
  );
}
