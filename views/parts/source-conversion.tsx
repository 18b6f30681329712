import { Field, type FormState } from './field.tsx';
import { ladderSteps, transcodeWays } from './source-kinds.ts';

export type ConversionProps = {
  transcode: 'growing' | 'hls' | 'off';
  /** Bit rates in Mbit/s by quality, of those that were chosen. */
  ladder: Readonly<Record<string, number>>;
};

export const conversionLabels = {
  transcode: 'How lower qualities come',
  ...Object.fromEntries(ladderSteps.map(([quality]) => [ladderField(quality), quality])),
};

export function ladderField(quality: string): string {
  return `ladder-${quality}`;
}

/** How a server converts for Larder, folded away: what there is by default suits most. */
export function SourceConversion({ form, conversion }: { form: FormState; conversion: ConversionProps }) {
  const names = ['transcode', ...ladderSteps.map(([quality]) => ladderField(quality))];
  const chosen = form.typed.transcode ?? conversion.transcode;
  const isOpen =
    names.some((name) => form.errors[name] !== undefined) ||
    (form.typed.transcode !== undefined && form.typed.transcode !== conversion.transcode);
  return (
    <details class="more-settings" open={isOpen}>
      <summary>Lower qualities</summary>
      <p class="hint">
        What the server can convert for a thin line or a small screen. It is fetched once, and kept like everything
        else.
      </p>
      <fieldset class="field" id="transcode">
        <legend>{conversionLabels.transcode}</legend>
        {transcodeWays.map(([value, label, meaning]) => (
          <label class="choice">
            <input type="radio" name="transcode" value={value} checked={chosen === value} />
            <span>
              {label} <span class="meaning quiet">{meaning}</span>
            </span>
          </label>
        ))}
        {form.errors.transcode === undefined ? null : <p class="error">{form.errors.transcode}</p>}
      </fieldset>
      <fieldset class="field ladder">
        <legend>Bit rates in Mbit/s</legend>
        <p class="hint">Video and sound together. Left empty: as shown. 0 leaves a quality out.</p>
        {ladderSteps.map(([quality, usual]) => {
          const name = ladderField(quality);
          const known = conversion.ladder[quality];
          return (
            <Field
              name={name}
              label={quality}
              form={form}
              value={known === undefined ? '' : String(known)}
              inputmode="decimal"
              placeholder={String(usual)}
              autocomplete="off"
            />
          );
        })}
      </fieldset>
    </details>
  );
}
