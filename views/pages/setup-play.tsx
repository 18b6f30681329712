import { CopyField } from '../parts/copy-field.tsx';
import { Field, type FormState } from '../parts/field.tsx';
import { QrCode, type QrCodeProps } from '../parts/qr-code.tsx';
import { SetupFrame, type SetupFrameProps } from '../parts/setup-frame.tsx';

export type SetupPlayProps = Pick<SetupFrameProps, 'page' | 'steps' | 'current'> & {
  sourceNames: readonly string[];
  /** What was chosen to be played, or what a test of the source has found; empty for nothing. */
  source: string;
  file: string;
  form: FormState;
  /** Files that were seen there, to choose from. */
  found: readonly string[];
  /** What plays: below the base path for this browser, whole for players; null before something was chosen. */
  stream: { path: string; address: string; qr: Omit<QrCodeProps, 'label'> } | null;
};

/** The last step: something plays, here or on a television. */
export function SetupPlay({ page, steps, current, sourceNames, source, file, form, found, stream }: SetupPlayProps) {
  const action = `${page.basePath}/setup/play`;
  return (
    <SetupFrame page={page} steps={steps} current={current} title="Play something" isDone={stream !== null}>
      {sourceNames.length === 0 ? (
        <p>
          There is no source yet, so there is nothing to play. <a href={`${page.basePath}/setup/source`}>Go back</a> and
          add one, or finish here and add it later.
        </p>
      ) : (
        <form method="get" action={action} class="panel">
          <p>
            Name a file of your source, as it is called there. It plays at once, and what has played stays here: the
            second time it comes from this disk.
          </p>
          {sourceNames.length === 1 ? (
            <input type="hidden" name="source" value={sourceNames[0]} />
          ) : (
            <div class="field">
              <label for="source">Source</label>
              <select id="source" name="source">
                {sourceNames.map((name) => (
                  <option value={name} selected={name === source}>
                    {name}
                  </option>
                ))}
              </select>
            </div>
          )}
          <Field
            name="file"
            label="File"
            form={form}
            value={file}
            hint="With its folders, such as Films/Some Film (2020).mkv."
            autocomplete="off"
            required
          />
          <button type="submit" class="primary">
            Play it
          </button>
        </form>
      )}
      {found.length === 0 ? null : (
        <section class="panel" aria-labelledby="found">
          <h2 id="found">Or one of these</h2>
          <ul class="found-files">
            {found.map((path) => (
              <li>
                <a href={`${action}?${new URLSearchParams({ source, file: path })}`}>{path}</a>
              </li>
            ))}
          </ul>
        </section>
      )}
      {stream === null ? null : (
        <section class="panel" aria-labelledby="plays">
          <h2 id="plays">{file}</h2>
          {/* biome-ignore lint/a11y/useMediaCaption: what is played is the owner's own, and has what it has */}
          <video class="setup-video" controls autoplay preload="metadata" src={page.basePath + stream.path}></video>
          <p class="quiet">Some browsers play no MKV; every player does.</p>
          <h3>On a player</h3>
          <p>
            Any player takes this address: VLC under “Open Network Stream”, mpv behind its name, Kodi in a .strm file.
          </p>
          <div class="address">
            <div>
              <CopyField id="stream-address" label="Address for players" value={stream.address} />
            </div>
            <QrCode {...stream.qr} label="the address for players" />
          </div>
        </section>
      )}
      {stream === null ? null : (
        <form method="post" action={action} class="setup-finish">
          <button type="submit" class="primary">
            Finish
          </button>
        </form>
      )}
    </SetupFrame>
  );
}
