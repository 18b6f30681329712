// The last step of the first run: something plays.
import { formatSentence } from '../../../views/format.ts';
import { SetupPlay } from '../../../views/pages/setup-play.tsx';
import { emptyForm } from '../../../views/parts/field.tsx';
import { renderPage } from '../../../views/render.ts';
import { signerOf } from '../../access/signed-addresses.ts';
import { LarderError } from '../../errors.ts';
import { PATH_LENGTH_MAX } from '../../limits.ts';
import { decodePath, encodePath } from '../../sources/media-address.ts';
import { qrCodeOf } from '../qr-code.ts';
import type { Routes } from '../routes.ts';
import type { WebServices } from '../services.ts';
import { addSetupStep } from '../setup-step.ts';
import type { WebContext } from '../web-environment.ts';

type Services = Pick<WebServices, 'setup' | 'sources' | 'streamAddresses' | 'firstFilms'>;

export function addSetupPlay(routes: Routes, services: Services): void {
  const { setup, sources, streamAddresses, firstFilms } = services;

  addSetupStep(routes, setup, {
    name: 'play',
    title: 'Play',
    settledBy: () => null,
    show: async (context, frame) => {
      const known = await sources.list();
      const source = known.find(({ name }) => name === context.req.query('source')) ?? known[0];
      const chosen = context.req.query('file')?.trim().replace(/^\/+/, '') ?? '';
      const error = source === undefined || chosen === '' ? null : await problemOf(source.name, chosen);
      const isPlayed = source !== undefined && chosen !== '' && error === null;
      const found = source === undefined || isPlayed ? [] : await firstFilms.find(source.name);
      const proposed = source?.lastTest?.file ?? found[0] ?? '';
      return context.html(
        renderPage(
          <SetupPlay
            {...frame}
            sourceNames={known.map(({ name }) => name)}
            source={source?.name ?? ''}
            file={chosen === '' || chosen.length > PATH_LENGTH_MAX ? proposed : chosen}
            form={error === null ? emptyForm : { typed: {}, errors: { file: error } }}
            found={found}
            stream={isPlayed ? streamOf(context, source.name, chosen) : null}
          />,
        ),
      );
    },
    // Whatever was played: this was the last thing to be asked.
    take: () => Promise.resolve(null),
  });

  /** Asked of the source before a player is shown: one that stays black says nothing. */
  async function problemOf(source: string, file: string): Promise<string | null> {
    if (encodePath(file).length > PATH_LENGTH_MAX) return 'This is longer than any path.';
    try {
      decodePath(encodePath(file));
      if (await firstFilms.has(source, file)) return null;
      return `${source} has no file of this name. Capital letters and folders count.`;
    } catch (error) {
      if (!(error instanceof LarderError)) throw error;
      return [error.message, error.hint].flatMap((words) => (words ? formatSentence(words) : [])).join(' ');
    }
  }

  function streamOf(context: WebContext, source: string, file: string) {
    const path = streamAddresses.pathOf(source, file, signerOf(context.var.caller));
    const base = context.var.page.playerAddress;
    return { path, address: base + path, qr: qrCodeOf(base + path) };
  }
}
