/** A form that was sent when nobody was signed in any more: what was typed comes along through the sign-in. */
export type CarriedForm = {
  /** Below the base path. */
  action: string;
  fields: readonly (readonly [name: string, value: string])[];
  /** Names of fields whose values are not carried along, such as passwords. */
  left: readonly string[];
};

export function CarriedFields({ form }: { form: CarriedForm }) {
  return (
    <>
      <input type="hidden" name="carried-action" value={form.action} />
      {form.fields.map(([name, value]) => (
        <input type="hidden" name={`carried:${name}`} value={value} />
      ))}
      {form.left.map((name) => (
        <input type="hidden" name="carried-left" value={name} />
      ))}
    </>
  );
}
