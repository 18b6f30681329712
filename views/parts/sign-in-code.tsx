import { formatSentence } from '../format.ts';
import type { PageContext } from '../page-context.ts';
import type { SourceKind } from './source-kinds.ts';

export type SignInCodeProps = {
  id: string;
  code: string;
  /** Where it is confirmed; null where that is an app of the visitor's. */
  link: string | null;
  state: 'waiting' | 'done' | 'failed';
  message: string | null;
};

type Props = {
  page: PageContext;
  kind: SourceKind;
  /** Where a code is asked for, below the base path. */
  action: string;
  code: SignInCodeProps | null;
  error: string | null;
};

/** Asks for a code, shows it, and says how far it is. */
export function SignInCode({ page, kind, action, code, error }: Props) {
  // The page that comes begins where the code is.
  const address = `${page.basePath}${action}#signInId`;
  return (
    <div class="sign-in-code" id="signInId" tabindex={-1}>
      {error === null ? null : <p class="error">{error}</p>}
      {code === null ? (
        <p class="hint">
          {kind === 'plex'
            ? 'Larder asks plex.tv for a code, which you confirm there. No password passes through Larder.'
            : 'Larder asks the server for a code, which you enter where you are signed in to it. No password passes through Larder.'}{' '}
          Fill in the address first.
        </p>
      ) : (
        <>
          <input type="hidden" name="signInId" value={code.id} />
          {code.state === 'waiting' ? <WhatToDo kind={kind} code={code} /> : null}
          <SignInState page={page} code={code} />
        </>
      )}
      <p class="actions">
        {code?.state === 'waiting' ? (
          <button type="submit" name="act" value="check" formaction={address} formnovalidate>
            I have entered it
          </button>
        ) : null}
        {code?.state === 'done' ? null : (
          <button type="submit" name="act" value="code" formaction={address}>
            {code === null ? 'Get a code' : 'Get another code'}
          </button>
        )}
      </p>
    </div>
  );
}

function WhatToDo({ kind, code }: { kind: SourceKind; code: SignInCodeProps }) {
  const link = code.link !== null && /^https?:\/\//.test(code.link) ? code.link : null;
  return (
    <>
      <p>
        <span class="quiet">Your code</span> <strong class="code">{code.code}</strong>
      </p>
      <p>
        {link === null
          ? kind === 'jellyfin'
            ? 'Open Jellyfin where you are signed in, choose Quick Connect in the menu of your user, and enter this code.'
            : 'Enter this code where you are signed in.'
          : 'Open this page, sign in there, and confirm the code: '}
        {link === null ? null : (
          <a href={link} target="_blank" rel="noopener noreferrer">
            {new URL(link).host}
          </a>
        )}
      </p>
    </>
  );
}

/** Asks again by itself where there is JavaScript, until there is nothing more to ask. */
export function SignInState({ page, code }: { page: PageContext; code: SignInCodeProps }) {
  const { id, state, message } = code;
  const asks =
    state === 'waiting'
      ? {
          'hx-get': `${page.basePath}/sources/new/sign-in/${id}`,
          'hx-trigger': 'every 2s',
          'hx-swap': 'outerHTML',
        }
      : {};
  return (
    <p id="sign-in-state" role="status" class={state === 'waiting' ? 'quiet' : `notice ${state}`} {...asks}>
      {state === 'done' ? 'Signed in. It is kept once you save.' : null}
      {state === 'waiting' ? 'Waiting for the code to be entered. It is good for ten minutes.' : null}
      {message === null ? null : ` ${formatSentence(message)}`}
    </p>
  );
}
